//! Use cases: load a snapshot, decide purely, commit once, follow up.
//!
//! Every use case takes an actor (`actors`) as an argument, so that a call
//! without a credential does not compile. What takes long (an SMS, an
//! operator's answer) is a task, committed with its cause and run by `worker`.
//!
//! Absent: HTTP's types and statuses, pages, SQL, rules (they are `domain`'s).

pub mod actors;
mod asking;
pub mod auditing;
pub mod batches;
pub mod breaker;
pub mod checking;
mod clusters;
mod committed;
pub mod control;
pub mod correcting;
pub mod delivery;
pub mod documents;
pub mod everything;
pub mod figures;
pub mod filing;
pub mod filings;
mod fingerprint;
pub mod health;
pub mod housekeeping;
pub mod keys;
mod label_changes;
mod label_quota;
pub mod labels;
mod lanes;
mod load;
pub mod lookups;
mod messages;
mod meters;
pub mod moderation;
pub mod moderators;
pub mod owner;
pub mod ports;
pub mod proof_of_work;
pub mod providers;
pub mod recycling;
pub mod regressed;
mod release_guard;
pub mod reversal;
pub mod secret;
mod sending;
pub mod signatures;
mod sorting;
pub mod staging;
pub mod team;
mod tenure_chunk;
pub mod tenure_upload;
pub mod tenures;
#[cfg(test)]
mod testkit;
pub mod texting;
pub mod throughput;
pub mod uploads;
pub mod view;
mod visitors;
pub mod waiting;
pub mod webhooks;
pub mod worker;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tracing::Instrument;

use crate::casework::asking::gateway_name;
use crate::casework::breaker::Breakers;
use crate::casework::committed::Committed;
use crate::casework::documents::Vault;
use crate::casework::health::Health;
use crate::casework::load::Load;
use crate::casework::lookups::{AskedProvider, LookUps};
use crate::casework::messages::Links;
use crate::casework::meters::Meters;
use crate::casework::ports::{Operator, Sms, Webhooks};
use crate::casework::providers::Seen;
use crate::casework::secret::Secret;
use crate::casework::sending::Sending;
use crate::casework::staging::Staging;
use crate::casework::texting::Texting;
use crate::domain::dispute::{Actor, Dispute, What};
use crate::domain::hex::hex;
use crate::domain::id::OperatorId;
use crate::domain::number::Number;
use crate::domain::number_file::NumberFile;
use crate::domain::reference::Reference;
use crate::domain::refusal::Refusal;
use crate::env::clock::Clock;
use crate::env::correlation;
use crate::env::entropy::Entropy;
use crate::store::{AuditDraft, Changeset, Store, StoreError, Versioned};

/// How often a use case starts over because somebody was faster.
const ATTEMPTS_MAX: u32 = 16;

/// What the casework is made of.
#[derive(Debug)]
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub secret: Secret,
    pub reference: Arc<Reference>,
    pub settings: Settings,
    pub sms: Arc<dyn Sms>,
    pub operators: Vec<AskedOperator>,
    pub lookups: Vec<AskedProvider>,
    pub webhooks: Arc<dyn Webhooks>,
    pub staging: Staging,
    pub vault: Vault,
}

/// An operator whose API answers questions.
#[derive(Debug, Clone)]
pub struct AskedOperator {
    pub id: OperatorId,
    pub follows_ports: bool,
    pub api: Arc<dyn Operator>,
}

/// Limits and choices of the service's owner; 0 switches a limit off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// And as many phrases to be sent from it.
    pub codes_per_number_per_day: u32,
    pub filings_per_number_per_90_days: u32,
    /// More than so many are flagged for moderators, and wait a while.
    pub cluster_filings_per_30_days: u32,
    /// Of the whole service.
    pub sms_per_minute: u32,
    pub releases_per_operator_per_day: u64,
    /// For each provider.
    pub recycling_dates_per_number_per_day: u32,
    pub labels_per_provider_per_day: u64,
    /// Of approvals by one person, one in so many is drawn for a second look.
    pub approvals_per_second_look: u32,
    /// Publish a release also where no label and no correction is known.
    pub publish_all_releases: bool,
    /// The proof of work's effort while little is asked for; it rises with
    /// the share of `sms_per_minute` that is.
    pub altcha_max_number: u64,
}

#[derive(Debug, Clone)]
pub struct Casework {
    parts: Arc<Parts>,
    /// Wakes the worker after a commit that left it something to do.
    work: Arc<Notify>,
    /// Wakes whoever tells webhooks.
    webhook_added: Arc<Notify>,
    sending: Arc<Sending>,
    /// Verifications that were started lately.
    load: Arc<Load>,
    seen: Arc<Seen>,
    /// How holders send SMS to us, if they can.
    texting: Option<Arc<Texting>>,
    /// What messages point to.
    links: Option<Arc<Links>>,
    lookups: Arc<LookUps>,
    breakers: Arc<Breakers>,
    health: Arc<Health>,
    figures: Arc<figures::Told>,
    meters: Arc<Meters>,
    committed: Arc<Committed>,
    /// Other instances share the store, the staging folder and the documents.
    has_others: bool,
    /// How many there are with this one, as far as is told.
    instances: u32,
}

