//! One question at a time for a provider and a number, whoever waits for the
//! answer, and none where there was an answer a moment ago.
//!
//! In memory: what was answered is in the store, and a restart only asks again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, ready};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use tracing::Instrument;

use super::{AskedProvider, Missing, Outcome, gateway_name};
use crate::casework::{Casework, unattended};
use crate::domain::id::ProviderId;
use crate::domain::number::Number;
use crate::env::correlation;

/// An answer is good for so long.
const FRESH_MINUTES: i64 = 5;
/// Questions under way at once, of all providers together.
const QUESTIONS_MAX: usize = 256;
/// Answers that are remembered beside these.
const ANSWERS_MAX: usize = 10_000;

type Asking = Shared<BoxFuture<'static, Outcome>>;
type Key = (ProviderId, Number);

pub struct LookUps {
    places: Arc<Semaphore>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known(BTreeMap<Key, Question>);

enum Question {
    UnderWay(Asking),
    Answered(Timestamp),
}

impl Casework {
    /// The outcome for whoever waits for it. The question itself goes on when
    /// nobody does.
    pub(super) fn question(&self, provider: &AskedProvider, number: Number) -> Asking {
        let key = (provider.id.clone(), number);
        let now = self.now();
        let mut known = self.lookups.lock();
        match known.0.get(&key) {
            Some(Question::UnderWay(asking)) => return asking.clone(),
            Some(Question::Answered(at)) if is_fresh(*at, now) => return known_already(Ok(())),
            Some(Question::Answered(_)) | None => {}
        }
        let Ok(place) = self.lookups.places.clone().try_acquire_owned() else {
            return known_already(Err(Missing::Unavailable));
        };
        if self.breakers.of(&gateway_name(&provider.id), |breaker| breaker.enter(now)).is_err() {
            return known_already(Err(Missing::Unavailable));
        }
        let (this, asked) = (self.clone(), provider.clone());
        let looking = async move {
            let key = (asked.id.clone(), number);
            // A panic in there is an outcome as well: the question has ended.
            let outcome = unattended(this.clone().look_up(asked, number)).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "what a look-up showed was not written down");
                Err(Missing::Unavailable)
            });
            drop(place);
            this.lookups.ended(key, outcome, this.now());
            outcome
        };
        // Under the id of whoever asked first.
        let looking = correlation::with(correlation::current(), looking).in_current_span();
        let question = tokio::spawn(looking);
        let asking = question.map(|outcome| outcome.unwrap_or(Err(Missing::Unavailable))).boxed().shared();
        known.make_room(now);
        known.0.insert(key, Question::UnderWay(asking.clone()));
        asking
    }
}

impl LookUps {
    /// Forgets answers that are not fresh any more.
    pub fn purge(&self, now: Timestamp) {
        self.lock().0.retain(|_, question| match question {
            Question::UnderWay(_) => true,
            Question::Answered(at) => is_fresh(*at, now),
        });
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.lock().0.len()
    }

    fn ended(&self, key: Key, outcome: Outcome, now: Timestamp) {
        let mut known = self.lock();
        match outcome {
            Ok(()) => known.0.insert(key, Question::Answered(now)),
            Err(_) => known.0.remove(&key),
        };
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Each change is whole before the next line.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn make_room(&mut self, now: Timestamp) {
        if self.0.len() < ANSWERS_MAX + QUESTIONS_MAX {
            return;
        }
        self.0.retain(|_, question| match question {
            Question::UnderWay(_) => true,
            Question::Answered(at) => is_fresh(*at, now),
        });
        if self.0.len() >= ANSWERS_MAX {
            self.0.retain(|_, question| matches!(question, Question::UnderWay(_)));
        }
    }
}

fn is_fresh(answered_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(answered_at) < SignedDuration::from_mins(FRESH_MINUTES)
}

fn known_already(outcome: Outcome) -> Asking {
    ready(outcome).boxed().shared()
}

impl Default for LookUps {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(QUESTIONS_MAX)), known: Mutex::default() }
    }
}

impl fmt::Debug for LookUps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookUps")
    }
}
