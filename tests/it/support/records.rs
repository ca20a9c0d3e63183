//! Records of every kind, small and told apart by little numbers.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use uuid::Uuid;
use zhengming::domain::control::Method;
use zhengming::domain::correction::{Entry, EntryReason};
use zhengming::domain::dispute::{
    Actor, Claim as Grievance, Control, Dispute, Enterprise, Flag, Reason, What,
};
use zhengming::domain::figures::{Cell, Tallies};
use zhengming::domain::id::{BatchId, DisputeId, FilingId, KeyId, ModeratorName, OperatorId};
use zhengming::domain::id::{ProviderId, SessionId, VerificationId, WebhookId};
use zhengming::domain::label::{Label, LabelKind, Regression, Source};
use zhengming::domain::language::Language;
use zhengming::domain::number::Number;
use zhengming::domain::number_file::{NumberFile, ReversalAsked};
use zhengming::domain::progress::Stage;
use zhengming::store::{
    AccessKey, Ack, AuditDraft, Batch, BatchState, Claim, Cluster, CodeCount, CountedWeek, Counting, Failing,
    Filing, FilingLine, FilingNews, FilingPart, Grant, LabelCount, Lease, LinePlace, LogHead, Moderator,
    OperatorState, ProviderRefusal, ProviderState, Record, RejectedLine, Role, Series, Session, Stored,
    Tally, Task, TaskKind, Telling, Trace, Verification, VerificationStatus, Webhook,
};

use crate::support::dice::Dice;

pub fn number(nth: u64) -> Number {
    Number::from_digits(8_613_800_000_000 + nth).unwrap()
}

/// So many seconds into the tests' time.
pub fn at(second: u64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + i64::try_from(second).unwrap()).unwrap()
}

pub fn day(nth: u64) -> Date {
    date(2026, 1, 1 + i8::try_from(nth % 28).unwrap())
}

/// The first three share a beginning, so that none is taken for another's.
pub fn provider(nth: u64) -> ProviderId {
    ["baidu", "baidu-2", "baidu2", "tencent"][usize::try_from(nth % 4).unwrap()].parse().unwrap()
}

pub fn operator(nth: u64) -> OperatorId {
    ["cmcc", "cucc", "ctcc"][usize::try_from(nth % 3).unwrap()].parse().unwrap()
}

pub fn moderator_name(nth: u64) -> ModeratorName {
    format!("mod{nth}").parse().unwrap()
}

pub fn uuid(nth: u64) -> Uuid {
    Uuid::from_u128(u128::from(nth))
}

pub fn claim(name: &str, value: impl ToString) -> Claim {
    Claim { name: name.to_owned(), value: value.to_string(), expires_at: None }
}

pub fn label(number: Number, provider: ProviderId, kind: LabelKind) -> Label {
    Label {
        provider,
        number,
        kind,
        category: None,
        code: None,
        name: Some("老王汽修".to_owned()),
        text: None,
        source: Source::Business,
        count: Some(7),
        first_marked_on: Some(day(0)),
        last_marked_on: Some(day(1)),
        marked_before: Vec::new(),
        observed_at: at(0),
        regressed: None,
    }
}

/// A label that came back.
pub fn regressed(mut label: Label, seq: u64) -> Label {
    label.regressed = Some(Regression { seq, seen_at: at(seq) });
    label
}

pub fn dispute(nth: u64, number: Number, filed_at: Timestamp, due_on: Date) -> Dispute {
    Dispute {
        id: DisputeId(uuid(nth)),
        number,
        claim: Grievance::Reassigned { opened: None, window: None },
        control: Control::Code,
        labels: Vec::new(),
        providers: vec![provider(nth)],
        note: None,
        contact: None,
        language: Language::En,
        control_proved_at: filed_at,
        filed_at,
        answer_due_on: due_on,
        due_on,
        events: Vec::new(),
        lease: None,
    }
}

/// A dispute that waits for a moderator.
pub fn queued(mut dispute: Dispute) -> Dispute {
    dispute.apply(dispute.filed_at, Actor::Rule, What::SentToReview { flags: vec![Flag::Ported] });
    dispute
}

/// The file of a number with the first of two signatures under a reversal.
pub fn reversal_asked(nth: u64, at: Timestamp) -> NumberFile {
    let asked =
        ReversalAsked { decision: 0, by: "alice".parse().unwrap(), reason: "a wrong month".into(), at };
    NumberFile { reversal_asked: Some(asked), ..NumberFile::new(number(nth)) }
}

pub fn task(kind: TaskKind, run_at: Timestamp) -> Task {
    Task { kind, run_at, attempts: 0, request_id: None }
}

pub fn batch(nth: u64, state: BatchState) -> Batch {
    Batch {
        id: BatchId(uuid(nth)),
        operator: operator(nth),
        received_at: at(1_000 - nth),
        state,
        applied_bytes: 0,
        looked_bytes: 0,
        answer: None,
        tally: Tally::default(),
        release_asked: None,
        discard_asked: None,
        claim: None,
        expires_at: None,
    }
}

