//! By when an answer is due.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A moment that only ever moves later. Clones share it: the accept loop waits
/// for it, and the route moves it.
#[derive(Debug, Clone)]
pub struct Deadline(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    at: Mutex<Instant>,
    allowance: Duration,
    follows_body: AtomicBool,
    awaits_body: AtomicBool,
}

impl Deadline {
    pub(crate) fn new(allowance: Duration) -> Self {
        Self(Arc::new(Shared {
            at: Mutex::new(Instant::now() + allowance),
            allowance,
            follows_body: AtomicBool::new(false),
            awaits_body: AtomicBool::new(false),
        }))
    }

    /// For a route that waits on purpose: its wait comes on top.
    pub fn extend(&self, by: Duration) {
        *self.at() += by;
    }

    /// For a route that takes an upload of any length: every piece of it gives
    /// the whole allowance anew.
    pub fn follow_body(&self) {
        self.0.follows_body.store(true, Ordering::Relaxed);
    }

    /// A piece of the body has come, or its end.
    pub(super) fn body_came(&self) {
        self.0.awaits_body.store(false, Ordering::Relaxed);
        if self.0.follows_body.load(Ordering::Relaxed) {
            let mut at = self.at();
            *at = (*at).max(Instant::now() + self.0.allowance);
        }
    }

    pub(super) fn body_awaited(&self) {
        self.0.awaits_body.store(true, Ordering::Relaxed);
    }

    /// Whose fault it is that time has run out.
    pub(super) fn awaits_body(&self) -> bool {
        self.0.awaits_body.load(Ordering::Relaxed)
    }

    /// Waits until the moment has come, wherever it has moved meanwhile.
    pub(super) async fn passed(&self) {
        loop {
            let at = *self.at();
            sleep_until(at).await;
            if *self.at() <= at {
                return;
            }
        }
    }

    fn at(&self) -> std::sync::MutexGuard<'_, Instant> {
        // A panic cannot leave an instant half written.
        self.0.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWANCE: Duration = Duration::from_secs(30);

    async fn lasted(deadline: &Deadline, from: Instant) -> Duration {
        deadline.passed().await;
        from.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn it_moves_only_when_the_route_says_so() {
        let start = Instant::now();
        let plain = Deadline::new(ALLOWANCE);
        let extended = Deadline::new(ALLOWANCE);
        extended.extend(Duration::from_secs(5));
        let following = Deadline::new(ALLOWANCE);
        following.follow_body();

        tokio::time::advance(Duration::from_secs(20)).await;
        plain.body_came();
        following.body_came();
        let ends = tokio::join!(lasted(&plain, start), lasted(&extended, start), lasted(&following, start));
        assert_eq!((ends.0.as_secs(), ends.1.as_secs(), ends.2.as_secs()), (30, 35, 50));
    }
}
