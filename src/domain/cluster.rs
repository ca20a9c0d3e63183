//! Clusters: filings that have something in common beyond chance. They are
//! flagged for moderators and slowed, and never refused for that alone.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::domain::policy::{
    CLUSTER_ADDRESS_FACTOR, CLUSTER_CONTACT_FACTOR, CLUSTER_DELAY_HOURS_MAX,
    CLUSTER_DELAY_MINUTES_PER_FILING, CLUSTER_NEIGHBOURS_FACTOR, CLUSTER_PERIOD_DAYS,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterKind {
    /// Numbers that differ in their last two digits only.
    Neighbours,
    /// Sent from one network prefix.
    Address,
    /// One number for all messages.
    Contact,
}

/// So many filings of late have this in common, the present one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterSeen {
    pub kind: ClusterKind,
    pub filings: u32,
    pub days: i32,
}

impl ClusterKind {
    /// How many filings are taken for chance. 0: none are looked at.
    pub fn filings_max(self, cluster_filings: u32) -> u32 {
        cluster_filings.saturating_mul(match self {
            Self::Neighbours => CLUSTER_NEIGHBOURS_FACTOR,
            Self::Address => CLUSTER_ADDRESS_FACTOR,
            Self::Contact => CLUSTER_CONTACT_FACTOR,
        })
    }

    /// Counting further would change nothing.
    pub fn counted_max(self, cluster_filings: u32) -> u32 {
        let slowing = CLUSTER_DELAY_HOURS_MAX * 60 / CLUSTER_DELAY_MINUTES_PER_FILING;
        self.filings_max(cluster_filings).saturating_add(slowing as u32)
    }

    /// What there is to say of a filing that comes after so many others.
    pub fn seen_after(self, others: u32, cluster_filings: u32) -> Option<ClusterSeen> {
        let filings = others.saturating_add(1);
        let is_crowd = cluster_filings != 0 && filings > self.filings_max(cluster_filings);
        is_crowd.then_some(ClusterSeen { kind: self, filings, days: CLUSTER_PERIOD_DAYS })
    }
}

/// How long a flagged dispute waits before it is looked at: longer with every
/// filing beyond chance, bounded.
pub fn delay(seen: &[ClusterSeen], cluster_filings: u32) -> SignedDuration {
    let beyond = |seen: &ClusterSeen| seen.filings.saturating_sub(seen.kind.filings_max(cluster_filings));
    let most = seen.iter().map(beyond).max().unwrap_or_default();
    let minutes = i64::from(most) * CLUSTER_DELAY_MINUTES_PER_FILING;
    SignedDuration::from_mins(minutes.min(CLUSTER_DELAY_HOURS_MAX * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_not_flagged_and_a_crowd_is() {
        let kind = ClusterKind::Neighbours;
        assert_eq!(kind.seen_after(9, 10), None);
        let seen = ClusterSeen { kind, filings: 11, days: 30 };
        assert_eq!(kind.seen_after(10, 10), Some(seen));
        assert_eq!(kind.seen_after(1_000, 0), None, "0 switches it off");
        assert_eq!(ClusterKind::Address.seen_after(11, 10), None, "households share an address");
    }

    #[test]
    fn a_crowd_waits_the_longer_the_greater_it_is_but_not_for_ever() {
        let kind = ClusterKind::Contact;
        let wait = |others| delay(kind.seen_after(others, 10).as_slice(), 10);
        assert_eq!(wait(9), SignedDuration::ZERO);
        assert_eq!((wait(10).as_mins(), wait(11).as_mins()), (5, 10));
        assert_eq!(wait(kind.counted_max(10)), SignedDuration::from_hours(6));
        assert_eq!(wait(u32::MAX), SignedDuration::from_hours(6));
    }

    #[test]
    fn the_greatest_crowd_counts() {
        let seen: Vec<_> = [ClusterKind::Neighbours, ClusterKind::Contact]
            .into_iter()
            .zip([10, 12])
            .filter_map(|(kind, others)| kind.seen_after(others, 10))
            .collect();
        assert_eq!(delay(&seen, 10).as_mins(), 15);
    }
}
