//! Reference data: what is true of the field rather than of a single case,
//! and changes by a notice, not by a release.
//!
//! Built into the binary out of `data/`. Reading other files in their place
//! is not done here: the texts come as arguments.

use std::fmt;

use crate::domain::calendar::WorkingDays;
use crate::domain::numbering::Numbering;

const NUMBERING: &str = include_str!("../../data/numbering.toml");
const WORKING_DAYS: &str = include_str!("../../data/working-days.toml");

/// Everything that `data/` says.
#[derive(Debug, Clone)]
pub struct Reference {
    pub numbering: Numbering,
    pub working_days: WorkingDays,
}

/// The files' texts, before they are read.
#[derive(Debug, Clone, Copy)]
pub struct ReferenceTexts<'a> {
    pub numbering: &'a str,
    pub working_days: &'a str,
}

impl ReferenceTexts<'static> {
    pub const BUILT_IN: Self = Self { numbering: NUMBERING, working_days: WORKING_DAYS };
}

impl Reference {
    pub fn built_in() -> Self {
        Self::from_texts(&ReferenceTexts::BUILT_IN).expect("the built-in data is read by every test run")
    }

    pub fn from_texts(texts: &ReferenceTexts<'_>) -> Result<Self, ReferenceError> {
        Ok(Self {
            numbering: Numbering::from_toml(texts.numbering)?,
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
