//! Half a year of a service that is in use: disputes, what became of them, the
//! log, and providers that follow it, each at its own pace.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use zhengming::domain::correction::{Effect, Entry, EntryReason};
use zhengming::domain::dispute::{Actor, Dispute, Flag, Refused, What};
use zhengming::domain::evidence::Assurance;
use zhengming::domain::id::KeyId;
use zhengming::domain::progress::Stage;
use zhengming::store::{AccessKey, Ack, AuditDraft, Changeset, Grant, Store};

use super::dice::Dice;
use super::records::{dispute, moderator_name, number, uuid};

const WEEKS: i64 = 26;
const DAY_S: i64 = 86_400;
/// Each with its pause between two acknowledgements, in seconds.
const PROVIDERS: [(&str, i64); 5] = [
    ("tencent", 20),
    ("baidu", 1_800),
    ("harmonyos", 3 * 3_600),
    ("dianhuabang", DAY_S),
    ("qihoo360", 3 * DAY_S),
];
/// Another has just begun.
const NEWCOMER: &str = "sogou";

const CHANGES_MAX: usize = 200;

/// Writes it as if it had happened up to now.
pub async fn happened(store: &dyn Store, now: Timestamp) {
    let mut dice = Dice::new(26);
    let mut disputes = Vec::new();
    for week in 0..WEEKS {
        let filed = 60 + 7 * week as u64 + dice.roll(60);
        for _ in 0..filed {
            let ago = (WEEKS - week) * 7 * DAY_S - dice.roll(7 * DAY_S as u64) as i64;
            let filed_at = earlier(now, ago);
            disputes.push(decided(&mut dice, disputes.len() as u64, filed_at, now));
        }
    }
    disputes.sort_by_key(|dispute| dispute.filed_at);
    keep_disputes(store, &disputes).await;
    let approved = |dispute: &Dispute| {
        let events = dispute.events.iter();
        events.filter(|event| matches!(event.what, What::Approved { .. })).map(|event| event.at).next()
    };
    let mut corrected: Vec<Timestamp> = disputes.iter().filter_map(approved).collect();
    corrected.sort();
    keep_entries(store, &corrected).await;
    for (nth, (provider, pause_s)) in PROVIDERS.into_iter().enumerate() {
        has_key(store, nth as u64, provider, earlier(now, 200 * DAY_S)).await;
        serves(store, provider, pause_s, &corrected, now).await;
    }
    has_key(store, 9, NEWCOMER, earlier(now, 3_600)).await;
}

/// Mostly by rule within seconds, else by people within days, if it was filed
/// so long ago.
fn decided(dice: &mut Dice, nth: u64, filed_at: Timestamp, now: Timestamp) -> Dispute {
    let filed_on: Date = jiff::tz::TimeZone::UTC.to_datetime(filed_at).date();
    let due_on = filed_on.saturating_add(jiff::Span::new().days(7));
    let mut dispute = dispute(nth + 1, number(nth), filed_at, due_on);
    dispute.apply(filed_at, Actor::Holder, What::Filed);
    let refused =
        |code: &str| What::Refused(Refused { code: code.to_owned(), public_note: None, note: None });
    let approved = What::Approved { effect: Effect::ClearName, assurance: Assurance::Operator, ruling: None };
    let draw = dice.roll(100);
    let what = match draw {
        0..12 => refused("not_held_since"),
        12..20 => refused("no_change_of_holder"),
        20..24 => refused("names_agree"),
        24 if dice.once_in(16) => refused("identity_mismatch"),
        80..86 => refused("looked_at_it"),
        _ => approved,
    };
    let (actor, seconds) = if draw < 80 {
        (Actor::Rule, 1 + dice.roll(3) * dice.roll(2))
    } else {
        let reviewed = What::SentToReview { flags: vec![Flag::OperatorUnknown] };
        dispute.apply(later(filed_at, 3), Actor::Rule, reviewed);
        (Actor::Moderator { name: moderator_name(1) }, 7_200 + dice.roll(400_000) * (1 + dice.roll(2)))
    };
    let at = later(filed_at, seconds as i64);
    let waits = draw >= 80 && dice.once_in(20);
    if at <= now && !waits {
        dispute.apply(at, actor, what);
    }
    dispute
}

async fn keep_disputes(store: &dyn Store, disputes: &[Dispute]) {
    let mut lines = Vec::new();
    for chunk in disputes.chunks(CHANGES_MAX) {
        let mut changes = Changeset::default();
        for dispute in chunk {
            lines.extend(
                dispute.events.iter().map(|event| line(dispute, event.at, &event.actor, &event.what)),
            );
            changes.put_new(dispute.clone());
        }
        store.commit(changes).await.unwrap();
    }
    lines.sort_by_key(|line| line.at);
    for chunk in lines.chunks(CHANGES_MAX) {
        store.commit(Changeset { audit: chunk.to_vec(), ..Changeset::default() }).await.unwrap();
    }
}

fn line(dispute: &Dispute, at: Timestamp, actor: &Actor, what: &What) -> AuditDraft {
    let actor = match actor {
        Actor::Holder => "holder".to_owned(),
        Actor::Rule => "rule".to_owned(),
        Actor::Moderator { name } => format!("moderator:{name}"),
    };
    let json = serde_json::to_value(what).unwrap();
    let action = json["event"].as_str().unwrap().to_owned();
    AuditDraft { at, actor, action, subject: format!("dispute:{}", dispute.id), digest: None }
}

async fn keep_entries(store: &dyn Store, corrected: &[Timestamp]) {
    let entry = |(nth, at): (u64, &Timestamp)| {
        Entry::new(number(100_000 + nth), None, EntryReason::Reassigned, None, *at, nth.to_string())
    };
    let entries: Vec<Entry> = (0..).zip(corrected).map(entry).collect();
    for chunk in entries.chunks(CHANGES_MAX) {
        store.commit(Changeset { entries: chunk.to_vec(), ..Changeset::default() }).await.unwrap();
    }
}

/// At each round of so many seconds all that there is.
async fn serves(store: &dyn Store, provider: &str, pause_s: i64, corrected: &[Timestamp], now: Timestamp) {
    let mut acks: Vec<Ack> = Vec::new();
    for (nth, at) in corrected.iter().enumerate() {
        let round = (at.as_second().div_euclid(pause_s) + 1) * pause_s;
        let at = Timestamp::from_second(round).unwrap();
        acks.pop_if(|before| before.at == at);
        let provider = provider.parse().unwrap();
        acks.push(Ack { provider, stage: Stage::Serving, size: nth as u64 + 1, at, software: None });
    }
    acks.retain(|ack| ack.at <= now);
    for chunk in acks.chunks(CHANGES_MAX) {
        let mut changes = Changeset::default();
        chunk.iter().for_each(|ack| changes.put_new(ack.clone()));
        store.commit(changes).await.unwrap();
    }
}

async fn has_key(store: &dyn Store, nth: u64, provider: &str, issued_at: Timestamp) {
    let mut changes = Changeset::default();
    changes.put_new(AccessKey {
        id: KeyId(uuid(1_000 + nth)),
        hash: [u8::try_from(100 + nth).unwrap(); 32],
        grant: Grant::Provider(provider.parse().unwrap()),
        name: provider.to_owned(),
        issued_at,
        revoked_at: None,
        ends_at: None,
    });
    store.commit(changes).await.unwrap();
}

fn earlier(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_secs(seconds)).unwrap()
}

fn later(from: Timestamp, seconds: i64) -> Timestamp {
    from.checked_add(SignedDuration::from_secs(seconds)).unwrap()
}
