//! The records that are kept, each with the key that finds it. Aggregates of
//! the domain (numbers, disputes, labels) are kept as the domain has them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::control::{MessageState, Method};
use crate::domain::dispute::Dispute;
use crate::domain::id::{
    BatchId, DisputeId, FilingId, ModeratorName, OperatorId, ProviderId, SessionId, VerificationId, WebhookId,
};
use crate::domain::label::{Label, LabelKind};
use crate::domain::number::Number;
use crate::domain::number_file::NumberFile;
use crate::domain::progress::Stage;
use crate::domain::webhook::WebhookUrl;
use crate::store::accounts::{AccessKey, Moderator, SecretHash, Session};
use crate::store::figures::{CountedWeek, Counting, Series};
use crate::store::filings::{Cluster, Filing, FilingPart, Trace};
use crate::store::lease::Lease;
use crate::store::task::{Task, TaskKind};

/// An attempt to prove control of a number. Code and phrase are not kept: they
/// are derived from the service's secret and the id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    pub id: VerificationId,
    pub number: Number,
    #[serde(default)]
    pub method: Method,
    /// Over its quota a number is sent nothing, and its verifications match nothing.
    pub sends: bool,
    pub language: String,
    pub tries: u8,
    pub status: VerificationStatus,
    pub started_at: Timestamp,
    /// Of code and phrase while pending, of the holder's token once confirmed.
    pub expires_at: Timestamp,
    /// Whoever asked has been given the token: it is told once.
    #[serde(default)]
    pub token_told: bool,
    /// Of the message with the code.
    #[serde(default)]
    pub delivery: Option<MessageState>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum VerificationStatus {
    Pending,
    Confirmed { at: Timestamp },
    Spent,
}

/// Codes sent to a number and phrases shown for it, for the daily quotas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeCount {
    pub number: Number,
    pub sent_at: Vec<Timestamp>,
    #[serde(default)]
    pub shown_at: Vec<Timestamp>,
    pub expires_at: Timestamp,
}

/// Labels that a provider put or changed since its day began, for the quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelCount {
    pub provider: ProviderId,
    pub taken: u64,
    /// When the next day begins.
    pub expires_at: Timestamp,
}

/// A unique key. Taken where it can be put as a new record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub name: String,
    pub value: String,
    /// `None`: until released.
    pub expires_at: Option<Timestamp>,
}

/// An upload: staged in a file, applied in chunks, resumable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    pub id: BatchId,
    pub operator: OperatorId,
    pub received_at: Timestamp,
    pub state: BatchState,
    /// Bytes of the staged file that are applied.
    pub applied_bytes: u64,
    /// Bytes of it that were looked at once more since, for labels that
    /// arrived at the same moment.
    pub looked_bytes: u64,
    pub tally: Tally,
    /// What the uploader was told, and is told again.
    pub answer: Option<Tally>,
    /// The first of the two who release or discard what is held.
    pub release_asked: Option<ModeratorName>,
    pub discard_asked: Option<ModeratorName>,
    /// The claim that names it.
    #[serde(default)]
    pub claim: Option<String>,
    /// `None`: not before it is over.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    Applying,
    /// Applied but for the lines that are held for two people.
    Held,
    /// Two people released the held lines; they are being applied.
    Releasing,
    Done,
    Discarded,
}

/// What became of an upload's lines; the upload's answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub lines: u64,
    pub accepted: u64,
    pub unchanged: u64,
    pub rejected: u64,
    pub corrections: u64,
    pub held: u64,
    /// The first hundred bad lines and their codes.
    pub errors: Vec<(u64, String)>,
}

/// What an operator has released lately, and when it last spoke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorState {
    pub operator: OperatorId,
    pub last_batch_at: Option<Timestamp>,
    /// Releases published in each of the last hours: (hour, count).
    pub releases: Vec<(Timestamp, u64)>,
}

/// How far a provider has come, and what it is. `Ack`s tell when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderState {
    pub provider: ProviderId,
    /// The size of the log that it has at each stage.
    pub sizes: BTreeMap<Stage, u64>,
    /// How many entries it refused.
    pub refused: u64,
    pub software: Option<String>,
    /// When it last said something new.
    pub acked_at: Timestamp,
}

/// A provider's statement of having come to a size of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    pub provider: ProviderId,
    pub stage: Stage,
    pub size: u64,
    pub at: Timestamp,
    pub software: Option<String>,
}

/// A provider will not follow an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderRefusal {
    pub provider: ProviderId,
    pub seq: u64,
    pub code: String,
    pub text: Option<String>,
    pub at: Timestamp,
}

/// How far the log is published: its newest signed checkpoint, and by whose
/// key. There is one, and within one log it only grows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHead {
    /// The verifier key line, which names the log too.
    pub verifier: String,
    pub size: u64,
    pub root: [u8; 32],
}

