//! Counting what has happened: along the audit, along the log, and along what
//! each provider acknowledges. A turn reads on from where the last one ended,
//! and commits what it counted together with how far it came, at the version
//! that it read: whatever crashes, and however many workers count, each case
//! counts once. A service that has not counted before begins at the beginning.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::casework::{Casework, Error, Result};
use crate::domain::day::plus_days;
use crate::domain::dispute::{Dispute, What};
use crate::domain::figures::{By, Cell, Tallies, WhyRefused, week_of};
use crate::domain::id::{DisputeId, ProviderId};
use crate::domain::progress::Stage;
use crate::store::{
    AccessKey, Ack, AuditLine, Changeset, CountedWeek, Counting, Grant, Listing, Series, Versioned,
};

/// Of one turn.
const LINES_MAX: usize = 1_000;
const ENTRIES_MAX: usize = 5_000;
const ACKS_MAX: usize = 1_000;
/// A year and a week are kept.
const WEEKS_KEPT: i32 = 53;

/// What a turn read.
#[derive(Debug)]
struct Turn {
    next: u64,
    cases: Vec<Case>,
    /// Disputes that were opened, and those that were closed.
    opened: u64,
    closed: u64,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    at: Timestamp,
    cell: Cell,
    seconds: u64,
}

/// When entries were decided, as they were read last: whoever keeps step with
/// others asks for the same ones.
#[derive(Debug, Default)]
pub(super) struct Read {
    first: u64,
    dates: Vec<Timestamp>,
}

/// Of an entry only its time is of interest.
#[derive(Debug, Deserialize)]
struct Dated {
    at: Timestamp,
}

impl Casework {
    /// Counts what has happened since the last turn. Returns whether there may
    /// be more.
    pub async fn count_figures(&self) -> Result<bool> {
        let mut read = Read::default();
        let mut is_more = self.count_series(Series::Disputes, None, &mut read).await?;
        is_more |= self.count_series(Series::Log, None, &mut read).await?;
        for (provider, since) in self.provider_since().await? {
            is_more |= self.count_series(Series::Serving(provider), Some(since), &mut read).await?;
        }
        Ok(is_more)
    }

    /// Since when each provider had a key: what was decided before is no
    /// measure of how fast it is.
    pub(super) async fn provider_since(&self) -> Result<BTreeMap<ProviderId, Timestamp>> {
        let mut since = BTreeMap::new();
        for key in self.store().all::<AccessKey>(&Listing::AccessKeys).await? {
            if let Grant::Provider(provider) = key.value.grant {
                let first = since.entry(provider).or_insert(key.value.issued_at);
                *first = key.value.issued_at.min(*first);
            }
        }
        Ok(since)
    }

