//! Labels, corrections and disputes in the shapes that holders get.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::casework::actors::Claimant;
use crate::casework::control::Language;
use crate::casework::view::{DisputeView as Seen, ProviderProgress};
use crate::domain::catalog::LabelCatalog;
use crate::domain::correction::{EntryReason, NameAction};
use crate::domain::dispute::{Claim, Reason, Status, What};
use crate::domain::document::{Document, DocumentKind, GivenDocument};
use crate::domain::evidence::Assurance;
use crate::domain::id::{DisputeId, DocumentId, ProviderId};
use crate::domain::label::{Category, Label, LabelKind, Source};
use crate::domain::number::Number;
use crate::domain::opened::Opened;
use crate::domain::progress::Progress;
use crate::domain::window::Window;
use crate::feed::render;
use crate::http::problem::Problem;
use crate::http::service::Service;
use crate::http::words;

#[derive(Debug, Serialize)]
pub(in crate::http) struct LabelView<'a> {
    provider: &'a ProviderId,
    provider_name: &'a str,
    source: Source,
    kind: LabelKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<Category>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_marked_on: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_marked_on: Option<Date>,
    observed_at: Timestamp,
}

impl<'a> LabelView<'a> {
    pub(in crate::http) fn of(label: &'a Label, catalog: &'a LabelCatalog) -> Self {
        Self {
            provider: &label.provider,
            provider_name: catalog.provider_name(&label.provider),
            source: label.source,
            kind: label.kind,
            category: label.category,
            name: label.name.as_deref(),
            text: label.shown_text(),
            count: label.count,
            first_marked_on: label.first_marked_on,
            last_marked_on: label.last_marked_on,
            observed_at: label.observed_at,
        }
    }
}

/// An entry without what only the log needs: its format and its salt.
#[derive(Debug, Serialize)]
pub(in crate::http) struct CorrectionView {
    pub seq: u64,
    pub number: Number,
    pub void_before: Option<Date>,
    pub name_action: NameAction,
    pub name: Option<String>,
    pub name_until: Option<Date>,
    pub reason: EntryReason,
    pub assurance: Assurance,
    pub withdrawn: bool,
    pub supersedes: Option<u64>,
    pub at: Timestamp,
}

/// The published correction in force.
pub(in crate::http) async fn correction_of(
    app: &Service,
    number: Number,
) -> Result<Option<CorrectionView>, Problem> {
    let Some((seq, leaf)) = app.feed.correction_of(number).await? else {
        return Ok(None);
    };
    let entry = render::entry(seq, &leaf).map_err(crate::feed::FeedError::from)?;
    Ok(Some(CorrectionView {
        seq,
        number: entry.number,
        void_before: entry.void_before,
        name_action: entry.name_action,
        name: entry.name,
        name_until: entry.name_until,
        reason: entry.reason,
        assurance: entry.assurance,
        withdrawn: entry.withdrawn,
        supersedes: entry.supersedes,
        at: entry.at,
    }))
}

#[derive(Debug, Serialize)]
pub(in crate::http) struct DisputeView {
    pub id: DisputeId,
    pub number: Number,
    pub reason: Reason,
    pub status: Status,
    pub opened: Option<Opened>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    pub filed_at: Timestamp,
    pub due_on: Date,
    pub overdue: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RefusalView>,
    pub timeline: Vec<Happened>,
    pub providers: Vec<ProviderView>,
    pub documents: Vec<DocumentView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correction: Option<CorrectionView>,
    /// It came with an enterprise's list.
    #[serde(skip)]
    pub is_of_list: bool,
}

/// That something was handed in, and never what is in it.
#[derive(Debug, Serialize)]
pub(in crate::http) struct DocumentView {
    id: DocumentId,
    kind: DocumentKind,
    bytes: u64,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    purged_at: Option<Timestamp>,
}

