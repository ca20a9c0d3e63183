//! How records lie in the key space.
//!
//! A key is one byte for its kind, then sort keys: integers big-endian, slugs
//! ended by a zero byte, so that within a kind the bytes sort as `Key` does.
//! A value is sealed: `[schema][CRC-32 of key and rest][rest]`. The rest of a
//! record is `[version, u64][JSON]`.
//!
//! A kind's byte never changes its meaning. A new kind takes a new byte.

use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use crate::domain::number::Number;
use crate::store::embedded::index;
use crate::store::{Cluster, Key, RECORD_BYTES_MAX, Record, Series, StoreError, TaskKind, Versioned};

/// Raised when a reader of the old release would misread the new bytes.
pub const SCHEMA: u8 = 1;

pub const COUNTERS: &[u8] = &[0];

const ENTRY: u8 = 0x20;
const NEWEST: u8 = 0x21;
const AUDIT: u8 = 0x22;

const CRC_BYTES: usize = 4;
const HEAD_BYTES: usize = 1 + CRC_BYTES;
const VERSION_BYTES: usize = 8;

macro_rules! kinds {
    ($($byte:literal $kind:ident $name:literal;)*) => {
        fn kind_of(key: &Key) -> u8 {
            match key { $(Key::$kind(_) => $byte,)* }
        }

        fn kind_name(kind: u8) -> Option<&'static str> {
            match kind { $($byte => Some($name),)* _ => None }
        }

        fn write_json(record: &Record, to: &mut Vec<u8>) -> serde_json::Result<()> {
            match record { $(Record::$kind(record) => serde_json::to_writer(to, record),)* }
        }

        fn read_json(kind: u8, json: &[u8]) -> Option<serde_json::Result<Record>> {
            match kind { $($byte => Some(serde_json::from_slice(json).map(Record::$kind)),)* _ => None }
        }
    };
}

kinds! {
    0x01 NumberFile "number file";
    0x02 Label "label";
    0x03 Dispute "dispute";
    0x04 Verification "verification";
    0x05 CodeCount "code count";
    0x06 Claim "claim";
    0x07 AccessKey "access key";
    0x08 Moderator "moderator";
    0x09 Session "session";
    0x0a Batch "batch";
    0x0b OperatorState "operator state";
    0x0c Ack "acknowledgement";
    0x0d ProviderRefusal "provider's refusal";
    0x0e Task "task";
    0x0f LogHead "log head";
    0x10 Webhook "webhook";
    0x11 ProviderState "provider's state";
    0x12 Filing "list";
    0x13 FilingPart "list's part";
    0x14 Trace "trace of a filing";
    0x15 LabelCount "label count";
    0x16 Counting "state of counting";
    0x17 CountedWeek "counted week";
    0x18 Lease "lease";
}

/// Where a record lies.
pub fn record_key(key: &Key) -> Vec<u8> {
    let bytes = KeyBytes::new(kind_of(key));
    match key {
        Key::NumberFile(number) | Key::CodeCount(number) => bytes.number(*number),
        Key::Label((number, provider, kind)) => {
            bytes.number(*number).slug(provider.as_str()).byte(*kind as u8)
        }
        Key::Dispute(id) => bytes.uuid(id.0),
        Key::Verification(id) => bytes.uuid(id.0),
        Key::Session(id) => bytes.uuid(id.0),
        Key::Batch(id) => bytes.uuid(id.0),
        Key::Claim(name) | Key::Lease(name) => bytes.rest(name.as_bytes()),
        Key::AccessKey(hash) => bytes.rest(hash),
        Key::Moderator(name) => bytes.rest(name.as_str().as_bytes()),
        Key::OperatorState(operator) => bytes.rest(operator.as_str().as_bytes()),
        Key::Ack((provider, stage, size)) => bytes.slug(provider.as_str()).byte(*stage as u8).integer(*size),
        Key::ProviderRefusal((provider, seq)) => bytes.slug(provider.as_str()).integer(*seq),
        Key::Task(kind) => bytes.task(kind),
        Key::LogHead(()) => bytes,
        Key::Webhook((provider, place)) => bytes.slug(provider.as_str()).byte(*place),
        Key::ProviderState(provider) | Key::LabelCount(provider) => bytes.rest(provider.as_str().as_bytes()),
        Key::Filing(id) => bytes.uuid(id.0),
        Key::FilingPart((filing, nth)) => bytes.uuid(filing.0).rest(&nth.to_be_bytes()),
        Key::Trace((cluster, at, filing)) => bytes.cluster(cluster).time(*at).uuid(*filing),
        Key::Counting(series) => bytes.series(series),
        Key::CountedWeek((series, week)) => bytes.series(series).date(*week),
    }
    .into()
}

pub fn labels_of(number: Number) -> KeyBytes {
    KeyBytes::new(0x02).number(number)
}

