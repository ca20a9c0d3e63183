//! What is told, when, and how often.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::casework::webhooks::schedule::{CALL_S_MAX, GIVE_UP_AFTER, WEBHOOK_INTERVAL_MIN_MS};
use crate::store::Failing;

#[tokio::test]
async fn a_receiver_can_tell_that_it_was_us() {
    let (town, secret) = Town::with_webhook().await;
    assert_eq!(town.tell(0).await, [], "there is nothing yet");
    let told = town.tell_one(7).await;
    assert_eq!(told.url, url(0));
    assert_eq!(
        told.body,
        r#"{"type":"checkpoint.published","timestamp":"2026-11-23T03:04:05Z","data":{"size":7}}"#
    );
    assert_eq!(told.timestamp, town.clock.now().as_second());
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    assert_eq!(key.len(), 32);
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{}.{}.{}", told.id, told.timestamp, told.body).as_bytes());
    let signature = STANDARD.decode(told.signature.strip_prefix("v1,").unwrap()).unwrap();
    mac.verify_slice(&signature).unwrap();
}

#[tokio::test]
async fn what_was_taken_is_not_told_again_and_growth_at_most_every_second() {
    let (town, _) = Town::with_webhook().await;
    assert_eq!(size_of(&town.tell_one(1).await), 1);
    town.clock.advance(seconds(60));
    assert_eq!(town.tell(1).await, []);
    assert_eq!(size_of(&town.tell_one(2).await), 2);
    assert_eq!(town.tell(3).await, [], "within a second");
    town.clock.advance(SignedDuration::from_millis(WEBHOOK_INTERVAL_MIN_MS));
    assert_eq!(size_of(&town.tell_one(9).await), 9, "those between are skipped");
}

#[tokio::test]
async fn a_message_is_the_same_in_every_attempt_and_only_the_newest_is_told() {
    let (town, _) = Town::with_webhook().await;
    town.answers(failed("answered 500"));
    let first = town.tell_one(1).await;
    town.clock.advance(seconds(10));
    let again = town.tell_one(1).await;
    assert_eq!((&again.id, &again.body), (&first.id, &first.body));
    assert_eq!(again.timestamp, first.timestamp + 10);
    assert_ne!(again.signature, first.signature);
    town.clock.advance(seconds(20));
    town.answers(Delivery::Delivered);
    let newer = town.tell_one(5).await;
    assert_eq!(size_of(&newer), 5);
    assert_ne!(newer.id, first.id);
    let webhook = town.webhook().await;
    assert_eq!((webhook.told_size, webhook.failing), (5, None));
}

