//! A dispute (申诉): one holder, one number, one reason. Its status is a fold
//! of append-only events (`state`); what may happen next is `decide`.

mod control;
mod decide;
mod documents;
mod state;

pub use control::{Control, Enterprise};
pub use decide::{Command, Ruling, Weighing};
pub use state::{Refused, State};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::cluster::ClusterSeen;
use crate::domain::correction::Effect;
use crate::domain::document::Document;
use crate::domain::evidence::{Assurance, Evidence};
use crate::domain::id::{DisputeId, ModeratorName, ProviderId};
use crate::domain::label::Category;
use crate::domain::language::Language;
use crate::domain::number::Number;
use crate::domain::opened::Opened;
use crate::domain::uscc::Uscc;
use crate::domain::window::Window;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Reassigned,
    NameMismatch,
}

/// What the holder says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Claim {
    /// The number was somebody else's before. Without `opened` the ledger has
    /// to know.
    Reassigned { opened: Option<Opened>, window: Option<Window> },
    /// The displayed name is not the subscriber's. An enterprise may ask to
    /// `show` its own.
    NameMismatch { show: Option<Show> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Show {
    pub name: String,
    pub uscc: Uscc,
}

/// A label that the holder names; it need not be known to us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputedLabel {
    pub provider: ProviderId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    pub id: DisputeId,
    pub number: Number,
    pub claim: Claim,
    #[serde(default, skip_serializing_if = "Control::is_code")]
    pub control: Control,
    pub labels: Vec<DisputedLabel>,
    /// Whose progress the holder follows: named, or showing something when filed.
    pub providers: Vec<ProviderId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Gets messages once it is verified; else the number itself does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Number>,
    /// Of messages: the one in which control was proved.
    #[serde(default, skip_serializing_if = "Language::is_zh")]
    pub language: Language,
    /// When the holder who filed had proved control; the token is made of it.
    pub control_proved_at: Timestamp,
    pub filed_at: Timestamp,
    pub answer_due_on: Date,
    pub due_on: Date,
    pub events: Vec<Event>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
}

/// A moderator has the case in hand until then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    pub by: ModeratorName,
    pub until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub at: Timestamp,
    pub actor: Actor,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Actor {
    Holder,
    Rule,
    Moderator { name: ModeratorName },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    Filed,
    /// The operator's match proved an enterprise's control.
    ControlProved,
    /// There were other filings like it. For moderators only.
    Flagged {
        why: Vec<ClusterSeen>,
    },
    Answered(Evidence),
    /// Not known yet where it may become known: asked again at `next_at`.
    AskingAgain {
        next_at: Timestamp,
    },
    SentToReview {
        flags: Vec<Flag>,
    },
    DocumentsAsked {
        ruling: Ruling,
        until: Date,
    },
    DocumentsGiven {
        #[serde(default)]
        documents: Vec<Document>,
    },
    /// Of all that was given nothing is left but what is in this story.
    DocumentsPurged,
    /// The first of two signatures.
    ApprovedOnce {
        ruling: Ruling,
    },
    /// The second person would not sign.
    SecondRefused {
        ruling: Ruling,
    },
    Approved {
        effect: Effect,
        assurance: Assurance,
        ruling: Option<Ruling>,
    },
    Refused(Refused),
    /// A moderator would approve, but on answers that have grown old.
    RecheckAsked,
    Withdrawn {
        by_new_tenure: bool,
    },
    Appealed {
        text: String,
    },
    Reverted {
        reason: String,
    },
}

/// Why a case needs people, or two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// No operator could answer.
    OperatorUnknown,
    /// The operator's answers do not see through a port.
    Ported,
    /// The ledger says the number is nobody's, and somebody holds it.
    LedgerLate,
    /// No change of hands before the rest: a reinstatement (复装)?
    Reinstatement,
    /// A number at rest makes no calls, yet harm was reported from it then.
    HarmAtRest,
    /// Marked while it was at rest, and not quiet for as long since; or first
    /// marked while its operator's lines say that it was nobody's.
    MarkedAtRest,
    /// A displayed name whose source nobody told.
    NameSourceUnknown,
    /// A crowd's warning in the shape of a name.
    NameIsWarning,
    /// Some of the displayed names are the subscriber's, some are not.
    NamesMixed,
    /// Two people took back what the rules would say now.
    RevertedBefore,
    /// No operator could say whether the number is the enterprise's.
    ControlUnproved,
    /// Many filings of late for numbers next to this one.
    NeighboursCluster,
    /// Many from the network prefix that this one came from.
    AddressCluster,
    /// Many with the same contact.
    ContactCluster,
    Appeal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Checking,
    InReview,
    NeedsEvidence,
    AwaitingSecond,
    Corrected,
    Refused,
    Withdrawn,
    Reverted,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::InReview => "in_review",
            Self::NeedsEvidence => "needs_evidence",
            Self::AwaitingSecond => "awaiting_second",
            Self::Corrected => "corrected",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Reverted => "reverted",
        }
    }

    /// Still waiting for somebody's decision.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Checking | Self::InReview | Self::NeedsEvidence | Self::AwaitingSecond)
    }

    /// Waiting for a moderator.
    pub fn is_queued(self) -> bool {
        matches!(self, Self::InReview | Self::AwaitingSecond)
    }
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reassigned => "reassigned",
            Self::NameMismatch => "name_mismatch",
        }
    }
}

impl Dispute {
    pub fn reason(&self) -> Reason {
        match self.claim {
            Claim::Reassigned { .. } => Reason::Reassigned,
            Claim::NameMismatch { .. } => Reason::NameMismatch,
        }
    }

    pub fn window(&self) -> Option<Window> {
        match self.claim {
            Claim::Reassigned { window, .. } => window,
            Claim::NameMismatch { .. } => None,
        }
    }

    /// The names that the holder says are not theirs.
    pub fn disputed_names(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().filter_map(|label| label.name.as_deref())
    }

    /// The rules sent it to people for want of an answer that may yet come,
    /// and nobody has done anything about it since.
    pub fn waits_for_an_operator<'a>(&self, state: &'a State) -> Option<&'a Evidence> {
        let is_as_sent = self.events.last().is_some_and(|event| {
            event.actor == Actor::Rule && matches!(event.what, What::SentToReview { .. })
        });
        state.evidence.iter().find(|evidence| is_as_sent && evidence.is_silence())
    }

    pub fn apply(&mut self, at: Timestamp, actor: Actor, what: What) {
        self.events.push(Event { at, actor, what });
    }

    pub fn lease_of(&self, moderator: &ModeratorName, now: Timestamp) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| lease.by == *moderator && now < lease.until)
    }

    pub fn is_leased(&self, now: Timestamp) -> bool {
        self.lease.as_ref().is_some_and(|lease| now < lease.until)
    }
}

#[cfg(test)]
mod tests;