impl DocumentView {
    pub(in crate::http) fn of(given: &GivenDocument) -> Self {
        let Document { id, kind, bytes, .. } = given.document;
        Self { id, kind, bytes, at: given.at, purged_at: given.purged_at }
    }
}

#[derive(Debug, Serialize)]
pub(in crate::http) struct RefusalView {
    pub code: String,
    pub text: String,
}

#[derive(Debug, Serialize)]
pub(in crate::http) struct Happened {
    pub at: Timestamp,
    pub event: &'static str,
    pub text: String,
    /// Where it happened, if not here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderId>,
}

#[derive(Debug, Serialize)]
pub(in crate::http) struct ProviderView {
    pub provider: ProviderId,
    pub provider_name: String,
    pub status: &'static str,
    pub at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appeal_url: Option<String>,
}

pub(in crate::http) async fn dispute_view(
    app: &Service,
    claimant: &Claimant,
    language: Language,
) -> Result<DisputeView, Problem> {
    let published = app.feed.size();
    let seen = app.casework.my_dispute(claimant, published).await?;
    let timeline = timeline(&seen, &app.casework.reference().labels, language);
    let Seen { dispute, state, overdue, providers, .. } = seen;
    // Nobody learns what is published of a number before it is known theirs.
    let correction = match dispute.is_control_proved() {
        true => correction_of(app, dispute.number).await?,
        false => None,
    };
    let catalog = &app.casework.reference().labels;
    let opened = match &dispute.claim {
        Claim::Reassigned { opened, .. } => *opened,
        Claim::NameMismatch { .. } => None,
    };
    let refusal = state
        .refusal
        .as_ref()
        .map(|refused| RefusalView { code: refused.code.clone(), text: words::refusal(refused, language) });
    Ok(DisputeView {
        id: dispute.id,
        number: dispute.number,
        reason: dispute.reason(),
        status: state.status,
        opened,
        window: dispute.window(),
        filed_at: dispute.filed_at,
        due_on: dispute.due_on,
        overdue,
        refusal,
        timeline,
        providers: providers.into_iter().map(|one| ProviderView::of(one, catalog, language)).collect(),
        documents: state.documents.iter().map(DocumentView::of).collect(),
        correction,
        is_of_list: !dispute.control.is_code(),
    })
}

/// What happened here and at the providers, in order of time. What follows
/// from an event at the same moment comes after it.
fn timeline(seen: &Seen, catalog: &LabelCatalog, language: Language) -> Vec<Happened> {
    let here = |at, (event, text): (&'static str, String)| Happened { at, event, text, provider: None };
    let events =
        seen.dispute.events.iter().filter(|event| !matches!(event.what, What::Flagged { .. })).map(|event| {
            here(event.at, (words::event_name(&event.what), words::event(&event.what, language)))
        });
    let published = seen.published_at.map(|at| here(at, words::published(language)));
    let elsewhere = seen.providers.iter().flat_map(|one| {
        let name = catalog.provider_name(&one.provider);
        one.steps.iter().filter_map(move |(at, step)| {
            let (event, text) = words::step(step, name, language)?;
            Some(Happened { at: *at, event, text, provider: Some(one.provider.clone()) })
        })
    });
    let mut timeline: Vec<Happened> = events.chain(published).chain(elsewhere).collect();
    timeline.sort_by_key(|happened| happened.at);
    timeline
}

impl ProviderView {
    fn of(told: ProviderProgress, catalog: &LabelCatalog, language: Language) -> Self {
        let ProviderProgress { provider, progress, at, .. } = told;
        let turns_to_provider = matches!(progress, Progress::NotCovered | Progress::RefusedByProvider { .. });
        let appeal_url = catalog.appeal_url(&provider).filter(|_| turns_to_provider);
        Self {
            provider_name: catalog.provider_name(&provider).to_owned(),
            status: progress.as_str(),
            at,
            text: words::progress(&progress, catalog.appeal_text(&provider), language),
            appeal_url: appeal_url.map(str::to_owned),
            provider,
        }
    }
}
