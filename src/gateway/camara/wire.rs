//! CAMARA's words for our questions, and our words for its answers.
//!
//! Where an answer could be read in two ways it is read as unknown, or as no
//! answer at all; never as yes or no. Nothing of a body is repeated but its
//! error code.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::casework::ports::{Reply, Unavailable};
use crate::domain::evidence::{Answer, Question};
use crate::domain::number::Number;
use crate::domain::uscc::Uscc;
use crate::gateway::exchange::{Received, alarm, later};

const CODE_CHARS_MAX: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    Tenure,
    Recycling,
    Match,
}

impl Api {
    pub fn of(question: &Question) -> Self {
        match question {
            Question::HeldSince { .. } => Self::Tenure,
            Question::ChangedAfter { .. } => Self::Recycling,
            Question::NameIs { .. } | Question::EnterpriseIs { .. } => Self::Match,
        }
    }

    pub fn path(self) -> &'static str {
        match self {
            Self::Tenure => "/kyc-tenure/v0.2/check-tenure",
            Self::Recycling => "/number-recycling/v0.2/check",
            Self::Match => "/kyc-match/v0.4/match",
        }
    }
}

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(super) enum Request<'a> {
    Tenure { phone_number: Number, tenure_date: Date },
    Recycling { phone_number: Number, specified_date: Date },
    Name { phone_number: Number, name: &'a str },
    Enterprise { phone_number: Number, name: &'a str, id_document: Uscc },
}

impl<'a> Request<'a> {
    pub fn new(phone_number: Number, question: &'a Question) -> Self {
        match question {
            Question::HeldSince { day } => Self::Tenure { phone_number, tenure_date: *day },
            Question::ChangedAfter { day } => Self::Recycling { phone_number, specified_date: *day },
            Question::NameIs { name } => Self::Name { phone_number, name },
            Question::EnterpriseIs { name, uscc } => {
                Self::Enterprise { phone_number, name, id_document: *uscc }
            }
        }
    }
}

/// What the operator said, to a token that was as fresh as can be.
pub fn read(question: &Question, received: &Received) -> Result<Reply, Unavailable> {
    if received.status.as_u16() == 200 {
        read_body(question, &received.body)
    } else {
        read_error(question, received)
    }
}

/// All fields that we ask for, of all three APIs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    tenure_date_check: Option<bool>,
    phone_number_recycled: Option<bool>,
    name_match: Option<MatchResult>,
    id_document_match: Option<MatchResult>,
}

/// A score that comes with `false` says how near it was; near is still no.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
enum MatchResult {
    #[serde(rename = "true")]
    Matches,
    #[serde(rename = "false")]
    Differs,
    #[serde(rename = "not_available")]
    NotAvailable,
}

fn read_body(question: &Question, body: &[u8]) -> Result<Reply, Unavailable> {
    let garbage = || later("200: the answer is not what the definition says");
    // serde would read an array as the fields in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(garbage());
    }
    let body: Body = serde_json::from_slice(body).map_err(|_| garbage())?;
    Ok(match question {
        Question::HeldSince { .. } => read_flag("tenureDateCheck", body.tenure_date_check),
        Question::ChangedAfter { .. } => read_flag("phoneNumberRecycled", body.phone_number_recycled),
        Question::NameIs { .. } => read_matches(&[("nameMatch", body.name_match)]),
        Question::EnterpriseIs { .. } => {
            read_matches(&[("nameMatch", body.name_match), ("idDocumentMatch", body.id_document_match)])
        }
    })
}

fn read_flag(field: &str, flag: Option<bool>) -> Reply {
    match flag {
        Some(true) => known(Answer::Yes),
        Some(false) => known(Answer::No),
        None => unknown(format!("{field} missing")),
    }
}

/// One difference is a no; a yes needs all of them.
fn read_matches(results: &[(&str, Option<MatchResult>)]) -> Reply {
    if results.iter().any(|(_, result)| *result == Some(MatchResult::Differs)) {
        return known(Answer::No);
    }
    let doubt = results.iter().find_map(|(field, result)| match result {
        Some(MatchResult::NotAvailable) => Some(format!("{field} not_available")),
        None => Some(format!("{field} missing")),
        Some(_) => None,
    });
    doubt.map_or(known(Answer::Yes), unknown)
}

fn read_error(question: &Question, received: &Received) -> Result<Reply, Unavailable> {
    let status = received.status.as_u16();
    let code = error_code(&received.body);
    let said = if code.is_empty() { status.to_string() } else { format!("{status} {code}") };
    match (status, code.as_str()) {
        // Without the code it is the answer of a server that has no such API.
        (404, "IDENTIFIER_NOT_FOUND" | "NOT_FOUND") | (400, "OUT_OF_RANGE") | (422, _) => Ok(unknown(said)),
        (403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_MISMATCH")
            if matches!(question, Question::EnterpriseIs { .. }) =>
        {
            Ok(known(Answer::No))
        }
        (408 | 429 | 500.., _) => Err(Unavailable { retry_after_s: received.retry_after_s, ..later(said) }),
        // Our credentials, our rights, our request or our address is wrong.
        _ => Err(alarm(said)),
    }
}

/// The error code, if it reads like one: a text of theirs with digits or
/// other letters in it might repeat the number or the name.
fn error_code(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct ErrorInfo {
        code: String,
    }
    let code = serde_json::from_slice(body).map(|ErrorInfo { code }| code).unwrap_or_default();
    let reads_like_one = code.len() <= CODE_CHARS_MAX
        && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b == b'.');
    if reads_like_one { code } else { String::new() }
}

fn known(answer: Answer) -> Reply {
    Reply { answer, detail: None }
}

fn unknown(detail: String) -> Reply {
    Reply { answer: Answer::Unknown, detail: Some(detail) }
}
