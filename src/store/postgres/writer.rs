//! What waits to be committed, written by a few transactions at once, each of a
//! group of changesets. Nobody waits for company: a group is who is there when
//! a transaction may begin.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;

use crate::store::postgres::error::Trouble;
use crate::store::postgres::{follow, group, write};
use crate::store::queue::Commit;
use crate::store::{Changeset, Meters, Receipt, StoreError};

/// Looked at for company at once. All others stay in the queue, which is what
/// has an end.
const LOOKED_AT_MAX: usize = 256;
/// While one is made durable, the next ones' rows are changed already.
const TRANSACTIONS_MAX: usize = 3;
/// How often a transaction is begun anew after a conflict.
const ATTEMPTS_MAX: usize = 8;

#[derive(Debug, Clone)]
pub struct Writer {
    pub pool: Pool,
    pub log_size: watch::Sender<u64>,
    /// For a transaction to end, so that the next one may begin.
    pub wait_max: Duration,
    pub meters: Meters,
}

impl Writer {
    /// Until the store is dropped and the queue is empty.
    pub async fn run(self, mut requests: mpsc::Receiver<Commit>) {
        let lanes = Arc::new(Semaphore::new(TRANSACTIONS_MAX));
        let mut waiting = Vec::new();
        while !waiting.is_empty() || requests.recv_many(&mut waiting, LOOKED_AT_MAX).await > 0 {
            let lane = timeout(self.wait_max, Arc::clone(&lanes).acquire_owned()).await;
            let Ok(lane) = lane else {
                self.answer(waiting.drain(..), &Err(StoreError::Busy("the database does not keep up")));
                continue;
            };
            top_up(&mut waiting, &mut requests);
            let (writer, commits) = (self.clone(), group::take(&mut waiting));
            tokio::spawn(async move {
                writer.write(commits).await;
                drop(lane);
            });
        }
    }

    /// As one; where one of them is refused, nobody knows which, as halves.
    async fn write(&self, commits: Vec<Commit>) {
        let mut groups = vec![commits];
        while let Some(mut group) = groups.pop() {
            let began = self.meters.now();
            match self.commit(&group).await {
                Ok(receipts) => {
                    self.meters.flushed(began, group.len());
                    for (commit, receipt) in group.into_iter().zip(receipts) {
                        self.answer([commit], &Ok(receipt));
                    }
                }
                Err(StoreError::Stale | StoreError::TooLarge(_)) if group.len() > 1 => {
                    groups.push(group.split_off(group.len() / 2));
                    groups.push(group);
                }
                Err(error) => self.answer(group, &Err(error)),
            }
        }
    }

    async fn commit(&self, group: &[Commit]) -> Result<Vec<Receipt>, StoreError> {
        let changesets: Vec<_> = group.iter().map(|commit| &commit.changeset).collect();
        for _ in 0..ATTEMPTS_MAX {
            match self.try_commit(&changesets).await {
                Err(Trouble::Conflict) => {}
                done => return done.map_err(Trouble::into_store_error),
            }
        }
        Err(Trouble::Conflict.into_store_error())
    }

    async fn try_commit(&self, changesets: &[&Changeset]) -> Result<Vec<Receipt>, Trouble> {
        let mut client = self.pool.get().await?;
        let committed = write::commit(&mut client, changesets).await?;
        follow::grown(&self.log_size, committed.log_size);
        Ok(committed.receipts)
    }

    /// Where nobody is there any more, nobody needs the answer.
    fn answer(&self, commits: impl IntoIterator<Item = Commit>, answer: &Result<Receipt, StoreError>) {
        for commit in commits {
            self.meters.answered(answer);
            let _ = commit.reply.send(answer.clone());
        }
    }
}

/// Those who have come meanwhile, as far as they are looked at.
fn top_up(waiting: &mut Vec<Commit>, requests: &mut mpsc::Receiver<Commit>) {
    while waiting.len() < LOOKED_AT_MAX
        && let Ok(commit) = requests.try_recv()
    {
        waiting.push(commit);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::store::queue::Queue;

    #[test]
    fn what_is_not_looked_at_stays_where_there_is_an_end() {
        let (queue, mut requests) = Queue::new(2 * LOOKED_AT_MAX);
        let mut waiting = Vec::new();
        for _ in 0..2 * LOOKED_AT_MAX {
            queue.send(Commit::new(Changeset::default()).0).unwrap();
        }
        top_up(&mut waiting, &mut requests);
        assert_eq!((waiting.len(), requests.len()), (LOOKED_AT_MAX, LOOKED_AT_MAX));
        waiting.truncate(10);
        top_up(&mut waiting, &mut requests);
        assert_eq!((waiting.len(), requests.len()), (LOOKED_AT_MAX, 10));
    }
}
