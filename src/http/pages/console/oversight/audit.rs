//! The audit, the newest line first: narrowed by who, what, whom and when.
//! Only what was recomputed is said to hold.

use askama::Template;
use http::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::super::desk::Desk;
use crate::casework::auditing::{
    AUDIT_LINES_PER_EXPORT_MAX, AUDIT_LINES_SEARCHED_PER_EXPORT_MAX, AuditFilter, AuditFound,
};
use crate::http::pages::shell::{Shell, page};
use crate::http::pages::visit::Visit;
use crate::http::problem::Answer;
use crate::http::query::{blank_is_none, blank_is_none_parsed};
use crate::http::service::Service;

const PLACE: &str = "/console/audit";
const LINES_PER_PAGE: usize = 50;
/// Of a hash, enough to compare two by eye; exports have all of it.
const HASH_CHARS_SHOWN: usize = 12;

/// What is looked for, as the address says it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Wanted {
    #[serde(default, deserialize_with = "blank_is_none", skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    #[serde(default, deserialize_with = "blank_is_none", skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    #[serde(default, deserialize_with = "blank_is_none", skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, deserialize_with = "blank_is_none_parsed", skip_serializing_if = "Option::is_none")]
    from: Option<Date>,
    #[serde(default, deserialize_with = "blank_is_none_parsed", skip_serializing_if = "Option::is_none")]
    to: Option<Date>,
    /// Lines before this one.
    #[serde(default, deserialize_with = "blank_is_none_parsed", skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
}

#[derive(Template)]
#[template(path = "console/oversight/audit.html")]
struct AuditPage<'a> {
    shell: &'a Shell,
    desk: &'a Desk,
    wanted: &'a Wanted,
    found: &'a AuditFound,
    is_narrowed: bool,
    /// The search stopped before it had found a page of lines.
    is_short: bool,
    /// The same from its end; and what is older than this page.
    newest: String,
    older: Option<String>,
    as_csv: String,
    as_ndjson: String,
    export_lines_max: usize,
    export_searched_max: u64,
}

impl AuditPage<'_> {
    /// To the second, as a clock on the wall here shows it.
    fn moment(&self, at: &Timestamp) -> String {
        self.shell.zone.to_datetime(*at).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    fn start<'h>(&self, hash: &'h str) -> &'h str {
        hash.get(..HASH_CHARS_SHOWN).unwrap_or(hash)
    }

    /// All that somebody did, from the end of the audit.
    fn by(&self, actor: &str) -> String {
        Wanted { actor: Some(actor.to_owned()), ..Wanted::default() }.link(PLACE, None)
    }

    /// All that was done to one thing.
    fn about(&self, subject: &str) -> String {
        Wanted { subject: Some(subject.to_owned()), ..Wanted::default() }.link(PLACE, None)
    }

    fn day(&self, field: &Option<Date>) -> String {
        field.map(|day| day.to_string()).unwrap_or_default()
    }
}

pub(super) async fn show(app: &Service, visit: &Visit) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let wanted: Wanted = visit.call.query()?;
    let filter = wanted.filter();
    let found = app.casework.search_audit(&desk.moderator, &filter, wanted.before, LINES_PER_PAGE).await?;
    let older = Wanted { before: Some(found.searched.start), ..wanted.clone() };
    let view = AuditPage {
        shell: &visit.shell,
        desk: &desk,
        is_narrowed: filter != AuditFilter::default(),
        is_short: found.lines.len() < LINES_PER_PAGE,
        newest: Wanted { before: None, ..wanted.clone() }.link(PLACE, None),
        older: found.is_cut.then(|| older.link(PLACE, None)),
        as_csv: wanted.link("/console/audit/export", Some("csv")),
        as_ndjson: wanted.link("/console/audit/export", Some("ndjson")),
        export_lines_max: AUDIT_LINES_PER_EXPORT_MAX,
        export_searched_max: AUDIT_LINES_SEARCHED_PER_EXPORT_MAX,
        wanted: &wanted,
        found: &found,
    };
    page(StatusCode::OK, &view)
}

impl Wanted {
    pub fn filter(&self) -> AuditFilter {
        let Self { actor, action, subject, from, to, before: _ } = self.clone();
        AuditFilter { actor, action, subject, from, to }
    }

    fn link(&self, place: &str, format: Option<&str>) -> String {
        let format = format.map(|format| format!("format={format}"));
        let query = serde_urlencoded::to_string(self).ok().filter(|query| !query.is_empty());
        let query: Vec<String> = format.into_iter().chain(query).collect();
        if query.is_empty() { place.to_owned() } else { format!("{place}?{}", query.join("&")) }
    }
}
