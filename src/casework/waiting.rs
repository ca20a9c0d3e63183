//! The cases that wait, one by one: for an eye on the whole queue.
//!
//! Absent: a way to take one (`moderation::next_case` hands them out, so that
//! nobody picks theirs), and numbers in full for whom a case would not be shown.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::casework::actors::ModeratorActor;
use crate::casework::{Casework, Result};
use crate::domain::dispute::{Dispute, Flag, Lease, Reason, State, Status};
use crate::domain::id::DisputeId;
use crate::store::{Cursor, Listing};

/// Cases are read by so many, and a page has room for twice of them.
pub const WAITING_CASES_PER_PAGE: usize = 30;
/// One call looks at no more.
pub const WAITING_CASES_LOOKED_AT_MAX: usize = 5_000;

/// All of it has to be true of a case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WaitingFilter {
    pub status: Option<Status>,
    pub flag: Option<Flag>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingCase {
    pub id: DisputeId,
    /// Masked, but for whom any case would be shown.
    pub number: String,
    pub reason: Reason,
    pub status: Status,
    pub flags: Vec<Flag>,
    pub filed_at: Timestamp,
    pub age_days: i64,
    pub due_on: Date,
    pub overdue: bool,
    /// In somebody's hands now.
    pub lease: Option<Lease>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitingPage {
    /// The earliest due first; as many as there are, or `WAITING_CASES_PER_PAGE`
    /// and more, or fewer where too many had to be passed over.
    pub cases: Vec<WaitingCase>,
    /// After what the next page begins; opaque.
    pub next: Option<Vec<u8>>,
}

impl WaitingFilter {
    fn takes(self, state: &State) -> bool {
        self.status.is_none_or(|status| state.status == status)
            && self.flag.is_none_or(|flag| state.flags.contains(&flag))
    }
}

impl Casework {
    pub async fn waiting_cases(
        &self,
        moderator: &ModeratorActor,
        filter: WaitingFilter,
        after: Option<Vec<u8>>,
    ) -> Result<WaitingPage> {
        let mut found = WaitingPage { cases: Vec::new(), next: after };
        let mut looked_at = 0;
        while looked_at < WAITING_CASES_LOOKED_AT_MAX && found.cases.len() < WAITING_CASES_PER_PAGE {
            let after = found.next.take().map(Cursor);
            let page = self.store().page::<Dispute>(&Listing::Queue, after.as_ref(), WAITING_CASES_PER_PAGE);
            let (page, next) = page.await?;
            looked_at += page.len();
            let page = page.iter().map(|dispute| (&dispute.value, dispute.value.state()));
            let taken = page.filter(|(_, state)| filter.takes(state));
            found.cases.extend(taken.map(|(dispute, state)| self.waiting(moderator, dispute, state)));
            found.next = next.map(|Cursor(last)| last);
            if found.next.is_none() {
                break;
            }
        }
        Ok(found)
    }

    fn waiting(&self, moderator: &ModeratorActor, dispute: &Dispute, state: State) -> WaitingCase {
        let now = self.now();
        WaitingCase {
            id: dispute.id,
            number: moderator.sees(dispute.number),
            reason: dispute.reason(),
            status: state.status,
            flags: state.flags.into_iter().collect(),
            filed_at: dispute.filed_at,
            age_days: now.duration_since(dispute.filed_at).as_hours() / 24,
            due_on: dispute.due_on,
            overdue: dispute.due_on < self.today(dispute.number),
            lease: dispute.lease.clone().filter(|lease| now < lease.until),
        }
    }
}
