//! The policy's numbers, each with its unit in the name.

/// Operators publish 5 to 8 days late: a "no" about those days is unknown.
pub const OPERATOR_LAG_DAYS: i32 = 8;
/// A number that is sold again is, as a rule, within so many days of its end.
pub const RELEASED_WITHIN_DAYS: i32 = 365;
/// The first answer to a holder is due within this many working days.
pub const FIRST_ANSWER_WORKING_DAYS: u32 = 1;
/// The decision is due within this many working days.
pub const DECISION_WORKING_DAYS: u32 = 5;
/// A case that waits for the holder's documents lapses after this.
pub const NEEDS_EVIDENCE_DAYS: i32 = 15;
/// How long a moderator keeps a case that `next` handed out.
pub const LEASE_MINUTES: i64 = 15;
/// An approval rests on answers younger than this, or asks again.
pub const FACTS_FRESH_HOURS: i64 = 24;
/// An operator that did not know is asked again after this, within its lag.
pub const ASK_AGAIN_HOURS: i64 = 24;
/// How long a shown name may be shown without asking again.
pub const NAME_LEASE_DAYS: i32 = 90;
/// A shown name is asked again this often.
pub const NAME_RENEWAL_DAYS: i32 = 30;
/// The period over which filings are counted.
pub const FILINGS_PERIOD_DAYS: i32 = 90;
/// The period over which clusters of filings are counted.
pub const CLUSTER_PERIOD_DAYS: i32 = 30;
/// A cluster is more filings than the configured number times this, by kind:
/// adjacent numbers and one contact are few people's, a network prefix may be
/// an office's or a whole town's.
pub const CLUSTER_NEIGHBOURS_FACTOR: u32 = 1;
pub const CLUSTER_CONTACT_FACTOR: u32 = 1;
pub const CLUSTER_ADDRESS_FACTOR: u32 = 20;
/// A flagged dispute waits so much longer for every filing beyond that,
pub const CLUSTER_DELAY_MINUTES_PER_FILING: i64 = 5;
/// and no longer than this.
pub const CLUSTER_DELAY_HOURS_MAX: i64 = 6;
/// The porting registry's silence counts only while it has spoken this recently.
pub const REGISTRY_CURRENT_DAYS: i32 = 8;
/// Numbers that an enterprise may file at once.
pub const NUMBERS_PER_FILING_MAX: usize = 500;
/// Labels that one dispute may name.
pub const LABELS_PER_DISPUTE_MAX: usize = 20;
/// The holder's note, and an appeal's text.
pub const NOTE_CHARS_MAX: usize = 500;
/// A provider's label is looked up so long after it serves a correction.
pub const PROBE_FIRST_DAYS: i64 = 7;
/// And for the last time.
pub const PROBE_LAST_DAYS: i64 = 30;
/// After the decision nobody waits for a provider to serve it any more.
pub const PROBES_END_DAYS: i64 = 180;
/// Documents that are taken each time they are asked for.
pub const DOCUMENTS_PER_DISPUTE_MAX: usize = 6;
/// Of one document as it is sent.
pub const DOCUMENT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long a closed dispute's documents are kept.
pub const DOCUMENTS_KEPT_DAYS: i32 = 30;
