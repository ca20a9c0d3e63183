//! By when an answer is due, and the turn that its request has until then, or
//! until it waits for something that takes long.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::turns::Turn;

/// A moment that only ever moves later. Clones share it: the accept loop waits
/// for it, and the route moves it. Who moves it waits for others, and leaves
/// the request's turn to somebody else.
#[derive(Debug, Clone)]
pub struct Deadline(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    at: Mutex<Instant>,
    allowance: Duration,
    follows_body: AtomicBool,
    awaits_body: AtomicBool,
    turn: Mutex<Turn>,
}

impl Deadline {
    pub(super) fn new(allowance: Duration, turn: Turn) -> Self {
        Self(Arc::new(Shared {
            at: Mutex::new(Instant::now() + allowance),
            allowance,
            follows_body: AtomicBool::new(false),
            awaits_body: AtomicBool::new(false),
            turn: Mutex::new(turn),
        }))
    }

    /// For a route that waits on purpose: its wait comes on top.
    pub fn extend(&self, by: Duration) {
        *self.at() += by;
        self.leave_turn();
    }

    /// For a route that takes an upload of any length: every piece of it gives
    /// the whole allowance anew.
    pub fn follow_body(&self) {
        self.0.follows_body.store(true, Ordering::Relaxed);
        self.leave_turn();
    }

    pub(super) fn leave_turn(&self) {
        drop(self.0.turn.lock().unwrap_or_else(PoisonError::into_inner).take());
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
        self.leave_turn();
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
        let plain = Deadline::new(ALLOWANCE, None);
        let extended = Deadline::new(ALLOWANCE, None);
        extended.extend(Duration::from_secs(5));
        let following = Deadline::new(ALLOWANCE, None);
        following.follow_body();

        tokio::time::advance(Duration::from_secs(20)).await;
        plain.body_came();
        following.body_came();
        let ends = tokio::join!(lasted(&plain, start), lasted(&extended, start), lasted(&following, start));
        assert_eq!((ends.0.as_secs(), ends.1.as_secs(), ends.2.as_secs()), (30, 35, 50));
    }
}