pub fn access_key(nth: u64, issued_at: Timestamp) -> AccessKey {
    AccessKey {
        id: KeyId(uuid(nth)),
        hash: [u8::try_from(nth % 251).unwrap(); 32],
        grant: Grant::Provider(provider(nth)),
        name: "北京 1".to_owned(),
        issued_at,
        revoked_at: None,
        ends_at: None,
    }
}

pub fn moderator(nth: u64) -> Moderator {
    Moderator::new(moderator_name(nth), Role::Senior, "$argon2id$".to_owned())
}

pub fn ack(provider: ProviderId, stage: Stage, size: u64) -> Ack {
    Ack { provider, stage, size, at: at(size), software: None }
}

pub fn refusal(provider: ProviderId, seq: u64) -> ProviderRefusal {
    ProviderRefusal { provider, seq, code: "no_dated_reports".to_owned(), text: None, at: at(seq) }
}

pub fn webhook(provider: ProviderId, place: u8) -> Webhook {
    Webhook {
        id: WebhookId(uuid(place.into())),
        provider,
        place,
        url: format!("https://example.org/{place}").parse().unwrap(),
        added_at: at(0),
        told_size: 7,
        telling: Some(Telling { size: 8, since: at(1) }),
        next_at: at(2),
        failing: Some(Failing { since: at(1), tries: 1, why: "answered 500".to_owned() }),
        disabled: None,
    }
}

pub fn provider_state(provider: ProviderId, stage: Stage, size: u64) -> ProviderState {
    ProviderState {
        provider,
        sizes: [(stage, size)].into(),
        refused: size,
        software: None,
        acked_at: at(size),
    }
}

pub fn filing(nth: u64) -> Filing {
    let uscc = "91350211M000100Y46".parse().unwrap();
    Filing {
        id: FilingId(uuid(nth)),
        enterprise: Enterprise { name: "厦门某某科技有限公司".to_owned(), uscc },
        reason: Reason::Reassigned,
        show_name: false,
        note: None,
        contact: number(nth),
        language: Language::En,
        control_proved_at: at(nth),
        filed_at: at(nth),
        address: Some([7; 16]),
        accepted: 1,
        rejected: vec![RejectedLine {
            at: LinePlace::Line(nth),
            number: None,
            code: "line_malformed".to_owned(),
        }],
        parts: 3,
        parts_made: 0,
        told: [FilingNews::DocumentsAsked].into(),
    }
}

pub fn filing_part(nth: u64, part: u16) -> FilingPart {
    let line = FilingLine {
        dispute: DisputeId(uuid(nth)),
        number: number(nth),
        opened: None,
        labels: Vec::new(),
        rejected: None,
    };
    FilingPart { filing: FilingId(uuid(nth)), nth: part, lines: vec![line] }
}

pub fn cluster(nth: u64) -> Cluster {
    match nth % 3 {
        0 => Cluster::Neighbours(86_138_001_380 + nth),
        1 => Cluster::Address([u8::try_from(nth % 251).unwrap(); 16]),
        _ => Cluster::Contact(number(nth)),
    }
}

pub fn trace(cluster: Cluster, at: Timestamp, filing: u64, expires_at: Timestamp) -> Trace {
    Trace { cluster, at, filing: uuid(filing), expires_at }
}

pub fn verification(nth: u64, expires_at: Timestamp) -> Verification {
    Verification {
        id: VerificationId(uuid(nth)),
        number: number(nth),
        method: Method::SendSms,
        sends: true,
        language: "zh".to_owned(),
        tries: 0,
        status: VerificationStatus::Confirmed { at: at(nth) },
        started_at: at(0),
        expires_at,
        token_told: false,
        delivery: None,
    }
}

pub fn session(nth: u64, expires_at: Timestamp) -> Session {
    Session {
        id: SessionId(uuid(nth)),
        moderator: moderator_name(nth),
        totp_generation: 0,
        started_at: at(0),
        expires_at,
    }
}

pub fn label_count(provider: ProviderId, expires_at: Timestamp) -> LabelCount {
    LabelCount { provider, taken: 7, expires_at }
}

pub fn series(nth: u64) -> Series {
    match nth {
        0 => Series::Disputes,
        1 => Series::Log,
        _ => Series::Serving(provider(nth)),
    }
}

fn tallies(nth: u64) -> Tallies {
    let mut tallies = Tallies::default();
    tallies.count(Cell::Filed, nth);
    tallies
}

pub fn counting(series: Series, next: u64) -> Counting {
    Counting { series, next, open: next, waiting: tallies(next) }
}

pub fn counted_week(series: Series, week: Date, expires_at: Timestamp) -> CountedWeek {
    CountedWeek { series, week, released: tallies(1), expires_at }
}

