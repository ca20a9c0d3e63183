//! When a webhook is called next, and when not any more.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::casework::ports::Delivery;
use crate::domain::day::later;
use crate::store::{Disabled, Failing, Telling, Webhook};

/// Growth within it is told as one.
pub(super) const WEBHOOK_INTERVAL_MIN_MS: i64 = 1_000;
/// Longer than a call can take; one that a crash has cut off is made again
/// after it.
pub(super) const CALL_S_MAX: i64 = 30;
/// The first pause after a failure; each one is twice as long.
const PAUSE_S_MIN: i64 = 5;
const PAUSE_S_MAX: i64 = 3_600;
/// A receiver that takes nothing for so long is not called any more.
pub(super) const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);
const WHY_CHARS_MAX: usize = 200;

/// How long until it is to be told of this size; `None` where it has nothing
/// to be told.
pub(super) fn wait(webhook: &Webhook, size: u64, now: Timestamp) -> Option<Duration> {
    let is_wanted = webhook.disabled.is_none() && webhook.told_size < size;
    is_wanted.then(|| Duration::try_from(webhook.next_at.duration_since(now)).unwrap_or_default())
}

/// Before the call: what is told, and that nobody else calls meanwhile.
pub(super) fn begin(webhook: &mut Webhook, size: u64, now: Timestamp) -> Telling {
    let telling = webhook.telling.filter(|telling| telling.size == size);
    let telling = telling.unwrap_or(Telling { size, since: now });
    webhook.telling = Some(telling);
    webhook.next_at = later(now, SignedDuration::from_secs(CALL_S_MAX));
    telling
}

/// After the call. `chance` spreads the pauses, so that receivers that fell
/// together are not called together.
pub(super) fn end(webhook: &mut Webhook, told: Telling, delivery: &Delivery, now: Timestamp, chance: u64) {
    let why = match delivery {
        Delivery::Delivered => {
            webhook.told_size = webhook.told_size.max(told.size);
            webhook.telling = None;
            webhook.failing = None;
            webhook.next_at = later(now, SignedDuration::from_millis(WEBHOOK_INTERVAL_MIN_MS));
            return;
        }
        Delivery::Gone => {
            webhook.disabled = Some(Disabled { at: now, why: "answered 410: it wants no more".to_owned() });
            return;
        }
        Delivery::Failed(why) => why,
    };
    let (since, tries) = webhook.failing.as_ref().map_or((now, 0), |failing| (failing.since, failing.tries));
    let last_at = later(since, GIVE_UP_AFTER);
    let pause = pause_ms(tries, chance).max(1_000 * retry_after_s(why.retry_after_s));
    webhook.next_at = later(now, SignedDuration::from_millis(pause)).min(last_at);
    let why: String = why.why.chars().take(WHY_CHARS_MAX).collect();
    if last_at <= now {
        webhook.disabled = Some(Disabled { at: now, why: format!("failing since {since}: {why}") });
    }
    webhook.failing = Some(Failing { since, tries: tries.saturating_add(1), why });
}

/// By chance, between half of a pause that doubles and the whole of it.
fn pause_ms(tries: u32, chance: u64) -> i64 {
    let longest = 1_000 * (PAUSE_S_MIN << tries.min(12)).min(PAUSE_S_MAX);
    let half = longest / 2;
    half + (chance % (half.unsigned_abs() + 1)).cast_signed()
}

/// What the receiver asked for, within what we would wait by ourselves.
fn retry_after_s(asked: Option<u64>) -> i64 {
    asked.unwrap_or(0).min(PAUSE_S_MAX.unsigned_abs()).cast_signed()
}
