//! The operator's desk: who may ask, whether the question is well-formed, and
//! the answer out of the table.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use http::StatusCode;
use jiff::civil::Date;
use jiff::tz::offset;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::cli::demo::stand_in::{Api, Asked, Contract, StandInConfig, records};
use crate::domain::number::Number;

const ASKED_MAX: usize = 1000;

/// The definitions' OUT_OF_RANGE, and their test cases': a future date is one.
const OUT_OF_RANGE: Refused = Refused(StatusCode::BAD_REQUEST, "OUT_OF_RANGE");
const INVALID_ARGUMENT: Refused = Refused(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT");
const INVALID_PARAM_COMBINATION: Refused =
    Refused(StatusCode::BAD_REQUEST, "KNOW_YOUR_CUSTOMER.INVALID_PARAM_COMBINATION");
const UNAUTHENTICATED: Refused = Refused(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED");
const PERMISSION_DENIED: Refused = Refused(StatusCode::FORBIDDEN, "PERMISSION_DENIED");
const IDENTIFIER_NOT_FOUND: Refused = Refused(StatusCode::NOT_FOUND, "IDENTIFIER_NOT_FOUND");
const MISSING_IDENTIFIER: Refused = Refused(StatusCode::UNPROCESSABLE_ENTITY, "MISSING_IDENTIFIER");

/// A status and CAMARA's code, or OAuth's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused(pub StatusCode, pub &'static str);

impl Refused {
    pub fn malformed() -> Self {
        INVALID_ARGUMENT
    }

    /// The code that usually comes with a status.
    fn with_status(status: StatusCode) -> Self {
        let code = match status.as_u16() {
            400 => "INVALID_ARGUMENT",
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "IDENTIFIER_NOT_FOUND",
            422 => "SERVICE_NOT_APPLICABLE",
            429 => "TOO_MANY_REQUESTS",
            503 => "UNAVAILABLE",
            _ => "INTERNAL",
        };
        Self(status, code)
    }
}

pub(super) struct Desk {
    config: StandInConfig,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    histories: BTreeMap<Number, Vec<Contract>>,
    failing: BTreeMap<Number, StatusCode>,
    tokens: BTreeMap<String, Token>,
    issued: u64,
    asked: VecDeque<Asked>,
    asked_count: u64,
}

struct Token {
    expires_at: Timestamp,
    scopes: String,
}

impl Desk {
    pub fn new(config: StandInConfig) -> Self {
        Self { config, table: Mutex::default() }
    }

    pub fn set(&self, number: Number, history: Vec<Contract>) {
        self.table().histories.insert(number, history);
    }

    pub fn fail(&self, number: Number, status: Option<StatusCode>) {
        let failing = &mut self.table().failing;
        match status {
            Some(status) => failing.insert(number, status),
            None => failing.remove(&number),
        };
    }

    pub fn revoke_tokens(&self) {
        self.table().tokens.clear();
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.table().asked.iter().cloned().collect()
    }

    pub fn asked_count(&self) -> u64 {
        self.table().asked_count
    }

    /// RFC 6749 §4.4: `basic` is what follows "Basic ", `form` the body.
    pub fn token(&self, basic: Option<&str>, form: &[u8]) -> Result<Value, Refused> {
        let wrong = |error| Refused(StatusCode::BAD_REQUEST, error);
        if !basic.is_some_and(|basic| self.is_client(basic)) {
            return Err(Refused(StatusCode::UNAUTHORIZED, "invalid_client"));
        }
        let form: BTreeMap<_, _> = form_urlencoded::parse(form).collect();
        match form.get("grant_type").map(AsRef::as_ref) {
            Some("client_credentials") => {}
            Some(_) => return Err(wrong("unsupported_grant_type")),
            None => return Err(wrong("invalid_request")),
        }
        let scopes = form.get("scope").map(AsRef::as_ref).unwrap_or_default();
        if !scopes.split(' ').all(|scope| Api::ALL.iter().any(|api| api.scope() == scope)) {
            return Err(wrong("invalid_scope"));
        }
        let life_s = self.config.token_life_s;
        let access_token = self.issue(scopes, life_s);
        Ok(
            json!({"access_token": access_token, "token_type": "Bearer", "expires_in": life_s, "scope": scopes}),
        )
    }

    /// One call of an API: `bearer` is what follows "Bearer ".
    pub fn answer(
        &self,
        api: Api,
        bearer: Option<&str>,
        correlator: Option<&str>,
        body: &[u8],
    ) -> Result<Value, Refused> {
        self.authorise(api, bearer)?;
        let body: Body = serde_json::from_slice(body).map_err(|_| INVALID_ARGUMENT)?;
        let day = body.day(api)?;
        let number = match &body.phone_number {
            None => return Err(MISSING_IDENTIFIER),
            Some(text) if is_phone_number(text) => text[1..].parse().ok().and_then(Number::from_digits),
            Some(_) => return Err(INVALID_ARGUMENT),
        };
        let number = number.ok_or(IDENTIFIER_NOT_FOUND)?;
        let mut table = self.table();
        table.note(Asked { api, number, day, correlator: correlator.map(str::to_owned) });
        if let Some(status) = table.failing.get(&number) {
            return Err(Refused::with_status(*status));
        }
        let history = table.histories.get(&number).filter(|history| !history.is_empty());
        let history = history.ok_or(IDENTIFIER_NOT_FOUND)?;
        self.look_up(history, day, &body, api)
    }

    fn look_up(
        &self,
        history: &[Contract],
        day: Option<Date>,
        body: &Body,
        api: Api,
    ) -> Result<Value, Refused> {
        let today = offset(8).to_datetime((self.config.now)()).date();
        if day.is_some_and(|day| day < self.config.records_from || day > today) {
            return Err(OUT_OF_RANGE);
        }
        // Nobody's: a number at rest has no customer to speak of.
        let present = records::on(history, today).ok_or(IDENTIFIER_NOT_FOUND);
        Ok(match (api, day) {
            (Api::Recycling, Some(day)) => {
                json!({"phoneNumberRecycled": records::changed_after(history, day, today)})
            }
            (Api::Tenure, Some(day)) => json!({"tenureDateCheck": records::held_since(present?, day)}),
            (Api::Match, _) => body.matches(present?)?,
            (Api::Recycling | Api::Tenure, None) => return Err(INVALID_ARGUMENT),
        })
    }

    fn is_client(&self, basic: &str) -> bool {
        let Some(text) = BASE64_STANDARD.decode(basic).ok().and_then(|bytes| String::from_utf8(bytes).ok())
        else {
            return false;
        };
        // Both halves are form-encoded (RFC 6749 §2.3.1): read them as a pair.
        let pair = text.replacen(':', "=", 1);
        form_urlencoded::parse(pair.as_bytes())
            .eq([(self.config.client_id.as_str().into(), self.config.client_secret.as_str().into())])
    }

    fn issue(&self, scopes: &str, life_s: u64) -> String {
        let now = (self.config.now)();
        let life = SignedDuration::from_secs(i64::try_from(life_s).unwrap_or(i64::MAX));
        let expires_at = now.saturating_add(life).unwrap_or(Timestamp::MAX);
        let mut table = self.table();
        table.tokens.retain(|_, token| now < token.expires_at);
        table.issued += 1;
        let mut mac = Hmac::<Sha256>::new_from_slice(self.config.client_secret.as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(&table.issued.to_be_bytes());
        let text = BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        table.tokens.insert(text.clone(), Token { expires_at, scopes: scopes.to_owned() });
        text
    }

    fn authorise(&self, api: Api, bearer: Option<&str>) -> Result<(), Refused> {
        let table = self.table();
        let token = bearer.and_then(|bearer| table.tokens.get(bearer));
        let token = token.filter(|token| (self.config.now)() < token.expires_at).ok_or(UNAUTHENTICATED)?;
        let may = token.scopes.split(' ').any(|scope| scope == api.scope());
        if may { Ok(()) } else { Err(PERMISSION_DENIED) }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Table {
    fn note(&mut self, asked: Asked) {
        self.asked_count += 1;
        if self.asked.len() == ASKED_MAX {
            self.asked.pop_front();
        }
        self.asked.push_back(asked);
    }
}

impl Api {
    pub(super) const ALL: [Self; 3] = [Self::Tenure, Self::Recycling, Self::Match];

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Tenure => "/kyc-tenure/v0.2/check-tenure",
            Self::Recycling => "/number-recycling/v0.2/check",
            Self::Match => "/kyc-match/v0.4/match",
        }
    }

    fn scope(self) -> &'static str {
        match self {
            Self::Tenure => "kyc-tenure:check-tenure",
            Self::Recycling => "number-recycling:check",
            Self::Match => "kyc-match:match",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    phone_number: Option<String>,
    tenure_date: Option<String>,
    specified_date: Option<String>,
    name: Option<String>,
    id_document: Option<String>,
}

impl Body {
    fn day(&self, api: Api) -> Result<Option<Date>, Refused> {
        let text = match api {
            Api::Tenure => &self.tenure_date,
            Api::Recycling => &self.specified_date,
            Api::Match => return Ok(None),
        };
        let text = text.as_deref().ok_or(INVALID_ARGUMENT)?;
        let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text);
        day.map(Some).ok_or(INVALID_ARGUMENT)
    }

    /// Only what was asked for is answered.
    fn matches(&self, contract: &Contract) -> Result<Value, Refused> {
        let mut results = serde_json::Map::new();
        if let Some(name) = &self.name {
            let result = records::match_result(name, Some(&contract.name));
            results.insert("nameMatch".to_owned(), result.into());
        }
        if let Some(document) = &self.id_document {
            let result = records::match_result(document, contract.uscc.as_ref().map(|uscc| uscc.as_str()));
            results.insert("idDocumentMatch".to_owned(), result.into());
        }
        if results.is_empty() { Err(INVALID_PARAM_COMBINATION) } else { Ok(results.into()) }
    }
}

/// `^\+[1-9][0-9]{4,14}$`
fn is_phone_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (5..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit())
    })
}