pub fn code_count(number: Number, expires_at: Timestamp) -> CodeCount {
    CodeCount { number, sent_at: vec![at(1), at(2)], shown_at: vec![at(2)], expires_at }
}

/// A log entry that says nothing but whose salt tells it apart.
pub fn entry(number: Number, supersedes: Option<u64>, salt: impl ToString) -> Entry {
    Entry::new(number, None, EntryReason::Released, supersedes, at(0), salt.to_string())
}

pub fn audit(subject: impl ToString) -> AuditDraft {
    AuditDraft {
        at: at(0),
        actor: "rule".to_owned(),
        action: "try".to_owned(),
        subject: subject.to_string(),
        digest: None,
    }
}

pub fn lease(name: &str, epoch: u64) -> Lease {
    Lease { name: name.to_owned(), holder: format!("i{epoch}"), epoch, renewals: 0 }
}

pub fn log_head(size: u64) -> LogHead {
    LogHead { verifier: "localhost/feed+00000000+AQ==".to_owned(), size, root: [9; 32] }
}

/// Any record out of a small world, where keys and times meet often.
pub fn any(dice: &mut Dice) -> Record {
    let (nth, other, time) = (dice.roll(3), dice.roll(4), at(dice.roll(5)));
    let kind = [LabelKind::Category, LabelKind::Name][usize::try_from(dice.roll(2)).unwrap()];
    let stage = Stage::ALL[usize::try_from(dice.roll(3)).unwrap()];
    match dice.roll(28) {
        0 if dice.once_in(2) => reversal_asked(nth, time).into_record(),
        0 => NumberFile::new(number(nth)).into_record(),
        1 | 2 => label(number(nth), provider(other), kind).into_record(),
        3 => dispute(other, number(nth), time, day(nth)).into_record(),
        4 => queued(dispute(other, number(nth), time, day(nth))).into_record(),
        5 => verification(nth, time).into_record(),
        6 => code_count(number(nth), time).into_record(),
        7 => Claim { expires_at: dice.once_in(2).then_some(time), ..claim(&format!("c{nth}"), other) }
            .into_record(),
        8 => access_key(nth, time).into_record(),
        9 => moderator(nth).into_record(),
        10 => session(nth, time).into_record(),
        11 => batch(nth, any_batch_state(dice)).into_record(),
        12 => OperatorState { operator: operator(nth), last_batch_at: Some(time), releases: vec![(time, 1)] }
            .into_record(),
        13 => ack(provider(other), stage, nth).into_record(),
        14 => refusal(provider(other), nth).into_record(),
        15 => log_head(nth).into_record(),
        16 => webhook(provider(other), u8::try_from(nth).unwrap()).into_record(),
        17 => provider_state(provider(other), stage, nth).into_record(),
        18 => regressed(label(number(nth), provider(other), kind), nth).into_record(),
        19 => filing(nth).into_record(),
        20 => filing_part(nth, u16::try_from(other).unwrap()).into_record(),
        21 => trace(cluster(nth), time, other, at(dice.roll(5))).into_record(),
        22 => label_count(provider(other), time).into_record(),
        23 => Batch { expires_at: Some(time), ..batch(nth, BatchState::Done) }.into_record(),
        24 => counting(series(other), nth).into_record(),
        25 => counted_week(series(other), day(nth), time).into_record(),
        26 => lease(&format!("l{nth}"), other).into_record(),
        _ => task(any_task(dice), time).into_record(),
    }
}

fn any_batch_state(dice: &mut Dice) -> BatchState {
    match dice.roll(5) {
        0 => BatchState::Applying,
        1 => BatchState::Held,
        2 => BatchState::Releasing,
        3 => BatchState::Done,
        _ => BatchState::Discarded,
    }
}

fn any_task(dice: &mut Dice) -> TaskKind {
    let nth = dice.roll(2);
    match dice.roll(10) {
        0 => TaskKind::Check(DisputeId(uuid(nth))),
        1 => TaskKind::SendCode(VerificationId(uuid(nth))),
        2 => TaskKind::Notify(DisputeId(uuid(nth))),
        3 => TaskKind::Lapse { dispute: DisputeId(uuid(nth)), on: day(dice.roll(2)) },
        4 => TaskKind::RenewName(number(nth)),
        5 => TaskKind::Probe { dispute: DisputeId(uuid(nth)), provider: provider(dice.roll(2)) },
        6 => TaskKind::Apply(BatchId(uuid(nth))),
        7 => TaskKind::File(FilingId(uuid(nth))),
        8 => TaskKind::PurgeDocuments(DisputeId(uuid(nth))),
        _ => {
            let news = [FilingNews::DocumentsAsked, FilingNews::AllDecided];
            let news = news[usize::try_from(dice.roll(2)).unwrap()];
            TaskKind::TellFiling { filing: FilingId(uuid(nth)), news }
        }
    }
}
