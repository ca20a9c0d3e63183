//! How many cases moderators decide. Each decision counts for whoever made it,
//! with the decision, so that nothing has to be added up from the audit.

use jiff::civil::Date;

use crate::casework::actors::ModeratorActor;
use crate::casework::{Casework, Result};
use crate::domain::day::plus_days;
use crate::store::{Listing, Moderator};

/// Days are kept for so long.
const DAYS_KEPT: i32 = 28;
const WEEK_DAYS: i32 = 7;

/// Cases decided, first and second signatures and requests for documents too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Throughput {
    pub mine_today: u32,
    pub mine_in_7_days: u32,
    pub team_today: u32,
    pub team_in_7_days: u32,
}

impl Casework {
    pub async fn throughput(&self, moderator: &ModeratorActor) -> Result<Throughput> {
        let today = self.home_day(self.now());
        let mut sum = Throughput::default();
        for account in self.store().all::<Moderator>(&Listing::Moderators).await? {
            let (day, week) = (account.value.decided_on(today), account.value.decided_in_week(today));
            sum.team_today += day;
            sum.team_in_7_days += week;
            if account.value.name == *moderator.name() {
                (sum.mine_today, sum.mine_in_7_days) = (day, week);
            }
        }
        Ok(sum)
    }
}

impl Moderator {
    pub(super) fn count_decision(&mut self, today: Date) {
        let first = plus_days(today, 1 - DAYS_KEPT);
        self.decided.retain(|day, _| *day >= first);
        *self.decided.entry(today).or_default() += 1;
    }

    fn decided_on(&self, today: Date) -> u32 {
        self.decided.get(&today).copied().unwrap_or_default()
    }

    /// The last of its days is today.
    pub(super) fn decided_in_week(&self, today: Date) -> u32 {
        self.decided.range(plus_days(today, 1 - WEEK_DAYS)..=today).map(|(_, count)| count).sum()
    }
}
