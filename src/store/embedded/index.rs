//! Which listings a record is in, and in which order.
//!
//! Labels of a number, acknowledgements, refusals, moderators, webhooks, parts
//! of lists and traces are listed as their own keys sort. The others have index
//! entries beside them, each holding the record's key: every key costs time
//! when it is written, so there are few.

use crate::store::embedded::layout::{self, KeyBytes};
use crate::store::{BatchState, Listing, Record};

const DISPUTES_OF: u8 = 0x40;
const QUEUE: u8 = 0x41;
const TASKS: u8 = 0x42;
const ACCESS_KEYS: u8 = 0x43;
const OPEN_BATCHES: u8 = 0x44;
const EXPIRED: u8 = 0x45;
const REGRESSED: u8 = 0x46;
const REVERSALS_ASKED: u8 = 0x47;

pub fn is_of(kind: u8) -> bool {
    (DISPUTES_OF..=REVERSALS_ASKED).contains(&kind)
}

/// An index in words; of a number's newest entries there is one too.
pub fn name(kind: u8) -> &'static str {
    match kind {
        DISPUTES_OF => "disputes by number",
        QUEUE => "the queue",
        TASKS => "tasks by time",
        ACCESS_KEYS => "access keys",
        OPEN_BATCHES => "open batches",
        EXPIRED => "what runs out",
        REGRESSED => "labels that came back",
        REVERSALS_ASKED => "reversals with one signature",
        _ => "numbers' newest log entries",
    }
}

/// The keys of a record's index entries; `primary` is the record's own.
pub fn entries(record: &Record, primary: &[u8]) -> Vec<Vec<u8>> {
    if let Some(at) = record.expires_at() {
        return vec![KeyBytes::new(EXPIRED).time(at).rest(primary).into()];
    }
    match record {
        Record::Dispute(dispute) => {
            let of = KeyBytes::new(DISPUTES_OF).number(dispute.number);
            let mut keys = vec![of.time(dispute.filed_at).uuid(dispute.id.0).into()];
            if dispute.status().is_queued() {
                keys.push(KeyBytes::new(QUEUE).date(dispute.due_on).uuid(dispute.id.0).into());
            }
            keys
        }
        Record::Label(label) if label.regressed.is_some() => {
            let of = KeyBytes::new(REGRESSED).slug(label.provider.as_str());
            vec![of.number(label.number).byte(label.kind as u8).into()]
        }
        Record::NumberFile(file) => match &file.reversal_asked {
            Some(asked) => vec![KeyBytes::new(REVERSALS_ASKED).time(asked.at).number(file.number).into()],
            None => Vec::new(),
        },
        Record::Task(task) => vec![KeyBytes::new(TASKS).time(task.run_at).rest(primary).into()],
        Record::AccessKey(key) => {
            vec![KeyBytes::new(ACCESS_KEYS).time(key.issued_at).uuid(key.id.0).into()]
        }
        Record::Batch(batch) => match batch.state {
            BatchState::Applying | BatchState::Held | BatchState::Releasing => {
                vec![KeyBytes::new(OPEN_BATCHES).time(batch.received_at).uuid(batch.id.0).into()]
            }
            BatchState::Done | BatchState::Discarded => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The keys of a listing.
#[derive(Debug)]
pub struct Span {
    pub from: Vec<u8>,
    /// Not in it any more.
    pub to: Vec<u8>,
    /// The keys are index entries, not records.
    pub indexed: bool,
}

pub fn span(listing: &Listing) -> Span {
    match listing {
        Listing::LabelsOf(number) => Span::of_records(layout::labels_of(*number)),
        Listing::Moderators => Span::of_records(layout::moderators()),
        Listing::Webhooks => Span::of_records(layout::webhooks()),
        Listing::RefusalsOf(provider) => Span::of_records(layout::refusals_of(provider.as_str())),
        Listing::AcksAbove { provider, stage, size } => {
            let all = layout::acks_of(provider.as_str(), *stage as u8);
            let up_to: Vec<u8> = all.clone().integer(*size).into();
            Span { from: layout::just_after(&up_to), ..Span::of_records(all) }
        }
        Listing::PartsOf(filing) => Span::of_records(layout::parts_of(filing.0)),
        Listing::TracesSince { cluster, since } => {
            let all = layout::traces_of(cluster);
            Span { from: all.clone().time(*since).into(), ..Span::of_records(all) }
        }
        Listing::DisputesOf(number) => Span::of_index(KeyBytes::new(DISPUTES_OF).number(*number)),
        Listing::Regressed { provider } => {
            let all = KeyBytes::new(REGRESSED);
            Span::of_index(match provider {
                Some(provider) => all.slug(provider.as_str()),
                None => all,
            })
        }
        Listing::Queue => Span::of_index(KeyBytes::new(QUEUE)),
        Listing::AccessKeys => Span::of_index(KeyBytes::new(ACCESS_KEYS)),
        Listing::ReversalsAsked => Span::of_index(KeyBytes::new(REVERSALS_ASKED)),
        Listing::OpenBatches => Span::of_index(KeyBytes::new(OPEN_BATCHES)),
        Listing::TasksDue { until } => {
            let to = KeyBytes::new(TASKS).time_after(*until).into();
            Span { to, ..Span::of_index(KeyBytes::new(TASKS)) }
        }
        Listing::Expired { until } => {
            let to = KeyBytes::new(EXPIRED).time_after(*until).into();
            Span { to, ..Span::of_index(KeyBytes::new(EXPIRED)) }
        }
    }
}

impl Span {
    fn of_records(prefix: KeyBytes) -> Self {
        Self { from: prefix.clone().into(), to: prefix.end(), indexed: false }
    }

    fn of_index(prefix: KeyBytes) -> Self {
        Self { indexed: true, ..Self::of_records(prefix) }
    }
}
