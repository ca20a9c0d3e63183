//! Which table a record lies in, and its row there. All cells travel as text
//! and are cast to their column's type in the statement: one type for every
//! array that is sent, and no conversion to get wrong here.

use serde::Serialize;
use serde_json::Value;

use crate::domain::hex::hex;
use crate::store::embedded::layout::{record_key, to_json};
use crate::store::{Key, Record, StoreError};

/// A column's name and type.
pub type Column = (&'static str, &'static str);

/// `None`: null.
pub type Cell = Option<String>;

/// `version` and `body` come after the columns that are named here.
#[derive(Debug)]
pub struct Table {
    /// The kind's byte, by which expired records of one moment are sorted.
    pub kind: u8,
    pub name: &'static str,
    pub key: &'static [Column],
    pub more: &'static [Column],
}

/// A record's row: the cells of its key, the others, the body.
#[derive(Debug)]
pub struct Row {
    pub key: Vec<String>,
    pub more: Vec<Cell>,
    pub body: String,
}

impl Table {
    pub fn columns(&self) -> impl Iterator<Item = &'static Column> {
        self.key.iter().chain(self.more)
    }

    pub fn type_of(&self, column: &str) -> &'static str {
        let found = self.columns().find(|(name, _)| *name == column);
        found.expect("listings are sorted by columns of their table").1
    }
}

macro_rules! tables {
    ($($kind:ident $table:ident = $byte:literal $name:literal [$($key:literal $key_type:literal),*] [$($more:literal $type:literal),*];)*) => {
        $(pub static $table: Table = Table {
            kind: $byte,
            name: $name,
            key: &[$(($key, $key_type)),*],
            more: &[$(($more, $type)),*],
        };)*

        /// All of them, by their kinds.
        pub static TABLES: &[&Table] = &[$(&$table),*];

        pub fn table_of(key: &Key) -> &'static Table {
            match key { $(Key::$kind(_) => &$table,)* }
        }
    };
}

tables! {
    NumberFile NUMBERS = 0x01 "numbers" ["number" "bigint"] ["reversal_asked_at" "timestamptz"];
    Label LABELS = 0x02 "labels" ["number" "bigint", "provider" "text", "kind" "text"]
        ["category" "text", "name" "text", "regressed" "boolean", "observed_at" "timestamptz"];
    Dispute DISPUTES = 0x03 "disputes" ["id" "uuid"]
        ["number" "bigint", "reason" "text", "status" "text", "queued" "boolean", "filed_at" "timestamptz",
         "due_on" "date"];
    Verification VERIFICATIONS = 0x04 "verifications" ["id" "uuid"] ["number" "bigint", "expires_at" "timestamptz"];
    CodeCount CODE_COUNTS = 0x05 "code_counts" ["number" "bigint"] ["expires_at" "timestamptz"];
    Claim CLAIMS = 0x06 "claims" ["name" "text"] ["value" "text", "expires_at" "timestamptz"];
    AccessKey ACCESS_KEYS = 0x07 "access_keys" ["hash" "bytea"]
        ["id" "uuid", "name" "text", "issued_at" "timestamptz", "revoked_at" "timestamptz", "ends_at" "timestamptz"];
    Moderator MODERATORS = 0x08 "moderators" ["name" "text"] ["role" "text", "disabled" "boolean"];
    Session SESSIONS = 0x09 "sessions" ["id" "uuid"] ["moderator" "text", "expires_at" "timestamptz"];
    Batch BATCHES = 0x0a "batches" ["id" "uuid"]
        ["operator" "text", "state" "text", "received_at" "timestamptz", "expires_at" "timestamptz"];
    OperatorState OPERATOR_STATES = 0x0b "operator_states" ["operator" "text"] ["last_batch_at" "timestamptz"];
    Ack ACKNOWLEDGEMENTS = 0x0c "acknowledgements" ["provider" "text", "stage" "text", "size" "numeric"] ["at" "timestamptz"];
    ProviderRefusal PROVIDER_REFUSALS = 0x0d "provider_refusals" ["provider" "text", "seq" "bigint"]
        ["code" "text", "at" "timestamptz"];
    Task TASKS = 0x0e "tasks" ["task" "bytea"] ["kind" "text", "run_at" "timestamptz", "attempts" "bigint"];
    LogHead LOG_HEAD = 0x0f "log_head" ["one" "smallint"] ["size" "bigint", "verifier" "text"];
    Webhook WEBHOOKS = 0x10 "webhooks" ["provider" "text", "place" "smallint"] ["url" "text", "disabled" "boolean"];
    ProviderState PROVIDER_STATES = 0x11 "provider_states" ["provider" "text"] ["acked_at" "timestamptz"];
    Filing FILINGS = 0x12 "filings" ["id" "uuid"] ["contact" "bigint", "filed_at" "timestamptz"];
    FilingPart FILING_PARTS = 0x13 "filing_parts" ["filing" "uuid", "nth" "bigint"] [];
    Trace FILING_TRACES = 0x14 "filing_traces" ["cluster" "bytea", "at" "timestamptz", "filing" "uuid"]
        ["kind" "text", "expires_at" "timestamptz"];
    LabelCount LABEL_COUNTS = 0x15 "label_counts" ["provider" "text"] ["expires_at" "timestamptz"];
    Counting COUNTINGS = 0x16 "countings" ["series" "bytea"] ["next" "numeric"];
    CountedWeek COUNTED_WEEKS = 0x17 "counted_weeks" ["series" "bytea", "week" "date"] ["expires_at" "timestamptz"];
    Lease LEASES = 0x18 "leases" ["name" "text"] ["holder" "text", "epoch" "bigint"];
}

