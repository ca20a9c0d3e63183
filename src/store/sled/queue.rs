//! The way to the writer: bounded, and full is a no at once.

use tokio::sync::{mpsc, oneshot};

use crate::store::embedded::walk::Walk;
use crate::store::{Changeset, Receipt, StoreError};

pub type Answer = Result<Receipt, StoreError>;

#[derive(Debug)]
pub enum Request {
    Commit(Commit),
    /// Of everything, as of the group that this is in.
    Everything(oneshot::Sender<Result<Walk, StoreError>>),
}

#[derive(Debug)]
pub struct Commit {
    pub changeset: Changeset,
    pub reply: oneshot::Sender<Answer>,
}

#[derive(Debug)]
pub struct Queue(mpsc::Sender<Request>);

impl Queue {
    pub fn new(changesets_max: usize) -> (Self, mpsc::Receiver<Request>) {
        let (sender, receiver) = mpsc::channel(changesets_max.max(1));
        (Self(sender), receiver)
    }

    pub fn submit(&self, changeset: Changeset) -> Result<oneshot::Receiver<Answer>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Commit(Commit { changeset, reply }))?;
        Ok(answer)
    }

    pub fn everything(&self) -> Result<oneshot::Receiver<Result<Walk, StoreError>>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Everything(reply))?;
        Ok(answer)
    }

    fn send(&self, request: Request) -> Result<(), StoreError> {
        match self.0.try_send(request) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => {
                Err(StoreError::Busy("too many changesets wait to be written"))
            }
            Err(mpsc::error::TrySendError::Closed(_)) => {
                Err(StoreError::Fatal("the writer is gone".to_owned()))
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_at_once_and_takes_again_when_there_is_room() {
        let (queue, mut waiting) = Queue::new(2);
        let _first = queue.submit(Changeset::default()).unwrap();
        let _second = queue.submit(Changeset::default()).unwrap();
        assert!(matches!(queue.submit(Changeset::default()), Err(StoreError::Busy(_))));
        assert!(waiting.try_recv().is_ok());
        let _third = queue.submit(Changeset::default()).unwrap();
        assert_eq!(waiting.len(), 2, "what was refused was not taken");
    }
}