pub fn moderators() -> KeyBytes {
    KeyBytes::new(0x08)
}

pub fn acks_of(provider: &str, stage: u8) -> KeyBytes {
    KeyBytes::new(0x0c).slug(provider).byte(stage)
}

pub fn refusals_of(provider: &str) -> KeyBytes {
    KeyBytes::new(0x0d).slug(provider)
}

pub fn webhooks() -> KeyBytes {
    KeyBytes::new(0x10)
}

pub fn parts_of(filing: Uuid) -> KeyBytes {
    KeyBytes::new(0x13).uuid(filing)
}

pub fn traces_of(cluster: &Cluster) -> KeyBytes {
    KeyBytes::new(0x14).cluster(cluster)
}

pub fn entry_key(seq: u64) -> Vec<u8> {
    KeyBytes::new(ENTRY).integer(seq).into()
}

pub fn newest_key(number: Number) -> Vec<u8> {
    KeyBytes::new(NEWEST).number(number).into()
}

pub fn audit_key(seq: u64) -> Vec<u8> {
    KeyBytes::new(AUDIT).integer(seq).into()
}

/// What lies under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Record,
    Entry(u64),
    Audit(u64),
    /// Which entry is a number's newest.
    Newest,
    Index,
}

/// Kinds of later releases are records that do not parse here.
pub fn kind(key: &[u8]) -> Kind {
    let number = key.get(1..).and_then(|rest| rest.try_into().ok()).map(u64::from_be_bytes);
    match (key.first(), number) {
        (Some(&ENTRY), Some(seq)) => Kind::Entry(seq),
        (Some(&AUDIT), Some(seq)) => Kind::Audit(seq),
        (Some(&NEWEST), _) => Kind::Newest,
        (Some(&kind), _) if index::is_of(kind) => Kind::Index,
        _ => Kind::Record,
    }
}

/// What is written once, under a number that only grows.
pub fn is_only_appended(key: &[u8]) -> bool {
    matches!(kind(key), Kind::Entry(_) | Kind::Audit(_))
}

/// A key under construction.
#[derive(Debug, Clone)]
pub struct KeyBytes(Vec<u8>);

impl KeyBytes {
    pub fn new(kind: u8) -> Self {
        let mut bytes = Vec::with_capacity(48);
        bytes.push(kind);
        Self(bytes)
    }

    pub fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    /// What nothing follows needs no end.
    pub fn rest(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub fn integer(self, value: u64) -> Self {
        self.rest(&value.to_be_bytes())
    }

    pub fn number(self, number: Number) -> Self {
        self.integer(number.digits())
    }

    pub fn uuid(self, id: Uuid) -> Self {
        self.rest(id.as_bytes())
    }

    /// Zero is in no slug, and sorts before all that is.
    pub fn slug(self, slug: &str) -> Self {
        self.rest(slug.as_bytes()).byte(0)
    }

    pub fn time(self, at: Timestamp) -> Self {
        self.nanoseconds(at.as_nanosecond())
    }

    /// The first key after all that begin like this one with `at` or earlier.
    pub fn time_after(self, at: Timestamp) -> Self {
        self.nanoseconds(at.as_nanosecond() + 1)
    }

    pub fn date(self, day: Date) -> Self {
        let year = (day.year() as u16) ^ (1 << 15);
        self.rest(&year.to_be_bytes()).byte(day.month() as u8).byte(day.day() as u8)
    }

    /// The end of the range of all keys that begin like this one.
    pub fn end(mut self) -> Vec<u8> {
        while self.0.pop_if(|last| *last == u8::MAX).is_some() {}
        if let Some(last) = self.0.last_mut() {
            *last += 1;
        }
        self.0
    }

    /// With the sign bit flipped, so that negative ones sort first.
    fn nanoseconds(self, nanoseconds: i128) -> Self {
        self.rest(&((nanoseconds as u128) ^ (1 << 127)).to_be_bytes())
    }

    /// In the order of `Cluster`'s variants; one kind's are all of one length.
    fn cluster(self, cluster: &Cluster) -> Self {
        match cluster {
            Cluster::Neighbours(block) => self.byte(0).integer(*block),
            Cluster::Address(mac) => self.byte(1).rest(mac),
            Cluster::Contact(number) => self.byte(2).number(*number),
        }
    }

    /// In the order of `Series`' variants.
    fn series(self, series: &Series) -> Self {
        match series {
            Series::Disputes => self.byte(0),
            Series::Log => self.byte(1),
            Series::Serving(provider) => self.byte(2).slug(provider.as_str()),
        }
    }

    /// In the order of `TaskKind`'s variants.
    fn task(self, kind: &TaskKind) -> Self {
        match kind {
            TaskKind::Check(dispute) => self.byte(0).uuid(dispute.0),
            TaskKind::SendCode(verification) => self.byte(1).uuid(verification.0),
            TaskKind::Notify(dispute) => self.byte(2).uuid(dispute.0),
            TaskKind::Lapse { dispute, on } => self.byte(3).uuid(dispute.0).date(*on),
            TaskKind::RenewName(number) => self.byte(4).number(*number),
            TaskKind::Apply(batch) => self.byte(5).uuid(batch.0),
            TaskKind::Probe { dispute, provider } => {
                self.byte(6).uuid(dispute.0).rest(provider.as_str().as_bytes())
            }
            TaskKind::File(filing) => self.byte(7).uuid(filing.0),
            TaskKind::TellFiling { filing, news } => self.byte(8).uuid(filing.0).byte(*news as u8),
            TaskKind::PurgeDocuments(dispute) => self.byte(9).uuid(dispute.0),
        }
    }
}

impl From<KeyBytes> for Vec<u8> {
    fn from(key: KeyBytes) -> Self {
        key.0
    }
}

/// The smallest key that is greater.
pub fn just_after(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

pub fn seal(key: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(HEAD_BYTES + rest.len());
    sealed.push(SCHEMA);
    sealed.extend_from_slice(&checksum(key, rest).to_be_bytes());
    sealed.extend_from_slice(rest);
    sealed
}

/// The rest of a sealed value, if it is what was written under this key.
pub fn unseal<'a>(key: &[u8], sealed: &'a [u8]) -> Result<&'a [u8], StoreError> {
    let damaged = || fatal(key, "is damaged: its checksum does not fit");
    match sealed.first() {
        None => return Err(damaged()),
        Some(schema) if *schema > SCHEMA => {
            let newer = format!("was written by a newer release (schema {schema}; this one knows {SCHEMA})");
            return Err(fatal(key, &newer));
        }
        Some(_) => {}
    }
    let (head, rest) = sealed.split_at_checked(HEAD_BYTES).ok_or_else(damaged)?;
    if head[0] == SCHEMA && head[1..] == checksum(key, rest).to_be_bytes() {
        Ok(rest)
    } else {
        Err(damaged())
    }
}

