//! Providers: how far each has come, what it would not follow, and which of
//! its labels have come back.

use askama::Template;
use http::StatusCode;
use serde::Deserialize;

use crate::casework::owner::{WebhookLine, WebhookState};
use crate::casework::providers::KnownProvider;
use crate::domain::id::ProviderId;
use crate::domain::label::Label;
use crate::domain::progress::Stage;
use crate::domain::refusal::Refusal;
use crate::feed::Lag;
use crate::http::moderation::providers_at_work;
use crate::http::pages::console::desk::Desk;
use crate::http::pages::shell::{Shell, page};
use crate::http::pages::visit::Visit;
use crate::http::problem::Answer;
use crate::http::query;
use crate::http::service::Service;
use crate::http::words::Words;

const ROWS_MAX: usize = 50;
/// Who is behind by more is called late: a checkpoint comes every second, and
/// providers are asked to poll every few.
const LATE_S: u64 = 3_600;

#[derive(Template)]
#[template(path = "console/running/providers.html")]
struct ProvidersPage<'a> {
    shell: &'a Shell,
    desk: &'a Desk,
    log_size: u64,
    providers: Vec<Row>,
}

#[derive(Template)]
#[template(path = "console/running/provider.html")]
struct ProviderPage<'a> {
    shell: &'a Shell,
    desk: &'a Desk,
    log_size: u64,
    row: Row,
    refusals: Vec<crate::casework::providers::Refused>,
    refusals_next: Option<String>,
    regressed: Vec<Label>,
    regressed_next: Option<String>,
    webhooks: Option<Vec<WebhookLine>>,
}

struct Row {
    known: KnownProvider,
    lag: Lag,
    name: String,
    behind: String,
    is_late: bool,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    refusals_after: Option<String>,
    regressed_after: Option<String>,
}

impl ProviderPage<'_> {
    /// Masked for whom it is masked everywhere.
    fn number(&self, label: &Label) -> String {
        self.desk.moderator.sees(label.number)
    }
}

impl Row {
    fn received(&self) -> u64 {
        self.lag.size(Stage::Received)
    }

    fn applied(&self) -> u64 {
        self.lag.size(Stage::Applied)
    }

    fn serving(&self) -> u64 {
        self.lag.size(Stage::Serving)
    }

    fn of(app: &Service, shell: &Shell, known: KnownProvider, lag: Lag) -> Self {
        let name = app.casework.reference().labels.provider_name(&known.id).to_owned();
        let is_late = lag.entries_behind > 0 && lag.seconds_behind > LATE_S;
        Self { behind: behind(&lag, shell), is_late, name, known, lag }
    }
}

/// How long ago what it does not serve yet was decided.
fn behind(lag: &Lag, shell: &Shell) -> String {
    if lag.entries_behind == 0 {
        return shell.say("最新", "up to date").to_owned();
    }
    let (count, unit) = match lag.seconds_behind {
        seconds @ 0..120 => (seconds, Words { zh: "秒", en: "s" }),
        seconds @ 120..7_200 => (seconds / 60, Words { zh: "分钟", en: "min" }),
        seconds @ 7_200..172_800 => (seconds / 3_600, Words { zh: "小时", en: "h" }),
        seconds => (seconds / 86_400, Words { zh: "天", en: "days" }),
    };
    let (entries, unit) = (lag.entries_behind, shell.words(&unit));
    format!("{entries} {} · {count} {unit}", shell.say("条", "entries"))
}

pub(super) async fn show(app: &Service, visit: &Visit) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let shell = &visit.shell;
    let at_work = providers_at_work(app, &desk.moderator).await?;
    let mut rows: Vec<Row> =
        at_work.into_iter().map(|(known, lag)| Row::of(app, shell, known, lag)).collect();
    // Who is furthest behind is looked at first.
    rows.sort_by_key(|row| std::cmp::Reverse((row.lag.seconds_behind, row.lag.entries_behind)));
    page(StatusCode::OK, &ProvidersPage { shell, desk: &desk, log_size: app.feed.size(), providers: rows })
}

pub(super) async fn show_one(app: &Service, visit: &Visit, id: ProviderId) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let Wanted { refusals_after, regressed_after } = visit.call.query()?;
    let at_work = providers_at_work(app, &desk.moderator).await?;
    let found = at_work.into_iter().find(|(known, _)| known.id == id);
    let (known, lag) = found.ok_or(Refusal::NotFound)?;
    let casework = &app.casework;
    let after = query::cursor(refusals_after.as_deref())?;
    let (refusals, refusals_next) = casework.refusals_of(&desk.moderator, &id, after, ROWS_MAX).await?;
    let after = query::cursor(regressed_after.as_deref())?;
    let (regressed, regressed_next) =
        casework.regressed(&desk.moderator, Some(id.clone()), after, ROWS_MAX).await?;
    let webhooks = match desk.moderator.as_owner() {
        Ok(owner) => {
            let all = casework.webhooks(owner).await?.into_iter().map(WebhookLine::from);
            Some(all.filter(|webhook| webhook.provider == id).collect())
        }
        Err(_) => None,
    };
    let shell = &visit.shell;
    let row = Row::of(app, shell, known, lag);
    page(
        StatusCode::OK,
        &ProviderPage {
            shell,
            desk: &desk,
            log_size: app.feed.size(),
            row,
            refusals,
            refusals_next: query::next(refusals_next),
            regressed,
            regressed_next: query::next(regressed_next),
            webhooks,
        },
    )
}
