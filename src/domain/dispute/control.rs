//! How control (控制权) of the disputed number is proved: a code sent to it
//! before the filing, or the operator's match of an enterprise's name and
//! credit code, asked for after it.
//!
//! Until it is proved, whoever filed learns nothing about the number.

use serde::{Deserialize, Serialize};

use crate::domain::dispute::{Dispute, Refused, What};
use crate::domain::evidence::{Answer, Question};
use crate::domain::id::FilingId;
use crate::domain::uscc::Uscc;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Control {
    /// Proved before the dispute was filed.
    #[default]
    Code,
    /// Filed in a list by an enterprise, on the word of its contact.
    Enterprise {
        #[serde(flatten)]
        enterprise: Enterprise,
        filing: FilingId,
    },
}

/// An enterprise by its registered name and its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enterprise {
    pub name: String,
    pub uscc: Uscc,
}

impl Control {
    pub fn is_code(&self) -> bool {
        *self == Self::Code
    }

    pub fn enterprise(&self) -> Option<&Enterprise> {
        match self {
            Self::Code => None,
            Self::Enterprise { enterprise, .. } => Some(enterprise),
        }
    }

    /// The list that the dispute came with.
    pub fn filing(&self) -> Option<FilingId> {
        match self {
            Self::Code => None,
            Self::Enterprise { filing, .. } => Some(*filing),
        }
    }

    /// Whether both are the same party's: a code's bearer, or one enterprise.
    pub fn is_same_party(&self, other: &Self) -> bool {
        self.enterprise().map(|one| one.uscc) == other.enterprise().map(|other| other.uscc)
    }
}

impl Enterprise {
    /// Asked before anything else about the number.
    pub fn question(&self) -> Question {
        Question::EnterpriseIs { name: self.name.clone(), uscc: self.uscc }
    }
}

impl Dispute {
    /// What the beginning of the next tenure does to it. Whoever has not
    /// proved control does not learn of that.
    pub fn closed_by_new_tenure(&self) -> What {
        if self.is_control_proved() {
            return What::Withdrawn { by_new_tenure: true };
        }
        let note = Some("the number has a new holder".to_owned());
        What::Refused(Refused { code: "control_unproved".to_owned(), public_note: None, note })
    }

    /// Whether whoever filed may be told about the number. People who approve
    /// without the operator's match have seen documents.
    pub fn is_control_proved(&self) -> bool {
        let Some(enterprise) = self.control.enterprise() else { return true };
        let question = enterprise.question();
        self.events.iter().fold(false, |proved, event| match &event.what {
            What::ControlProved | What::Approved { .. } => true,
            What::Answered(evidence) if evidence.question == question => {
                proved && evidence.answer != Answer::No
            }
            _ => proved,
        })
    }
}
