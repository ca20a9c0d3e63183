//! Providers that can be asked what they show for a number now: when its holder
//! looks at the labels, and when a corrected one is looked at again (`probes`).
//!
//! This is the one exchange with the world outside within a request. It never
//! takes longer than two seconds altogether; what was answered lately is not
//! asked again; many who ask the same share one question; and a provider that
//! fails is left alone for a while (`asking`). What an answer shows is an
//! observation like an upload's: it is written down by the same rules before
//! anybody sees it, and an answer that comes too late for its request is
//! written down all the same.

mod asking;
mod probes;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

pub(super) use self::asking::LookUps;
use crate::casework::breaker::Breaker;
use crate::casework::label_changes::Told;
use crate::casework::ports::{LookUp, NoAnswer, Unavailable};
use crate::casework::staging::Staged;
use crate::casework::{Casework, Result, audit};
use crate::domain::id::ProviderId;
use crate::domain::label::LabelKind;
use crate::domain::lines::{LabelSaid, LineFormat};
use crate::domain::number::Number;
use crate::store::Tally;

/// All providers together, with what their answers change.
const ALL_WITHIN: Duration = Duration::from_millis(2_000);
/// One question; what is left is for writing the answer down.
const QUESTION_WITHIN: Duration = Duration::from_millis(1_900);

/// A provider that can be asked.
#[derive(Debug, Clone)]
pub struct AskedProvider {
    pub id: ProviderId,
    pub api: Arc<dyn LookUp>,
}

/// What a provider that is asked is called among the gateways.
pub(super) fn gateway_name(provider: &ProviderId) -> String {
    format!("lookup:{provider}")
}

/// Why a provider is missing from what is shown; a stable word for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    Timeout,
    Unavailable,
    /// It does not let us in; somebody has to look.
    Refused,
    Malformed,
    /// It does not tell of numbers of this kind.
    Unsupported,
}

impl Missing {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
        }
    }
}

impl From<&NoAnswer> for Missing {
    fn from(none: &NoAnswer) -> Self {
        match none {
            NoAnswer::Unavailable(why) if why.alarm => Self::Refused,
            NoAnswer::Unavailable(_) => Self::Unavailable,
            NoAnswer::Malformed => Self::Malformed,
            NoAnswer::Unsupported => Self::Unsupported,
        }
    }
}

/// That a provider's labels are in the store as it shows them now, or why not.
type Outcome = std::result::Result<(), Missing>;

impl Casework {
    /// Brings the store up to what providers show now; those that did not
    /// answer in time are returned, in the order of the configuration.
    pub(super) async fn look_up_all(&self, number: Number) -> Vec<(ProviderId, Missing)> {
        let asked = self.parts.lookups.iter();
        let outcomes = asked.map(|provider| timeout(ALL_WITHIN, self.question(provider, number)));
        let outcomes = join_all(outcomes).await;
        let named = self.parts.lookups.iter().zip(outcomes);
        let missing = named.filter_map(|(provider, outcome)| {
            let why = outcome.unwrap_or(Err(Missing::Timeout)).err()?;
            Some((provider.id.clone(), why))
        });
        missing.collect()
    }

    /// Asks one provider, and writes down what it answers.
    async fn look_up(self, provider: AskedProvider, number: Number) -> Result<Outcome> {
        let gateway = gateway_name(&provider.id);
        let answer = timeout(QUESTION_WITHIN, provider.api.ask(number)).await;
        let said = match answer {
            Ok(Ok(lines)) => self.said(&provider, number, &lines).ok_or(NoAnswer::Malformed),
            Ok(Err(none)) => Err(none),
            Err(_) => {
                self.failed(&gateway, Missing::Timeout, None);
                return Ok(Err(Missing::Timeout));
            }
        };
        match said {
            Ok(said) => {
                self.health.ok(&gateway);
                self.breakers.of(&gateway, Breaker::succeeded);
                self.retrying(|| self.note_shown(&provider.id, number, &said)).await?;
                Ok(Ok(()))
            }
            Err(none) => {
                let missing = Missing::from(&none);
                let pause_s = match &none {
                    NoAnswer::Unavailable(why) => why.retry_after_s,
                    NoAnswer::Malformed | NoAnswer::Unsupported => None,
                };
                // Of a number that it does not tell of it was not even asked.
                if missing != Missing::Unsupported {
                    self.failed(&gateway, missing, pause_s);
                }
                Ok(Err(missing))
            }
        }
    }

    fn failed(&self, gateway: &str, why: Missing, pause_s: Option<u64>) {
        let alarm = matches!(why, Missing::Refused | Missing::Malformed);
        let unavailable = Unavailable { why: why.as_str().to_owned(), retry_after_s: pause_s, alarm };
        self.health.unavailable(gateway, &unavailable);
        self.breakers.of(gateway, |breaker| breaker.failed(self.now(), pause_s));
    }

    /// The answer in full: one label of a kind at most, and none of a kind that
    /// the provider tells of and does not name. One bad label spoils it all, for
    /// nobody knows then what is not shown.
    fn said(
        &self,
        provider: &AskedProvider,
        number: Number,
        lines: &[String],
    ) -> Option<Vec<Staged<LabelSaid>>> {
        let reference = self.reference();
        let (numbering, catalog) = (&reference.numbering, &reference.labels);
        let parse = |line: &String| {
            let today = |number| self.today(number);
            let line = line.as_bytes();
            LabelSaid::parse(line, &LineFormat::Json, &provider.id, numbering, catalog, today).ok()
        };
        let mut said = lines.iter().map(parse).collect::<Option<Vec<_>>>()?;
        let kinds: BTreeSet<LabelKind> = said.iter().map(|said| said.kind).collect();
        let is_whole = kinds.len() == said.len() && said.iter().all(|said| said.number == number);
        let unnamed = provider.api.kinds().iter().filter(|kind| !kinds.contains(kind));
        said.extend(unnamed.map(|kind| LabelSaid { number, kind: *kind, shown: None }));
        let staged = (1..).zip(said).map(|(line, said)| Staged { line, said });
        is_whole.then(|| staged.collect())
    }

    /// By the rules for uploads, and in one commit. What is as it was, and was
    /// seen today already, is not written again.
    async fn note_shown(
        &self,
        provider: &ProviderId,
        number: Number,
        said: &[Staged<LabelSaid>],
    ) -> Result<()> {
        let mut tally = Tally::default();
        let mut changeset = self.label_changes(provider, Told::WhenAsked, said, &mut tally).await?;
        if changeset.puts.is_empty() && changeset.deletes.is_empty() {
            return Ok(());
        }
        let actor = format!("provider:{provider}");
        let subject = format!("number:{}", number.masked());
        changeset.audit.push(audit(self.now(), actor, "labels_looked_up", subject));
        self.commit(changeset).await
    }
}
