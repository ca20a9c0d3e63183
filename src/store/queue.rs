//! The way to a writer: bounded, and full is a no at once.

use tokio::sync::{mpsc, oneshot};

use crate::store::{Changeset, Receipt, StoreError};

pub type Answer = Result<Receipt, StoreError>;

/// What waits to be written, and who waits for it.
#[derive(Debug)]
pub struct Commit {
    pub changeset: Changeset,
    pub reply: oneshot::Sender<Answer>,
}

impl Commit {
    pub fn new(changeset: Changeset) -> (Self, oneshot::Receiver<Answer>) {
        let (reply, answer) = oneshot::channel();
        (Self { changeset, reply }, answer)
    }
}

#[derive(Debug)]
pub struct Queue<T>(mpsc::Sender<T>);

impl<T> Queue<T> {
    pub fn new(requests_max: usize) -> (Self, mpsc::Receiver<T>) {
        let (sender, receiver) = mpsc::channel(requests_max.max(1));
        (Self(sender), receiver)
    }

    pub fn send(&self, request: T) -> Result<(), StoreError> {
        match self.0.try_send(request) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => {
                Err(StoreError::Busy("too many changesets wait to be written"))
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(gone()),
        }
    }
}

/// Nobody takes from the queue, or answers, any more.
pub fn gone() -> StoreError {
    StoreError::Fatal("the writer is gone".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_at_once_and_takes_again_when_there_is_room() {
        let (queue, mut waiting) = Queue::new(2);
        queue.send(1).unwrap();
        queue.send(2).unwrap();
        assert!(matches!(queue.send(3), Err(StoreError::Busy(_))));
        assert!(waiting.try_recv().is_ok());
        queue.send(4).unwrap();
        assert_eq!(waiting.len(), 2, "what was refused was not taken");
    }
}
