//! Looking through the audit: backwards from its end, by who, what, whom and
//! when, over a bounded number of lines at a time. What was looked at is
//! recomputed, so that one may say that the chain holds there, and only there.
//!
//! Lines are numbered as they were committed. Their times follow that order
//! but for moments (a line has the time at which its use case began), so that
//! a day is found by halving, not by reading everything.

use std::ops::Range;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::casework::actors::ModeratorActor;
use crate::casework::moderation::actor;
use crate::casework::{Casework, Result, audit};
use crate::domain::day::{later, plus_days};
use crate::store::{AuditDraft, AuditLine, Changeset, Role};

/// One search looks at no more, and goes on when asked again.
pub const AUDIT_LINES_SEARCHED_MAX: u64 = 20_000;
pub const AUDIT_LINES_PER_EXPORT_MAX: usize = 10_000;
/// An export may look at so many.
pub const AUDIT_LINES_SEARCHED_PER_EXPORT_MAX: u64 = 200_000;

const CHUNK_LINES: u64 = 1_000;
/// A line's time may be so much off its neighbours'.
const DISORDER: SignedDuration = SignedDuration::from_hours(1);

/// All of it has to be true of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// `moderator:alice`, or all of a kind: `moderator`.
    pub actor: Option<String>,
    pub action: Option<String>,
    /// As `actor`: `dispute:ID`, or `dispute`.
    pub subject: Option<String>,
    /// Civil days where the service is at home, both included.
    pub from: Option<Date>,
    pub to: Option<Date>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFound {
    /// The newest first.
    pub lines: Vec<AuditLine>,
    /// What was looked at; before it nothing was.
    pub searched: Range<u64>,
    /// There may be more before that.
    pub is_cut: bool,
    /// The first line seen that does not follow from the one before it.
    pub broken_at: Option<u64>,
}

/// How much of it is wanted.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    lines: usize,
    searched: u64,
}

impl AuditFilter {
    fn takes(&self, line: &AuditDraft, days: &Range<Timestamp>) -> bool {
        let is = |wanted: &Option<String>, said: &str| {
            wanted.as_deref().is_none_or(|wanted| {
                said.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
            })
        };
        is(&self.actor, &line.actor)
            && self.action.as_deref().is_none_or(|action| line.action == action)
            && is(&self.subject, &line.subject)
            && days.contains(&line.at)
    }
}

impl Casework {
    /// Lines that the filter takes, from before line `before` backwards; at
    /// most `limit` of them.
    pub async fn search_audit(
        &self,
        moderator: &ModeratorActor,
        filter: &AuditFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<AuditFound> {
        moderator.at_least(Role::Admin)?;
        self.look_back(filter, before, Bounds { lines: limit, searched: AUDIT_LINES_SEARCHED_MAX }).await
    }

    /// The same for taking away, which is in the audit itself.
    pub async fn export_audit(
        &self,
        moderator: &ModeratorActor,
        filter: &AuditFilter,
        before: Option<u64>,
    ) -> Result<AuditFound> {
        moderator.at_least(Role::Admin)?;
        let bounds =
            Bounds { lines: AUDIT_LINES_PER_EXPORT_MAX, searched: AUDIT_LINES_SEARCHED_PER_EXPORT_MAX };
        let found = self.look_back(filter, before, bounds).await?;
        let subject = format!("audit:{}-{}", found.searched.start, found.searched.end);
        let mut changeset = Changeset::default();
        changeset.audit.push(audit(self.now(), actor(moderator), "audit_exported", subject));
        self.commit(changeset).await?;
        Ok(found)
    }

    async fn look_back(
        &self,
        filter: &AuditFilter,
        before: Option<u64>,
        bounds: Bounds,
    ) -> Result<AuditFound> {
        let days = self.moments(filter);
        let end = match filter.to {
            Some(_) => self.first_line(|line| line.draft.at >= later(days.end, DISORDER)).await?,
            None => self.first_line(|_| false).await?,
        };
        let end = before.unwrap_or(end).min(end);
        let floor = match filter.from {
            Some(_) => self
                .first_line(|line| line.draft.at >= days.start.checked_sub(DISORDER).unwrap_or(days.start))
                .await?
                .min(end),
            None => 0,
        };
        let mut found = AuditFound { lines: Vec::new(), searched: end..end, is_cut: false, broken_at: None };
        while found.searched.start > floor {
            let left = bounds.searched.saturating_sub(end - found.searched.start);
            if left == 0 || found.lines.len() == bounds.lines {
                found.is_cut = true;
                break;
            }
            let from = floor.max(found.searched.start - left.min(CHUNK_LINES).min(found.searched.start));
            self.take_chunk(&mut found, from, bounds.lines, |line| filter.takes(line, &days)).await?;
        }
        if let Some(line) = found.broken_at {
            tracing::error!(line, "a line of the audit does not follow from the one before it");
        }
        Ok(found)
    }

    /// Takes what it may from the lines between `from` and what was looked at.
    async fn take_chunk(
        &self,
        found: &mut AuditFound,
        from: u64,
        lines_max: usize,
        takes: impl Fn(&AuditDraft) -> bool,
    ) -> Result<()> {
        let to = found.searched.start;
        let first = from.saturating_sub(1);
        let mut lines = self.store().audit(first, (to - first) as usize).await?;
        // The line before is read for its hash alone.
        let rest = lines.split_off((from - first) as usize);
        let hash = lines.first().map_or(AuditLine::HASH_BEFORE_FIRST, |line| &line.hash);
        found.broken_at = broken_at(&rest, from, hash).or(found.broken_at);
        for line in rest.into_iter().rev() {
            if found.lines.len() == lines_max {
                return Ok(());
            }
            found.searched.start = line.seq;
            if takes(&line.draft) {
                found.lines.push(line);
            }
        }
        Ok(())
    }

    /// The number of the first line that is past something, by halving; that
    /// of the next line to be written where none is.
    async fn first_line(&self, is_past: impl Fn(&AuditLine) -> bool) -> Result<u64> {
        let past = async |seq: u64| {
            let line = self.store().audit(seq, 1).await?.pop();
            Result::Ok(line.is_none_or(|line| is_past(&line)))
        };
        let (mut low, mut high) = (0, 0);
        while !past(high).await? {
            low = high + 1;
            high = 2 * high + 1;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if past(middle).await? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    fn moments(&self, filter: &AuditFilter) -> Range<Timestamp> {
        let zone = self.reference().numbering.home_zone();
        // Only the calendar's last day begins beyond what a timestamp holds.
        let begins = |day: Date| zone.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX);
        let from = filter.from.map_or(Timestamp::MIN, begins);
        let to = filter.to.map_or(Timestamp::MAX, |day| begins(plus_days(day, 1)));
        from..to
    }
}

/// The first line, out of those from number `from` on, that does not follow
/// from the one before it.
fn broken_at(lines: &[AuditLine], from: u64, hash_before: &str) -> Option<u64> {
    let before = std::iter::once(hash_before).chain(lines.iter().map(|line| line.hash.as_str()));
    let mut numbered = (from..).zip(before).zip(lines);
    let broken = numbered.find(|((seq, hash), line)| line.draft.clone().chained(*seq, hash) != **line);
    broken.map(|((seq, _), _)| seq)
}

#[cfg(test)]
mod tests;
