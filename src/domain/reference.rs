//! Reference data: what is true of the field rather than of a single case,
//! and changes by a notice, not by a release.
//!
//! Built into the binary out of `data/`. Reading other files in their place
//! is not done here: the texts come as arguments.

use std::fmt;

use crate::domain::calendar::WorkingDays;
use crate::domain::catalog::LabelCatalog;
use crate::domain::numbering::Numbering;

/// Everything that `data/` says.
#[derive(Debug, Clone)]
pub struct Reference {
    pub numbering: Numbering,
    pub labels: LabelCatalog,
    pub working_days: WorkingDays,
}

/// The files' texts, before they are read. Each field is a file's name.
#[derive(Debug, Clone, Copy)]
pub struct ReferenceTexts<'a> {
    /// `numbering.toml`
    pub numbering: &'a str,
    /// `labels.toml`
    pub labels: &'a str,
    /// `providers.toml`
    pub providers: &'a str,
    /// `working-days.toml`
    pub working_days: &'a str,
}

impl ReferenceTexts<'static> {
    pub const BUILT_IN: Self = Self {
        numbering: include_str!("../../data/numbering.toml"),
        labels: include_str!("../../data/labels.toml"),
        providers: include_str!("../../data/providers.toml"),
        working_days: include_str!("../../data/working-days.toml"),
    };
}

impl Reference {
    pub fn built_in() -> Self {
        Self::from_texts(&ReferenceTexts::BUILT_IN).expect("the built-in data is read by every test run")
    }

    pub fn from_texts(texts: &ReferenceTexts<'_>) -> Result<Self, ReferenceError> {
        Ok(Self {
            numbering: Numbering::from_toml(texts.numbering)?,
            labels: LabelCatalog::from_toml(texts.labels, texts.providers)?,
            working_days: WorkingDays::from_toml(texts.working_days)?,
        })
    }
}

/// A file of reference data that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {why}")]
pub struct ReferenceError {
    pub file: &'static str,
    pub why: String,
}

impl ReferenceError {
    pub fn new(file: &'static str, why: impl fmt::Display) -> Self {
        Self { file, why: why.to_string().trim_end().to_owned() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_data_can_be_read() {
        let reference = Reference::built_in();
        assert!(reference.numbering.parse("+8613800138000").is_ok());
        assert!(reference.working_days.has_data_for(2026));
        assert!(reference.labels.provider_ids().count() > 0);
    }

    #[test]
    fn one_broken_file_is_named() {
        let texts = ReferenceTexts { providers: "[provider.x]\nname = 1", ..ReferenceTexts::BUILT_IN };
        let error = Reference::from_texts(&texts).unwrap_err();
        assert_eq!(error.file, "providers.toml");
        assert!(error.to_string().contains("name = 1"), "{error}");
    }
}