/// A record as JSON, if it is not too much.
pub fn to_json(record: &Record) -> Result<Vec<u8>, StoreError> {
    let mut json = Vec::new();
    let written = write_json(record, &mut json);
    written.map_err(|error| fatal(&record_key(&record.key()), &format!("does not serialize: {error}")))?;
    if json.len() > RECORD_BYTES_MAX {
        return Err(StoreError::TooLarge("a record has more than 64 KiB"));
    }
    Ok(json)
}

/// A record of a kind, which lies under `key`.
pub fn of_json(key: &[u8], json: &[u8]) -> Result<Record, StoreError> {
    let kind = key.first().copied().unwrap_or_default();
    let value = read_json(kind, json).ok_or_else(|| fatal(key, "is of no known kind"))?;
    value.map_err(|error| fatal(key, &format!("does not parse: {error}")))
}

/// A record and its version, to lie under `key`.
pub fn encode(key: &[u8], version: u64, record: &Record) -> Result<Vec<u8>, StoreError> {
    Ok(seal(key, &[version.to_be_bytes().as_slice(), &to_json(record)?].concat()))
}

pub fn decode(key: &[u8], sealed: &[u8]) -> Result<Versioned<Record>, StoreError> {
    let rest = unseal(key, sealed)?;
    let short = || fatal(key, "is too short");
    let (version, json) = rest.split_first_chunk::<VERSION_BYTES>().ok_or_else(short)?;
    Ok(Versioned { version: u64::from_be_bytes(*version), value: of_json(key, json)? })
}

/// Says what is wrong with the value under a key.
pub fn fatal(key: &[u8], what: &str) -> StoreError {
    StoreError::Fatal(format!("{} {what}", describe(key)))
}

/// The kind, and which one, without giving anybody away: numbers are masked,
/// and of other keys only a checksum is said.
fn describe(key: &[u8]) -> String {
    let Some((&kind, rest)) = key.split_first() else { return "an empty key".to_owned() };
    let leading = rest.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes));
    let number = leading.and_then(Number::from_digits).map(Number::masked);
    let sequence = leading.unwrap_or_default();
    match (kind, number) {
        (0, _) => "the counters' record".to_owned(),
        (ENTRY, _) => format!("the log entry {sequence}"),
        (AUDIT, _) => format!("the audit line {sequence}"),
        (NEWEST, Some(number)) => format!("the newest entry's number of {number}"),
        (0x01 | 0x02 | 0x05, Some(number)) => {
            format!("the {} of {number}", kind_name(kind).unwrap_or_default())
        }
        _ => {
            let name = kind_name(kind).unwrap_or("index entry");
            format!("the {name} whose key has the checksum {:08x}", crc32fast::hash(key))
        }
    }
}

fn checksum(key: &[u8], rest: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(rest);
    hasher.finalize()
}

#[cfg(test)]
mod tests;
