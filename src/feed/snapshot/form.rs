//! The forms of a snapshot, and the codings in which each lies ready.

use crate::feed::Coding;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    Ndjson,
    Csv,
    Zms,
}

impl Form {
    /// In the order in which a sum names them.
    pub const ALL: [Self; 3] = [Self::Ndjson, Self::Csv, Self::Zms];

    /// Its name, and its files' extension.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Zms => "zms",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// In which codings it lies ready, beside as it is.
    pub fn codings(self) -> &'static [Coding] {
        match self {
            Self::Ndjson | Self::Csv => &Coding::ALL,
            // There is nothing left to squeeze out.
            Self::Zms => &[],
        }
    }
}
