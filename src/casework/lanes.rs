//! Which tasks stand in each other's way: those that wait for the same house
//! outside. An SMS gateway that stands still has its own places, and takes none
//! from operators' answers and decisions.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::store::TaskKind;

/// Of each lane, under way at once.
const TASKS_AT_ONCE_MAX: usize = 32;
/// Of each lane, under way or waiting for that; the others stay in the store.
const TASKS_PER_LANE_MAX: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    Messages,
    Operators,
    Providers,
    /// Nobody outside is waited for.
    Ours,
}

const LANES: usize = 4;

impl Lane {
    fn of(kind: &TaskKind) -> Self {
        match kind {
            TaskKind::SendCode(_) | TaskKind::Notify(_) | TaskKind::TellFiling { .. } => Self::Messages,
            TaskKind::Check(_) | TaskKind::RenewName(_) => Self::Operators,
            TaskKind::Probe { .. } => Self::Providers,
            TaskKind::Lapse { .. } | TaskKind::Apply(_) | TaskKind::File(_) | TaskKind::PurgeDocuments(_) => {
                Self::Ours
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Lanes {
    places: [Arc<Semaphore>; LANES],
    entered: Arc<Mutex<Entered>>,
}

#[derive(Debug, Default)]
struct Entered {
    tasks: BTreeSet<TaskKind>,
    by_lane: [usize; LANES],
}

/// What came of a task that is due.
#[derive(Debug)]
pub(super) enum Entry {
    In(Ticket),
    /// It is in its lane already.
    Known,
    /// Not now: too many are before it.
    Full,
}

/// Leaves the lane when it is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    kind: TaskKind,
    places: Arc<Semaphore>,
    entered: Arc<Mutex<Entered>>,
}

impl Lanes {
    pub(super) fn new() -> Self {
        let places = [(); LANES].map(|()| Arc::new(Semaphore::new(TASKS_AT_ONCE_MAX)));
        Self { places, entered: Arc::default() }
    }

    pub(super) fn enter(&self, kind: &TaskKind) -> Entry {
        let lane = Lane::of(kind) as usize;
        let mut entered = lock(&self.entered);
        if entered.tasks.contains(kind) {
            return Entry::Known;
        }
        if entered.by_lane[lane] == TASKS_PER_LANE_MAX {
            return Entry::Full;
        }
        entered.tasks.insert(kind.clone());
        entered.by_lane[lane] += 1;
        Entry::In(Ticket {
            kind: kind.clone(),
            places: Arc::clone(&self.places[lane]),
            entered: Arc::clone(&self.entered),
        })
    }
}

impl Ticket {
    /// Once those before it have left their places.
    pub(super) async fn place(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.places).acquire_owned().await.expect("the semaphore is never closed")
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut entered = lock(&self.entered);
        entered.tasks.remove(&self.kind);
        entered.by_lane[Lane::of(&self.kind) as usize] -= 1;
    }
}

fn lock(entered: &Mutex<Entered>) -> MutexGuard<'_, Entered> {
    // A panic leaves a set and a count as they were before or after.
    entered.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::id::{DisputeId, VerificationId};

    fn code(nth: usize) -> TaskKind {
        TaskKind::SendCode(VerificationId(Uuid::from_u128(nth as u128)))
    }

    #[test]
    fn a_full_lane_holds_up_no_other() {
        let lanes = Lanes::new();
        let mut waiting: Vec<_> = (0..TASKS_PER_LANE_MAX).map(|nth| lanes.enter(&code(nth))).collect();
        assert!(waiting.iter().all(|entry| matches!(entry, Entry::In(_))));
        assert!(matches!(lanes.enter(&code(0)), Entry::Known));
        assert!(matches!(lanes.enter(&code(TASKS_PER_LANE_MAX)), Entry::Full));
        let check = TaskKind::Check(DisputeId(Uuid::from_u128(1)));
        assert!(matches!(lanes.enter(&check), Entry::In(_)));
        waiting.truncate(TASKS_PER_LANE_MAX - 1);
        assert!(matches!(lanes.enter(&code(TASKS_PER_LANE_MAX)), Entry::In(_)), "one has left");
    }
}
