//! What becomes of a correction at one provider: from its acknowledgements,
//! its refusals, and the labels that it still reports. A label regresses when
//! it is seen after its provider serves a correction that it goes against.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::correction::{Effect, Entry};
use crate::domain::label::{Label, LabelKind};
use crate::domain::name::names_agree;

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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    pub published: bool,
    /// When it had the entry at each stage, in their order.
    pub stages: Vec<(Stage, Timestamp)>,
    pub refused: Option<Refused>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub at: Timestamp,
    pub code: String,
    pub text: Option<String>,
}

/// The decision that an entry published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided<'a> {
    pub effect: &'a Effect,
    pub at: Timestamp,
    pub seq: u64,
}

/// Where a provider stands, and how it came there, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    pub progress: Progress,
    pub steps: Vec<(Timestamp, Progress)>,
}

/// `labels`: the provider's labels of this number, of the kind in dispute.
pub fn course(
    decided: Decided<'_>,
    labels: &[Label],
    told: &Told,
    day_of: impl Fn(Timestamp) -> Date,
) -> Course {
    let in_this_tenure = |label: &Label| match decided.effect {
        Effect::VoidBefore { day } => label.first_marked_on.is_some_and(|first| first >= *day),
        Effect::ClearName | Effect::SetName { .. } => false,
    };
    if !labels.is_empty() && labels.iter().all(in_this_tenure) {
        return Course { progress: Progress::NotCovered, steps: Vec::new() };
    }
    let mut steps = stages(told);
    if let Some(Refused { at, code, text }) = &told.refused {
        steps.push((*at, Progress::RefusedByProvider { code: code.clone(), text: text.clone() }));
    } else {
        // Serving what came later is serving what it takes up.
        let of_this = |label: &&Label| goes_against(label, decided.effect, decided.at, &day_of);
        let again = labels.iter().filter(of_this).filter_map(|label| label.regressed);
        let again = again.filter(|again| again.seq >= decided.seq).map(|again| again.seen_at).min();
        steps.extend(again.map(|at| (at, Progress::Regressed)));
    }
    let unmoved = if told.published { Progress::Published } else { Progress::Pending };
    let progress = steps.last().map_or(unmoved, |(_, progress)| progress.clone());
    Course { progress, steps }
}

/// Stages reached at one moment are one step. None comes after a refusal: what
/// is acknowledged then is the rest of the log.
fn stages(told: &Told) -> Vec<(Timestamp, Progress)> {
    let end = told.refused.as_ref().map_or(Timestamp::MAX, |refused| refused.at);
    let mut steps: Vec<(Timestamp, Progress)> = Vec::new();
    for (stage, at) in told.stages.iter().filter(|(_, at)| *at < end) {
        steps.pop_if(|(before, _)| before == at);
        steps.push((*at, Progress::Acknowledged(*stage)));
    }
    steps
}

/// Whether a label that was just seen has come back. `entries`: the number's,
/// from the one in force back to the one that the provider serves.
pub fn has_regressed(
    label: &Label,
    entries: &[Entry],
    served_at: Timestamp,
    day_of: impl Fn(Timestamp) -> Date,
) -> bool {
    let known = !entries.is_empty() && label.observed_at > served_at;
    known && entries.iter().all(|entry| contradicts(entry, label, &day_of))
}

/// Whether showing a label goes against anything that an entry says.
pub fn contradicts(entry: &Entry, label: &Label, day_of: impl Fn(Timestamp) -> Date) -> bool {
    entry.effects().any(|effect| goes_against(label, &effect, entry.at, &day_of))
}

fn goes_against(
    label: &Label,
    effect: &Effect,
    since: Timestamp,
    day_of: impl Fn(Timestamp) -> Date,
) -> bool {
    let first = label.first_marked_on;
    let name = label.name.as_deref().filter(|_| label.kind == LabelKind::Name);
    match (effect, name) {
        // A mark without a date is not known to be a former holder's.
        (Effect::VoidBefore { day }, _) => first.is_some_and(|first| first < *day),
        (Effect::ClearName, Some(_)) => first.is_none_or(|first| first < day_of(since)),
        (Effect::SetName { name, until }, Some(shown)) => {
            !names_agree(shown, name) && day_of(label.observed_at) <= *until
        }
        (Effect::ClearName | Effect::SetName { .. }, None) => false,
    }
}

#[cfg(test)]
mod tests;
