//! How many releases an operator may publish in a day: a mass change, by
//! mistake or malice, waits for two people.

use jiff::{SignedDuration, Timestamp};

use crate::casework::{Casework, Result};
use crate::domain::id::OperatorId;
use crate::store::{OperatorState, Versioned};

const ROLLING_HOURS: i64 = 24;

impl Casework {
    /// The limit is the configured one, or 1 % of the corrections in force. As
    /// many as these count the entries of the log, which the store knows
    /// without looking: a number that was corrected again and again counts
    /// each time, so that the guard is looser by as much.
    pub(super) fn releases_left(&self, operator: &OperatorState) -> u64 {
        let most = self.parts.settings.releases_per_operator_per_day;
        if most == 0 {
            return u64::MAX;
        }
        let in_force = *self.store().log_size().borrow();
        let used: u64 = operator.releases.iter().map(|(_, count)| count).sum();
        most.max(in_force / 100).saturating_sub(used)
    }

    /// With what was published in the last 24 hours, and no more.
    pub(super) async fn operator_state(&self, operator: &OperatorId) -> Result<Versioned<OperatorState>> {
        let found = self.store().load::<OperatorState>(operator).await?;
        let mut state = found.unwrap_or_else(|| {
            let operator = operator.clone();
            Versioned::new(OperatorState { operator, last_batch_at: None, releases: Vec::new() })
        });
        let rolling = SignedDuration::from_hours(ROLLING_HOURS);
        let now = self.now();
        state.value.releases.retain(|(at, _)| now.duration_since(*at) < rolling);
        merge_same_hour(&mut state.value.releases);
        Ok(state)
    }
}

/// Keeps the counts few: one for an hour, at the later end of it.
fn merge_same_hour(releases: &mut Vec<(Timestamp, u64)>) {
    releases.dedup_by(|next, kept| {
        let same = next.0.as_second() / 3_600 == kept.0.as_second() / 3_600;
        if same {
            *kept = (next.0, kept.1 + next.1);
        }
        same
    });
}
