//! The whole queue: how much waits, for what and since when, and case by case.

use askama::Template;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::super::desk::Desk;
use super::words;
use crate::casework::moderation::Queue;
use crate::casework::waiting::{WaitingCase, WaitingFilter};
use crate::domain::dispute::{Flag, Status};
use crate::http::pages::shell::{Shell, page};
use crate::http::pages::visit::Visit;
use crate::http::pages::words::reason;
use crate::http::problem::Answer;
use crate::http::query;
use crate::http::service::Service;
use crate::http::words::flag;

const PLACE: &str = "/console/queue";
const QUEUED: [Status; 2] = [Status::InReview, Status::AwaitingSecond];

/// What the list is narrowed to, as the address says it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Wanted {
    #[serde(default, deserialize_with = "query::blank_is_none", skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(default, deserialize_with = "query::blank_is_none", skip_serializing_if = "Option::is_none")]
    flag: Option<Flag>,
    #[serde(default, deserialize_with = "query::blank_is_none", skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// A line of a table with a bar.
struct Bar {
    name: &'static str,
    /// More about it.
    hint: &'static str,
    /// The list of just these.
    link: Option<String>,
    cases: u64,
    /// Of 100, which is the longest.
    width: u64,
}

/// A choice to narrow the list by.
struct Choice {
    value: String,
    name: &'static str,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "console/oversight/queue.html")]
struct QueuePage<'a> {
    shell: &'a Shell,
    desk: &'a Desk,
    queue: &'a Queue,
    waiting: u64,
    by_status: Vec<Bar>,
    by_flag: Vec<Bar>,
    by_age: Vec<Bar>,
    statuses: Vec<Choice>,
    flags: Vec<Choice>,
    cases: &'a [WaitingCase],
    is_narrowed: bool,
    /// The list does not begin here.
    is_further: bool,
    next: Option<String>,
    appeals: String,
    seconds: String,
}

impl QueuePage<'_> {
    fn status(&self, case: &WaitingCase) -> &'static str {
        self.shell.words(&words::status(case.status))
    }

    fn flag(&self, flag: &Flag) -> &'static str {
        self.shell.words(&words::flag(*flag))
    }

    fn reason(&self, case: &WaitingCase) -> &'static str {
        self.shell.words(&reason(case.reason))
    }
}

pub(super) async fn show(app: &Service, visit: &Visit) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let wanted: Wanted = visit.call.query()?;
    let queue = app.casework.queue(&desk.moderator).await?;
    let filter = WaitingFilter { status: wanted.status, flag: wanted.flag };
    let after = query::cursor(wanted.after.as_deref())?;
    let found = app.casework.waiting_cases(&desk.moderator, filter, after).await?;
    let shell = &visit.shell;
    let next = query::next(found.next).map(|after| Wanted { after: Some(after), ..wanted.clone() }.link());
    let by_age = words::AGES.iter().map(|(class, name)| {
        let cases = queue.by_age_days.get(class).copied().unwrap_or_default();
        (shell.words(name), "", None, cases)
    });
    let by_status = QUEUED.iter().map(|status| {
        let cases = queue.by_status.get(status).copied().unwrap_or_default();
        (shell.words(&words::status(*status)), "", Some(of_status(*status)), cases)
    });
    let by_flag = queue.by_flag.iter().map(|(why, cases)| {
        (shell.words(&words::flag(*why)), shell.words(&flag(*why)), Some(of_flag(*why)), *cases)
    });
    let view = QueuePage {
        shell,
        desk: &desk,
        waiting: queue.by_status.values().sum(),
        by_status: bars(by_status),
        by_flag: bars(by_flag),
        by_age: bars(by_age),
        statuses: QUEUED
            .map(|status| choice(&status, shell.words(&words::status(status)), wanted.status.as_ref()))
            .into(),
        flags: flags(shell, &queue, wanted.flag),
        cases: &found.cases,
        is_narrowed: wanted.status.is_some() || wanted.flag.is_some(),
        is_further: wanted.after.is_some(),
        next,
        appeals: of_flag(Flag::Appeal),
        seconds: of_status(Status::AwaitingSecond),
        queue: &queue,
    };
    page(StatusCode::OK, &view)
}

impl Wanted {
    fn link(&self) -> String {
        let query = serde_urlencoded::to_string(self).unwrap_or_default();
        if query.is_empty() { PLACE.to_owned() } else { format!("{PLACE}?{query}") }
    }
}

fn of_status(status: Status) -> String {
    Wanted { status: Some(status), ..Wanted::default() }.link()
}

fn of_flag(flag: Flag) -> String {
    Wanted { flag: Some(flag), ..Wanted::default() }.link()
}

fn bars(lines: impl Iterator<Item = (&'static str, &'static str, Option<String>, u64)>) -> Vec<Bar> {
    let mut bars: Vec<Bar> =
        lines.map(|(name, hint, link, cases)| Bar { name, hint, link, cases, width: 0 }).collect();
    let most = bars.iter().map(|bar| bar.cases).max().unwrap_or_default().max(1);
    for bar in &mut bars {
        bar.width = (bar.cases * 100).div_ceil(most);
    }
    bars
}

/// What is there, and what is chosen although there is none.
fn flags(shell: &Shell, queue: &Queue, chosen: Option<Flag>) -> Vec<Choice> {
    let mut there: Vec<Flag> = queue.by_flag.keys().copied().collect();
    there.extend(chosen.filter(|flag| !there.contains(flag)));
    there.iter().map(|flag| choice(flag, shell.words(&words::flag(*flag)), chosen.as_ref())).collect()
}

fn choice<T: Serialize + PartialEq>(value: &T, name: &'static str, chosen: Option<&T>) -> Choice {
    let word = serde_json::to_value(value).ok();
    let word = word.as_ref().and_then(|word| word.as_str()).unwrap_or_default().to_owned();
    Choice { value: word, name, is_chosen: chosen == Some(value) }
}
