//! From a list to its disputes: one part is one commit, which also says how
//! far the list has come. A crash leaves whole parts, and the task.

use crate::casework::clusters::neighbours;
use crate::casework::{Casework, Result};
use crate::domain::cluster::ClusterSeen;
use crate::domain::dispute::{Claim as Says, Control, Dispute, Reason, Show};
use crate::domain::id::FilingId;
use crate::domain::window::Window;
use crate::store::{Changeset, Cluster, Filing, FilingLine, FilingNews, FilingPart, Stored, Task, Versioned};

impl Casework {
    /// The worker's part.
    pub(in crate::casework) async fn make_disputes(
        &self,
        task: &Versioned<Task>,
        id: FilingId,
    ) -> Result<()> {
        while self.retrying(|| self.make_part(id)).await? {
            self.wake_worker();
        }
        // Nobody else tells of a list whose last numbers came to nothing.
        self.tell_list(task, id, FilingNews::AllDecided).await
    }

    /// Makes the disputes of the next part; false where there is none.
    async fn make_part(&self, id: FilingId) -> Result<bool> {
        let mut filing = self.filing(id).await?;
        let found = self.store().load::<FilingPart>(&(id, filing.value.parts_made)).await?;
        let Some(mut part) = found.filter(|_| filing.value.parts_made < filing.value.parts) else {
            return Ok(false);
        };
        let mut changeset = Changeset::default();
        let address = filing.value.address.map(Cluster::Address);
        let shared = address.into_iter().chain([Cluster::Contact(filing.value.contact)]);
        let shared = self.trace(&mut changeset, shared, id.0, filing.value.filed_at).await?;
        for line in &mut part.value.lines {
            self.make_dispute(&mut changeset, &filing.value, line, &shared).await?;
        }
        filing.value.parts_made += 1;
        if filing.value.parts_made == filing.value.parts {
            // From here on only the traces know where it came from, for as long as they are kept.
            filing.value.address = None;
        }
        changeset.put(filing);
        changeset.put(part);
        self.commit(changeset).await?;
        Ok(true)
    }

    async fn make_dispute(
        &self,
        changeset: &mut Changeset,
        filing: &Filing,
        line: &mut FilingLine,
        shared: &[ClusterSeen],
    ) -> Result<()> {
        let control = Control::Enterprise { enterprise: filing.enterprise.clone(), filing: filing.id };
        if let Some(code) = self.taken_already(line.number, filing.reason, &control).await? {
            line.rejected = Some(code.to_owned());
            return Ok(());
        }
        let file = self.number_file(line.number).await?;
        changeset.expect(file.value.key(), file.version);
        let own = self.trace(changeset, [neighbours(line.number)], filing.id.0, filing.filed_at).await?;
        let seen = [own.as_slice(), shared].concat();
        self.open(changeset, self.of_line(filing, line, control), seen);
        Ok(())
    }

    fn of_line(&self, filing: &Filing, line: &FilingLine, control: Control) -> Dispute {
        let claim = match filing.reason {
            Reason::Reassigned => {
                let (today, rest_days) = (self.today(line.number), self.rest_days(line.number));
                let window = line.opened.map(|opened| Window::around(opened, today, rest_days));
                Says::Reassigned { opened: line.opened, window }
            }
            Reason::NameMismatch => {
                let enterprise = filing.enterprise.clone();
                let show = filing.show_name.then_some(Show { name: enterprise.name, uscc: enterprise.uscc });
                Says::NameMismatch { show }
            }
        };
        let drafted = self.draft(line.dispute, line.number, claim, line.labels.clone());
        Dispute {
            control,
            note: filing.note.clone(),
            contact: Some(filing.contact),
            language: filing.language,
            control_proved_at: filing.control_proved_at,
            ..drafted
        }
    }
}
