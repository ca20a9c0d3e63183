//! What a list's contact is told: once, when all of it is decided, and once
//! when documents are needed for the first time. Never a message for each
//! number, and never which number.

use crate::casework::worker::new_task;
use crate::casework::{Casework, Result, messages};
use crate::domain::dispute::{Dispute, Status};
use crate::domain::id::FilingId;
use crate::store::{Changeset, FilingNews, Task, TaskKind, Versioned};

impl Casework {
    /// A dispute of a list has come to this; ends the task that says so.
    pub(in crate::casework) async fn notify_list(
        &self,
        task: &Versioned<Task>,
        id: FilingId,
        status: Status,
    ) -> Result<()> {
        match status {
            Status::NeedsEvidence => self.tell_list(task, id, FilingNews::DocumentsAsked).await,
            status if status.is_open() => self.finish(task).await,
            _ => self.tell_list(task, id, FilingNews::AllDecided).await,
        }
    }

    /// Ends a task with a message to be sent, if it is one and the first.
    pub(super) async fn tell_list(
        &self,
        task: &Versioned<Task>,
        id: FilingId,
        news: FilingNews,
    ) -> Result<()> {
        let mut filing = self.filing(id).await?;
        let is_news = !filing.value.told.contains(&news)
            && (news == FilingNews::DocumentsAsked || self.is_decided(id).await?);
        let mut changeset = Changeset::default();
        changeset.delete(task);
        if is_news {
            filing.value.told.insert(news);
            changeset.put(filing);
            let kind = TaskKind::TellFiling { filing: id, news };
            changeset.put_new(new_task(kind, self.now()));
        }
        self.commit(changeset).await?;
        if is_news {
            self.wake_worker();
        }
        Ok(())
    }

    /// Whether every number of a list has its dispute, and none is open.
    async fn is_decided(&self, id: FilingId) -> Result<bool> {
        let mut any = false;
        for part in self.parts_of(id).await? {
            for line in part.lines.iter().filter(|line| line.rejected.is_none()) {
                any = true;
                let found = self.store().load::<Dispute>(&line.dispute).await?;
                if found.is_none_or(|found| found.value.status().is_open()) {
                    return Ok(false);
                }
            }
        }
        Ok(any)
    }

    /// The worker's part: hands the message to the SMS gateway. A contact that
    /// has changed hands since is told nothing.
    pub(in crate::casework) async fn tell_contact(
        &self,
        task: &Versioned<Task>,
        id: FilingId,
        news: FilingNews,
    ) -> Result<()> {
        let filing = self.filing(id).await?.value;
        if self.still_theirs(filing.contact, filing.control_proved_at).await.is_err() {
            return self.finish(task).await;
        }
        let what = match news {
            FilingNews::DocumentsAsked => "documents",
            FilingNews::AllDecided => "decided",
        };
        let link = self.links.as_ref().map(|links| links.filing(id));
        let text = messages::of_filing(news, filing.language, link);
        self.tell(task, format!("list-{id}-{what}"), filing.contact, &text).await
    }
}
