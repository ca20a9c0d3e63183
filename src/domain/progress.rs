//! What becomes of a correction at one provider: from its acknowledgements,
//! its refusals, and the labels that it still reports.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::label::Label;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Received,
    Applied,
    Serving,
}

impl Stage {
    pub const ALL: [Self; 3] = [Self::Received, Self::Applied, Self::Serving];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Applied => "applied",
            Self::Serving => "serving",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    Pending,
    Published,
    Acknowledged(Stage),
    RefusedByProvider {
        code: String,
        text: Option<String>,
    },
    /// Marks made in the present tenure: the correction says nothing of them.
    NotCovered,
    Regressed,
}

impl Progress {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Published => "published",
            Self::Acknowledged(stage) => stage.as_str(),
            Self::RefusedByProvider { .. } => "refused_by_provider",
            Self::NotCovered => "not_covered",
            Self::Regressed => "regressed",
        }
    }
}

/// What one provider said about one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub published: bool,
    /// The furthest stage reached for the entry, and when.
    pub stage: Option<(Stage, Timestamp)>,
    pub refused: Option<(String, Option<String>)>,
}

/// `labels`: the provider's labels of this number, of the kind in dispute.
pub fn progress(void_before: Option<Date>, labels: &[Label], told: &Told) -> Progress {
    let first_marked = |label: &Label| label.first_marked_on;
    let in_this_tenure =
        |label: &Label| void_before.zip(first_marked(label)).is_some_and(|(void, first)| first >= void);
    // A mark without a date is not known to be a former holder's.
    let from_before = |label: &Label| match void_before {
        Some(void) => first_marked(label).is_some_and(|first| first < void),
        None => true,
    };
    if !labels.is_empty() && labels.iter().all(in_this_tenure) {
        return Progress::NotCovered;
    }
    if let Some((code, text)) = &told.refused {
        return Progress::RefusedByProvider { code: code.clone(), text: text.clone() };
    }
    match told.stage {
        Some((Stage::Serving, at))
            if labels.iter().any(|label| label.observed_at > at && from_before(label)) =>
        {
            Progress::Regressed
        }
        Some((stage, _)) => Progress::Acknowledged(stage),
        None if told.published => Progress::Published,
        None => Progress::Pending,
    }
}

#[cfg(test)]
mod tests;
