//! What filings have in common: adjacent numbers, one network prefix, one
//! contact. Each filing leaves a small trace in each of its clusters, of its
//! own, so that no record is written by all; they count for a while and are
//! then forgotten. An address is kept as a keyed hash only.
//!
//! Absent: what is too many, and what follows from it (`domain::cluster`).

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::casework::{Casework, Result};
use crate::domain::cluster::ClusterSeen;
use crate::domain::day::later;
use crate::domain::number::Number;
use crate::domain::policy::CLUSTER_PERIOD_DAYS;
use crate::store::{AddressMac, Changeset, Cluster, Listing, PAGE_RECORDS_MAX, Stored, Trace};

/// Numbers that differ only in these last digits are neighbours.
const NEIGHBOURS: u64 = 100;

impl Casework {
    /// What stands for a network prefix in the store.
    pub(super) fn address_mac(&self, prefix: &str) -> AddressMac {
        let mac = self.parts.secret.derive("address", &[prefix.as_bytes()]);
        *mac.first_chunk().expect("a MAC is longer than its half")
    }

    /// Leaves a filing's traces, and says which of its clusters are crowds. A
    /// list's disputes are one filing: they share `filing` and `at`.
    pub(super) async fn trace(
        &self,
        changeset: &mut Changeset,
        clusters: impl IntoIterator<Item = Cluster>,
        filing: Uuid,
        at: Timestamp,
    ) -> Result<Vec<ClusterSeen>> {
        let cluster_filings = self.parts.settings.cluster_filings_per_30_days;
        let mut seen = Vec::new();
        if cluster_filings == 0 {
            return Ok(seen);
        }
        let kept = SignedDuration::from_hours(24 * i64::from(CLUSTER_PERIOD_DAYS));
        for cluster in clusters {
            let counted_max = cluster.kind().counted_max(cluster_filings);
            let others = self.others_in(&cluster, filing, counted_max).await?;
            seen.extend(cluster.kind().seen_after(others, cluster_filings));
            let trace = Trace { cluster, at, filing, expires_at: later(at, kept) };
            let is_left = changeset.puts.iter().any(|put| put.record.key() == trace.key());
            if !is_left && self.store().load::<Trace>(&(cluster, at, filing)).await?.is_none() {
                changeset.put_new(trace);
            }
        }
        Ok(seen)
    }

    /// Other filings in a cluster within the period, counted no further than
    /// makes a difference.
    async fn others_in(&self, cluster: &Cluster, filing: Uuid, counted_max: u32) -> Result<u32> {
        let period = SignedDuration::from_hours(24 * i64::from(CLUSTER_PERIOD_DAYS));
        let since = self.now().checked_sub(period).unwrap_or(Timestamp::MIN);
        let listing = Listing::TracesSince { cluster: *cluster, since };
        let (mut others, mut after) = (0, None);
        while others < counted_max {
            let limit = PAGE_RECORDS_MAX.min((counted_max - others) as usize + 1);
            let (page, next) = self.store().page::<Trace>(&listing, after.as_ref(), limit).await?;
            others += page.iter().filter(|trace| trace.value.filing != filing).count() as u32;
            match next {
                Some(cursor) => after = Some(cursor),
                None => break,
            }
        }
        Ok(others.min(counted_max))
    }
}

/// The block of a hundred numbers that a number is in.
pub(super) fn neighbours(number: Number) -> Cluster {
    Cluster::Neighbours(number.digits() / NEIGHBOURS)
}