/// Why a use case did not end well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too much to do; nothing was changed.
    #[error("busy: {0}")]
    Busy(&'static str),
    /// More than the store takes, now or ever: a fault of ours, not the end.
    #[error("too large: {0}")]
    TooLarge(&'static str),
    /// Somebody was faster; starting over may help.
    #[error("a record has changed since it was read")]
    Stale,
    #[error("{0}")]
    Fatal(String),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale => Self::Stale,
            StoreError::Busy(why) => Self::Busy(why),
            // As after a crash: whoever asks again is told what became of it.
            StoreError::Unsure => Self::Busy("the store does not say whether it took this"),
            StoreError::TooLarge(what) => Self::TooLarge(what),
            StoreError::Lapsed(why) => Self::Busy(why),
            StoreError::Fatal(why) => Self::Fatal(why),
        }
    }
}

pub type Result<T> = std::result::Result<T, Error>;

impl Casework {
    pub fn new(parts: Parts) -> Self {
        let health = Health::new(parts.clock.clone());
        health.expect(health::SMS);
        parts.operators.iter().for_each(|operator| health.expect(&gateway_name(&operator.id)));
        parts.lookups.iter().for_each(|provider| health.expect(&lookups::gateway_name(&provider.id)));
        Self {
            parts: Arc::new(parts),
            work: Arc::default(),
            webhook_added: Arc::default(),
            sending: Arc::default(),
            load: Arc::default(),
            seen: Arc::default(),
            texting: None,
            links: None,
            lookups: Arc::default(),
            breakers: Arc::default(),
            health: Arc::new(health),
            figures: Arc::default(),
            meters: Arc::default(),
            committed: Arc::default(),
            has_others: false,
            instances: 1,
        }
    }

    /// One of so many instances, or of more: what is due is claimed before it is
    /// done, and what others may be at work on is left alone.
    pub fn with_others(self, instances: u32) -> Self {
        Self { has_others: true, instances, ..self }
    }

    /// Takes what holders send to this number and the gateway hands over.
    pub fn with_texting(self, texting: Texting) -> Self {
        Self { texting: Some(Arc::new(texting)), ..self }
    }

    /// Messages name the page to look at, below this address.
    pub fn with_public_url(self, public_url: String) -> Self {
        Self { links: Some(Arc::new(Links::new(public_url))), ..self }
    }

    pub fn reference(&self) -> &Reference {
        &self.parts.reference
    }

    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// The civil day where the number is.
    pub fn today(&self, number: Number) -> Date {
        self.day_of(number, self.now())
    }

    fn day_of(&self, number: Number, at: Timestamp) -> Date {
        self.reference().numbering.today(number, at)
    }

    fn rest_days(&self, number: Number) -> i32 {
        self.reference().numbering.rest_days(number)
    }

    fn store(&self) -> &dyn Store {
        self.parts.store.as_ref()
    }

    fn new_uuid(&self) -> uuid::Uuid {
        crate::env::entropy::uuid_v7(self.parts.clock.as_ref(), self.parts.entropy.as_ref())
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.parts.entropy.fill(&mut bytes);
        bytes
    }

    /// Runs a use case anew while somebody else's commit makes it stale.
    async fn retrying<T, F>(&self, mut attempt: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        for _ in 0..ATTEMPTS_MAX {
            match attempt().await {
                Err(Error::Stale) => {}
                done => return done,
            }
        }
        Err(Error::Busy("too many changes of the same record at once"))
    }

    async fn number_file(&self, number: Number) -> Result<Versioned<NumberFile>> {
        let found = self.store().load::<NumberFile>(&number).await?;
        Ok(found.unwrap_or_else(|| Versioned::new(NumberFile::new(number))))
    }

    /// Returns once all that could have been read is durable.
    pub async fn barrier(&self) -> Result<()> {
        self.commit(Changeset::default()).await
    }

    /// The commit that the store's high-water mark stands at; `None` where the
    /// store has none.
    pub fn high_water_mark(&self) -> Option<u64> {
        self.store().mark().map(|mark| mark.commit)
    }

    fn wake_worker(&self) {
        self.work.notify_one();
    }
}

/// Does work to its end, also when nobody waits for the answer any more.
async fn unattended<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    let work = correlation::with(correlation::current(), work).in_current_span();
    tokio::spawn(work).await.map_err(|error| Error::Fatal(format!("unattended work: {error}")))?
}

/// Appends an event to a dispute and a line about it to the audit.
fn record(changeset: &mut Changeset, dispute: &mut Dispute, at: Timestamp, actor: Actor, what: What) {
    dispute.apply(at, actor, what);
    let event = dispute.events.last().expect("an event was just appended");
    let json = serde_json::to_value(event).expect("events always serialize");
    let action = json["what"]["event"].as_str().unwrap_or("event").to_owned();
    let actor = match &event.actor {
        Actor::Holder => "holder".to_owned(),
        Actor::Rule => "rule".to_owned(),
        Actor::Moderator { name } => format!("moderator:{name}"),
    };
    let digest = Some(hex(&Sha256::digest(json.to_string())));
    let subject = format!("dispute:{}", dispute.id);
    changeset.audit.push(AuditDraft { at, actor, action, subject, digest });
}

fn audit(at: Timestamp, actor: impl Into<String>, action: &str, subject: impl Into<String>) -> AuditDraft {
    let (actor, subject) = (actor.into(), subject.into());
    AuditDraft { at, actor, action: action.to_owned(), subject, digest: None }
}