#[tokio::test]
async fn a_receiver_that_fails_for_a_day_is_disabled() {
    let (town, first_secret) = Town::with_webhook().await;
    town.answers(failed("answered 500"));
    let since = town.clock.now();
    town.tell_one(1).await;
    let mut longest = 5;
    let mut tries = 1;
    while town.webhook().await.disabled.is_none() {
        let now = town.clock.now();
        let next_at = town.webhook().await.next_at;
        let pause = next_at.duration_since(now);
        let is_last = next_at == since + GIVE_UP_AFTER;
        assert!(pause <= seconds(longest) && (is_last || pause * 2 >= seconds(longest)), "{tries}: {pause}");
        town.clock.set(next_at - SignedDuration::from_millis(1));
        assert_eq!(town.tell(1).await, [], "not before");
        town.clock.set(next_at);
        town.tell_one(1).await;
        longest = (longest * 2).min(3_600);
        tries += 1;
    }
    assert_eq!(town.clock.now(), since + GIVE_UP_AFTER);
    assert!((30..60).contains(&tries), "{tries}");
    let webhook = town.webhook().await;
    assert_eq!(webhook.failing.map(|failing| failing.tries), Some(tries));
    let why = webhook.disabled.unwrap().why;
    assert_eq!(why, "failing since 2026-11-23T03:04:05Z: answered 500");
    assert_eq!(town.audited().await.last().unwrap(), &("rule".into(), "webhook_disabled".into()));
    town.clock.advance(seconds(100_000));
    assert_eq!(town.tell(2).await, [], "it is left alone");

    let secret = town.add(0).await.unwrap();
    assert_ne!(secret, first_secret);
    town.answers(Delivery::Delivered);
    town.tell_one(2).await;
    let webhook = town.webhook().await;
    assert_eq!((webhook.disabled, webhook.failing, webhook.told_size), (None, None, 2));
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_disabled_at_once() {
    let (town, _) = Town::with_webhook().await;
    town.answers(Delivery::Gone);
    town.tell_one(1).await;
    assert_eq!(town.webhook().await.disabled.unwrap().at, town.clock.now());
    assert_eq!(town.audited().await.last().unwrap().1, "webhook_disabled");
    town.clock.advance(seconds(100));
    assert_eq!(town.tell(2).await, []);
}

#[tokio::test]
async fn a_pause_that_a_receiver_names_is_kept() {
    let (town, _) = Town::with_webhook().await;
    for (asked, kept) in [(1_000, 1_000), (1_000_000, 3_600)] {
        town.answers(Delivery::Failed(Unavailable {
            why: "answered 429".into(),
            retry_after_s: Some(asked),
            alarm: false,
        }));
        town.clock.set(town.webhook().await.next_at);
        town.tell_one(1).await;
        assert_eq!(town.webhook().await.next_at, town.clock.now() + seconds(kept));
    }
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was() {
    let (mut town, _) = Town::with_webhook().await;
    town.answers(failed("no connection"));
    let first = town.tell_one(1).await;
    let next_at = town.webhook().await.next_at;
    town.casework = casework(&town.store, &town.clock, town.receiver.clone(), &town.dir);
    assert_eq!(town.tell(1).await, [], "its pause lasts");
    town.clock.set(next_at);
    let again = town.tell_one(1).await;
    assert_eq!((again.id, again.body), (first.id, first.body));
    let Some(Failing { tries, since, .. }) = town.webhook().await.failing else { panic!("it fails") };
    assert_eq!((tries, since.as_second()), (2, first.timestamp));
}

#[tokio::test]
async fn a_call_that_a_crash_cut_off_is_made_again() {
    let (town, _) = Town::with_webhook().await;
    let mut calls = JoinSet::new();
    town.casework.begin_calls(1, &mut calls).await.unwrap();
    assert_eq!(calls.len(), 1);
    // Never polled: the crash.
    drop(calls);
    let telling = town.webhook().await.telling.unwrap();
    town.clock.advance(seconds(CALL_S_MAX - 1));
    assert_eq!(town.tell(1).await, [], "somebody may be calling still");
    town.clock.advance(seconds(1));
    let told = town.tell_one(1).await;
    assert!(told.body.contains(&telling.since.to_string()), "it is the same message");
}

/// A receiver who answers when the test does.
#[derive(Debug)]
struct Asked(mpsc::UnboundedSender<(WebhookMessage, oneshot::Sender<Delivery>)>);

#[async_trait]
impl Webhooks for Asked {
    async fn post(&self, message: &WebhookMessage) -> Delivery {
        let (answer, answered) = oneshot::channel();
        self.0.send((message.clone(), answer)).unwrap();
        answered.await.unwrap_or(Delivery::Delivered)
    }
}

#[tokio::test(start_paused = true)]
async fn the_loop_tells_of_growth_one_call_at_a_time() {
    let town = Town::new().await;
    let (asked, mut calls) = mpsc::unbounded_channel();
    let casework = casework(&town.store, &town.clock, Arc::new(Asked(asked)), &town.dir);
    let (publish, published) = watch::channel(1);
    let stop = CancellationToken::new();
    let (teller, stopped) = (casework.clone(), stop.clone());
    let telling = tokio::spawn(async move { teller.tell_webhooks(published, &stopped).await });

    // Whoever is added is told at once.
    casework.add_webhook(owner(), &provider(), &url(0)).await.unwrap();
    let (first, answer) = calls.recv().await.unwrap();
    assert_eq!(size_of(&first), 1);
    // Growth during a call waits for its end, and is told as one.
    publish.send(2).unwrap();
    publish.send(3).unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(calls.try_recv().is_err(), "one call at a time");
    answer.send(failed("answered 500")).unwrap();
    while town.webhook().await.failing.is_none() {
        tokio::task::yield_now().await;
    }
    // When its pause is over, it is called again.
    town.clock.set(town.webhook().await.next_at);
    let (second, answer) = calls.recv().await.unwrap();
    assert_eq!(size_of(&second), 3);
    answer.send(Delivery::Delivered).unwrap();
    while town.webhook().await.told_size < 3 {
        tokio::task::yield_now().await;
    }
    town.clock.advance(seconds(60));
    publish.send(4).unwrap();
    let (third, _unanswered) = calls.recv().await.unwrap();
    assert_eq!(size_of(&third), 4);
    // A call that is never answered does not keep the house open.
    stop.cancel();
    assert_eq!(telling.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_webhook_that_is_removed_during_its_call_stays_away() {
    let town = Town::new().await;
    let (asked, mut answers) = mpsc::unbounded_channel();
    let casework = casework(&town.store, &town.clock, Arc::new(Asked(asked)), &town.dir);
    casework.add_webhook(owner(), &provider(), &url(0)).await.unwrap();
    let mut calls = JoinSet::new();
    casework.begin_calls(1, &mut calls).await.unwrap();
    let (_, answer) = answers.recv().await.unwrap();
    casework.remove_webhook(owner(), &provider(), &url(0)).await.unwrap();
    casework.add_webhook(owner(), &provider(), &url(1)).await.unwrap();
    answer.send(Delivery::Gone).unwrap();
    calls.join_next().await.unwrap().unwrap().unwrap();
    let Webhook { url: left, disabled, .. } = town.webhook().await;
    assert_eq!((left, disabled), (url(1), None), "another took its place, and is another");
}