/// Where a provider is told of a new checkpoint, and how that goes. The secret
/// that its messages are signed with is not kept: it is derived from the
/// service's secret and the id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    pub id: WebhookId,
    pub provider: ProviderId,
    /// Which of the provider's few places it takes.
    pub place: u8,
    pub url: WebhookUrl,
    pub added_at: Timestamp,
    /// The newest size that the receiver has taken.
    pub told_size: u64,
    pub telling: Option<Telling>,
    /// Not called before: a pause, or a call that is under way.
    pub next_at: Timestamp,
    pub failing: Option<Failing>,
    pub disabled: Option<Disabled>,
}

/// A message: the same in every attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    pub size: u64,
    pub since: Timestamp,
}

/// A receiver has taken nothing since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    pub since: Timestamp,
    pub tries: u32,
    /// Of the last attempt.
    pub why: String,
}

/// Not called any more until it is added again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    pub at: Timestamp,
    pub why: String,
}

impl Record {
    /// When its time is over: it is in no other listing than `Expired` then.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Verification(verification) => Some(verification.expires_at),
            Self::CodeCount(count) => Some(count.expires_at),
            Self::LabelCount(count) => Some(count.expires_at),
            Self::Batch(batch) => batch.expires_at,
            Self::Claim(claim) => claim.expires_at,
            Self::Session(session) => Some(session.expires_at),
            Self::Trace(trace) => Some(trace.expires_at),
            Self::CountedWeek(counted) => Some(counted.expires_at),
            _ => None,
        }
    }
}

impl ProviderState {
    pub fn size(&self, stage: Stage) -> u64 {
        self.sizes.get(&stage).copied().unwrap_or_default()
    }
}

macro_rules! records {
    ($($variant:ident($type:ty) by $key:ty as $of:expr;)*) => {
        /// What finds a record.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Key {
            $($variant($key),)*
        }

        /// As JSON, `{"kind":"log_head","record":{…}}`: for copies of a store.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "kind", content = "record", rename_all = "snake_case")]
        pub enum Record {
            $($variant($type),)*
        }

        impl Record {
            pub fn key(&self) -> Key {
                match self {
                    $(Self::$variant(record) => record.key(),)*
                }
            }
        }

        $(impl Stored for $type {
            type Key = $key;

            fn key_of(key: &Self::Key) -> Key {
                Key::$variant(key.clone())
            }

            fn key(&self) -> Key {
                let of: fn(&$type) -> $key = $of;
                Key::$variant(of(self))
            }

            fn into_record(self) -> Record {
                Record::$variant(self)
            }

            fn from_record(record: Record) -> Option<Self> {
                match record {
                    Record::$variant(record) => Some(record),
                    _ => None,
                }
            }
        })*
    };
}

/// A type of record.
pub trait Stored: Sized {
    type Key;

    fn key_of(key: &Self::Key) -> Key;
    fn key(&self) -> Key;
    fn into_record(self) -> Record;
    fn from_record(record: Record) -> Option<Self>;
}

records! {
    NumberFile(NumberFile) by Number as |file| file.number;
    Label(Label) by (Number, ProviderId, LabelKind) as |label| (label.number, label.provider.clone(), label.kind);
    Dispute(Dispute) by DisputeId as |dispute| dispute.id;
    Verification(Verification) by VerificationId as |verification| verification.id;
    CodeCount(CodeCount) by Number as |count| count.number;
    Claim(Claim) by String as |claim| claim.name.clone();
    AccessKey(AccessKey) by SecretHash as |key| key.hash;
    Moderator(Moderator) by ModeratorName as |moderator| moderator.name.clone();
    Session(Session) by SessionId as |session| session.id;
    Batch(Batch) by BatchId as |batch| batch.id;
    OperatorState(OperatorState) by OperatorId as |state| state.operator.clone();
    Ack(Ack) by (ProviderId, Stage, u64) as |ack| (ack.provider.clone(), ack.stage, ack.size);
    ProviderRefusal(ProviderRefusal) by (ProviderId, u64) as |refusal| (refusal.provider.clone(), refusal.seq);
    Task(Task) by TaskKind as |task| task.kind.clone();
    LogHead(LogHead) by () as |_| ();
    Webhook(Webhook) by (ProviderId, u8) as |webhook| (webhook.provider.clone(), webhook.place);
    LabelCount(LabelCount) by ProviderId as |count| count.provider.clone();
    ProviderState(ProviderState) by ProviderId as |state| state.provider.clone();
    Filing(Filing) by FilingId as |filing| filing.id;
    FilingPart(FilingPart) by (FilingId, u16) as |part| (part.filing, part.nth);
    Trace(Trace) by (Cluster, Timestamp, Uuid) as |trace| (trace.cluster, trace.at, trace.filing);
    Counting(Counting) by Series as |counting| counting.series.clone();
    CountedWeek(CountedWeek) by (Series, Date) as |counted| (counted.series.clone(), counted.week);
    Lease(Lease) by String as |lease| lease.name.clone();
}