    async fn count_series(&self, series: Series, since: Option<Timestamp>, read: &mut Read) -> Result<bool> {
        let Some(changeset) = self.counted(series, since, read).await? else { return Ok(false) };
        match self.commit(changeset).await {
            // Another worker counted.
            Ok(()) | Err(Error::Stale) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The changeset of a turn; `None` where there is nothing new.
    pub(super) async fn counted(
        &self,
        series: Series,
        since: Option<Timestamp>,
        read: &mut Read,
    ) -> Result<Option<Changeset>> {
        let found = self.store().load::<Counting>(&series).await?;
        let mut counting = found.unwrap_or_else(|| Versioned::new(Counting::new(series.clone())));
        let next = counting.value.next;
        let turn = match &series {
            Series::Disputes => self.read_audit(next).await?,
            Series::Log => self.read_log(next, read).await?,
            Series::Serving(provider) => self.read_acks(provider, next, since, read).await?,
        };
        if turn.next == next {
            return Ok(None);
        }
        counting.value.next = turn.next;
        counting.value.open = (counting.value.open + turn.opened).saturating_sub(turn.closed);
        let zone = self.reference().numbering.home_zone();
        let released = counting.value.take_in(&turn.cases, &zone);
        let mut changeset = Changeset::default();
        let kept_from = plus_days(week_of(self.home_day(self.now())), -7 * WEEKS_KEPT);
        for (week, tens) in released.range(kept_from..) {
            let found = self.store().load::<CountedWeek>(&(series.clone(), *week)).await?;
            let mut counted =
                found.unwrap_or_else(|| Versioned::new(CountedWeek::new(series.clone(), *week, &zone)));
            counted.value.released.add(tens);
            changeset.put(counted);
        }
        changeset.put(counting);
        Ok(Some(changeset))
    }

    async fn read_audit(&self, next: u64) -> Result<Turn> {
        let lines = self.store().audit(next, LINES_MAX).await?;
        let mut turn = Turn::until(next + lines.len() as u64);
        for line in &lines {
            let Some(id) = line.draft.subject.strip_prefix("dispute:").and_then(|id| id.parse().ok()) else {
                continue;
            };
            match line.draft.action.as_str() {
                "filed" => {
                    turn.opened += 1;
                    turn.cases.push(Case { at: line.draft.at, cell: Cell::Filed, seconds: 0 });
                }
                "appealed" => turn.opened += 1,
                "withdrawn" => turn.closed += 1,
                "approved" | "refused" => {
                    turn.closed += 1;
                    turn.cases.extend(self.decision(id, line).await?);
                }
                _ => {}
            }
        }
        Ok(turn)
    }

    /// How a dispute was decided, by whom, and after how long.
    async fn decision(&self, id: DisputeId, line: &AuditLine) -> Result<Option<Case>> {
        let Some(dispute) = self.store().load::<Dispute>(&id).await? else { return Ok(None) };
        let (at, dispute) = (line.draft.at, dispute.value);
        let by = if line.draft.actor == "rule" { By::Rule } else { By::People };
        let of_line = dispute.events.iter().filter(|event| event.at == at);
        let mut cells = of_line.filter_map(|event| match &event.what {
            What::Approved { .. } => Some(Cell::Corrected(by)),
            What::Refused(refused) => Some(Cell::Refused(by, WhyRefused::of(&refused.code))),
            _ => None,
        });
        Ok(cells.next_back().map(|cell| Case { at, cell, seconds: seconds_between(dispute.filed_at, at) }))
    }

    async fn read_log(&self, next: u64, read: &mut Read) -> Result<Turn> {
        let entries = self.dates(next, ENTRIES_MAX, read).await?;
        let mut turn = Turn::until(next + entries.len() as u64);
        turn.cases.extend(entries.iter().map(|at| Case { at: *at, cell: Cell::Published, seconds: 0 }));
        Ok(turn)
    }

    /// An entry was served with the first acknowledgement that has it.
    async fn read_acks(
        &self,
        provider: &ProviderId,
        next: u64,
        since: Option<Timestamp>,
        read: &mut Read,
    ) -> Result<Turn> {
        let listing = Listing::AcksAbove { provider: provider.clone(), stage: Stage::Serving, size: next };
        let (acks, _) = self.store().page::<Ack>(&listing, None, ACKS_MAX).await?;
        let served = acks.last().map_or(next, |ack| ack.value.size);
        let count = (served - next).min(ENTRIES_MAX as u64) as usize;
        let entries: &[Timestamp] = if count == 0 { &[] } else { self.dates(next, count, read).await? };
        let mut turn = Turn::until(next + entries.len() as u64);
        let mut acks = acks.iter().map(|ack| &ack.value).peekable();
        for (seq, decided_at) in (next..).zip(entries.iter().copied()) {
            while acks.next_if(|ack| ack.size <= seq).is_some() {}
            let Some(ack) = acks.peek() else { break };
            if since.is_none_or(|since| since <= decided_at) {
                let seconds = seconds_between(decided_at, ack.at);
                turn.cases.push(Case { at: ack.at, cell: Cell::Served, seconds });
            }
        }
        Ok(turn)
    }

    /// When entries were decided: out of those read last, if all of them are.
    async fn dates<'r>(&self, first: u64, count: usize, read: &'r mut Read) -> Result<&'r [Timestamp]> {
        if read.range(first, count).is_none() {
            let leaves = self.store().log(first, count).await?;
            let dated = |(seq, leaf): (u64, &Vec<u8>)| match serde_json::from_slice::<Dated>(leaf) {
                Ok(dated) => Ok(dated.at),
                Err(error) => Err(Error::Fatal(format!("entry {seq}: {error}"))),
            };
            let dates = (first..).zip(&leaves).map(dated).collect::<Result<_>>()?;
            *read = Read { first, dates };
        }
        // There may be fewer than were asked for.
        let read: &'r Read = read;
        Ok(read.range(first, count).unwrap_or(&read.dates))
    }
}

impl Read {
    fn range(&self, first: u64, count: usize) -> Option<&[Timestamp]> {
        let from = usize::try_from(first.checked_sub(self.first)?).ok()?;
        self.dates.get(from..from.checked_add(count)?)
    }
}

impl Turn {
    fn until(next: u64) -> Self {
        Self { next, cases: Vec::new(), opened: 0, closed: 0 }
    }
}

impl Counting {
    fn new(series: Series) -> Self {
        Self { series, next: 0, open: 0, waiting: Tallies::default() }
    }

    /// What is released by these cases: each ten in the week of its tenth.
    fn take_in(&mut self, cases: &[Case], zone: &TimeZone) -> BTreeMap<Date, Tallies> {
        let mut released: BTreeMap<Date, Tallies> = BTreeMap::new();
        for Case { at, cell, seconds } in cases {
            if let Some(ten) = self.waiting.count(*cell, *seconds) {
                let week = week_of(zone.to_datetime(*at).date());
                released.entry(week).or_default().merge(*cell, &ten);
            }
        }
        released
    }
}

impl CountedWeek {
    fn new(series: Series, week: Date, zone: &TimeZone) -> Self {
        let end = plus_days(week, 7 * (WEEKS_KEPT + 1)).at(0, 0, 0, 0);
        let expires_at = zone.to_timestamp(end).unwrap_or(Timestamp::MAX);
        Self { series, week, released: Tallies::default(), expires_at }
    }
}

/// Clocks are set back at times.
fn seconds_between(from: Timestamp, to: Timestamp) -> u64 {
    to.duration_since(from).as_secs().try_into().unwrap_or_default()
}
