//! Filing a dispute: from the body's texts to a `Filing`, field by field, so
//! that whoever sent a wrong one learns which and why.

use http::HeaderMap;
use http::header::HeaderName;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::verifications::created;
use crate::casework::filing::{Filing, Idempotency, Saying};
use crate::domain::dispute::{DisputedLabel, Show};
use crate::domain::name::{parse_name, parse_shown_name};
use crate::domain::numbering::Numbering;
use crate::domain::policy::LABELS_PER_DISPUTE_MAX;
use crate::domain::refusal::Refusal;
use crate::domain::uscc::Uscc;
use crate::http::call::Call;
use crate::http::problem::{Answer, Problem};
use crate::http::service::{Service, private};
use crate::http::text;

const BODY_BYTES_MAX: u64 = 32 * 1024;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Body {
    pub reason: ReasonName,
    pub opened: Option<String>,
    #[serde(default)]
    pub labels: Vec<NamedLabel>,
    pub show: Option<ShowBody>,
    pub note: Option<String>,
    pub contact: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum ReasonName {
    Reassigned,
    NameMismatch,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct NamedLabel {
    pub provider: String,
    pub category: Option<String>,
    pub name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ShowBody {
    pub name: String,
    pub uscc: String,
}

pub(super) async fn file(app: &Service, mut call: Call) -> Answer {
    let (holder, paid) = app.holder(&call).await?;
    let key = idempotency_key(&call.headers)?;
    let (body, bytes) = call.json_and_bytes::<Body>(BODY_BYTES_MAX).await?;
    let filing = body.parse(&app.casework.reference().numbering)?;
    let idempotency = Idempotency { key, body_digest: Sha256::digest(&bytes).into() };
    let from = call.client().prefix().to_string();
    let filed = app.casework.file(&holder, filing, &idempotency, Some(&from)).await?;
    let body = json!({
        "id": filed.id,
        "token": filed.token,
        "status": filed.status,
        "due_on": filed.due_on,
    });
    private(&paid, created(&format!("/v1/disputes/{}", filed.id), &body))
}

pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut lines = headers.get_all(IDEMPOTENCY_KEY).iter();
    let first = lines.next().ok_or(Refusal::IdempotencyKeyMissing)?;
    let key = first.to_str().ok().filter(|key| {
        (1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
    });
    match (key, lines.next()) {
        (Some(key), None) => Ok(key.to_owned()),
        _ => {
            let wanted = format!("send one, of 1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters");
            Err(Problem::field_malformed("Idempotency-Key", format!("Idempotency-Key: {wanted}")))
        }
    }
}

impl Body {
    pub fn parse(self, numbering: &Numbering) -> Result<Filing, Problem> {
        let says = match (self.reason, self.opened, self.show) {
            (ReasonName::Reassigned, opened, None) => {
                let opened = opened.map(|opened| opened.parse()).transpose();
                Saying::Reassigned { opened: opened.map_err(|why| wrong("opened", why))? }
            }
            (ReasonName::NameMismatch, None, show) => {
                Saying::NameMismatch { show: show.map(ShowBody::parse).transpose()? }
            }
            (ReasonName::Reassigned, _, Some(_)) => return Err(foreign("show", "name_mismatch")),
            (ReasonName::NameMismatch, Some(_), _) => return Err(foreign("opened", "reassigned")),
        };
        if self.labels.len() > LABELS_PER_DISPUTE_MAX {
            return Err(wrong("labels", format!("name at most {LABELS_PER_DISPUTE_MAX}")));
        }
        let labels = self.labels.into_iter().enumerate().map(|(place, label)| label.parse(place));
        let labels = labels.collect::<Result<_, _>>()?;
        let note = text::optional("note", self.note.as_deref())?;
        let contact = self.contact.map(|contact| numbering.parse(&contact)).transpose();
        let contact =
            contact.map_err(|why| Problem::from(Refusal::NumberMalformed(why)).with("field", "contact"))?;
        Ok(Filing { says, labels, note, contact })
    }
}

impl NamedLabel {
    pub fn parse(self, place: usize) -> Result<DisputedLabel, Problem> {
        let field = |name: &str| format!("labels[{place}].{name}");
        let provider = self.provider.parse().map_err(|why| wrong(&field("provider"), why))?;
        let category = self.category.map(|category| category.parse()).transpose();
        let category = category.map_err(|why| wrong(&field("category"), why))?;
        let name = self.name.map(|name| parse_name(&name)).transpose();
        let name = name.map_err(|why| wrong(&field("name"), why))?;
        Ok(DisputedLabel { provider, category, name })
    }
}

impl ShowBody {
    fn parse(self) -> Result<Show, Problem> {
        let name = parse_shown_name(&self.name).map_err(|why| wrong("show.name", why))?;
        let uscc = Uscc::parse(&self.uscc).map_err(Refusal::UsccWrong)?;
        Ok(Show { name, uscc })
    }
}

pub(super) fn wrong(field: &str, why: impl std::fmt::Display) -> Problem {
    Problem::field_malformed(field, format!("{field}: {why}"))
}

pub(super) fn foreign(field: &str, reason: &str) -> Problem {
    Problem::field_unknown(format!("{field} belongs to disputes with the reason {reason}"))
}