/// The cells of a record's key, in the order of its table's.
pub fn key_cells(key: &Key) -> Vec<String> {
    match key {
        Key::NumberFile(number) | Key::CodeCount(number) => vec![number.digits().to_string()],
        Key::Label((number, provider, kind)) => {
            vec![number.digits().to_string(), provider.to_string(), word(kind)]
        }
        Key::Dispute(id) => vec![id.to_string()],
        Key::Verification(id) => vec![id.to_string()],
        Key::Session(id) => vec![id.0.to_string()],
        Key::Batch(id) => vec![id.to_string()],
        Key::Filing(id) => vec![id.to_string()],
        Key::Claim(name) | Key::Lease(name) => vec![name.clone()],
        Key::AccessKey(hash) => vec![bytea(hash)],
        Key::Moderator(name) => vec![name.to_string()],
        Key::OperatorState(operator) => vec![operator.to_string()],
        Key::Ack((provider, stage, size)) => vec![provider.to_string(), word(stage), size.to_string()],
        Key::ProviderRefusal((provider, seq)) => vec![provider.to_string(), seq.to_string()],
        // Behind its kind's byte.
        Key::Task(_) | Key::Counting(_) => vec![bytea(&record_key(key)[1..])],
        Key::CountedWeek((series, week)) => {
            vec![bytea(&record_key(&Key::Counting(series.clone()))[1..]), week.to_string()]
        }
        Key::LogHead(()) => vec!["1".to_owned()],
        Key::Webhook((provider, place)) => vec![provider.to_string(), place.to_string()],
        Key::ProviderState(provider) | Key::LabelCount(provider) => vec![provider.to_string()],
        Key::FilingPart((filing, nth)) => vec![filing.to_string(), nth.to_string()],
        Key::Trace((cluster, at, filing)) => vec![cluster_cell(cluster), at.to_string(), filing.to_string()],
    }
}

pub fn row(record: &Record) -> Result<Row, StoreError> {
    let key = record.key();
    let body = String::from_utf8(to_json(record)?).expect("JSON is UTF-8");
    Ok(Row { key: key_cells(&key), more: more_cells(record), body })
}

fn more_cells(record: &Record) -> Vec<Cell> {
    let expires_at = record.expires_at().map(|at| at.to_string());
    match record {
        Record::FilingPart(_) => Vec::new(),
        Record::NumberFile(file) => vec![file.reversal_asked.as_ref().map(|asked| text(asked.at))],
        Record::CodeCount(_) | Record::LabelCount(_) | Record::CountedWeek(_) => vec![expires_at],
        Record::Counting(counting) => vec![some(counting.next)],
        Record::Label(label) => vec![
            label.category.as_ref().map(word),
            label.name.clone(),
            some(label.regressed.is_some()),
            some(label.observed_at),
        ],
        Record::Dispute(dispute) => {
            let status = dispute.status();
            vec![
                some(dispute.number.digits()),
                Some(word(&dispute.reason())),
                Some(word(&status)),
                some(status.is_queued()),
                some(dispute.filed_at),
                some(dispute.due_on),
            ]
        }
        Record::Verification(verification) => vec![some(verification.number.digits()), expires_at],
        Record::Claim(claim) => vec![Some(claim.value.clone()), expires_at],
        Record::AccessKey(key) => {
            vec![
                some(key.id),
                Some(key.name.clone()),
                some(key.issued_at),
                key.revoked_at.map(text),
                key.ends_at.map(text),
            ]
        }
        Record::Moderator(moderator) => vec![Some(word(&moderator.role)), some(moderator.disabled)],
        Record::Session(session) => vec![some(&session.moderator), expires_at],
        Record::Batch(batch) => {
            vec![some(&batch.operator), Some(word(&batch.state)), some(batch.received_at), expires_at]
        }
        Record::OperatorState(state) => vec![state.last_batch_at.map(text)],
        Record::Ack(ack) => vec![some(ack.at)],
        Record::ProviderRefusal(refusal) => vec![Some(refusal.code.clone()), some(refusal.at)],
        Record::Task(task) => {
            let kind = serde_json::to_value(&task.kind).unwrap_or_default();
            let kind = kind["do"].as_str().unwrap_or_default().to_owned();
            vec![Some(kind), some(task.run_at), some(task.attempts)]
        }
        Record::LogHead(head) => vec![some(head.size), Some(head.verifier.clone())],
        Record::Webhook(webhook) => vec![some(webhook.url.as_str()), some(webhook.disabled.is_some())],
        Record::ProviderState(state) => vec![some(state.acked_at)],
        Record::Lease(lease) => vec![Some(lease.holder.clone()), some(lease.epoch)],
        Record::Filing(filing) => vec![some(filing.contact.digits()), some(filing.filed_at)],
        Record::Trace(trace) => vec![Some(word(&trace.cluster.kind())), expires_at],
    }
}

/// Behind its table's byte, so that clusters sort as they do elsewhere.
pub fn cluster_cell(cluster: &crate::store::Cluster) -> String {
    let key: Vec<u8> = crate::store::embedded::layout::traces_of(cluster).into();
    bytea(&key[1..])
}

#[allow(clippy::needless_pass_by_value)] // for `map`
pub fn text(value: impl ToString) -> String {
    value.to_string()
}

/// The stable word of one of our enums, as in JSON.
pub fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        other => unreachable!("an enum without fields is a string in JSON, not {other:?}"),
    }
}

#[allow(clippy::needless_pass_by_value)] // as `text`
fn some(value: impl ToString) -> Cell {
    Some(value.to_string())
}

pub fn bytea(bytes: &[u8]) -> String {
    format!("\\x{}", hex(bytes))
}
