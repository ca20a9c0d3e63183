//! Figures for everybody (`domain::figures`): shown from what is counted
//! already, and never by looking at disputes for a page.
//!
//! Absent: the counting (`counting`), pages.

mod counting;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::casework::{Casework, Result};
use crate::domain::day::{later, plus_days};
use crate::domain::dispute::Dispute;
use crate::domain::figures::{Counted, Figures, week_of};
use crate::store::{CountedWeek, Counting, Cursor, Listing, PAGE_RECORDS_MAX, Series};

/// Figures are of this half year; the last week goes on.
const WEEKS_SHOWN: i32 = 26;
/// Whoever asks within this is told the same again.
const FRESH_S: i64 = 60;

/// What was told last. Whoever asks meanwhile waits for the one who looks.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<Option<(Timestamp, Arc<Figures>)>>);

impl Casework {
    pub async fn figures(&self) -> Result<Arc<Figures>> {
        let mut told = self.figures.0.lock().await;
        let now = self.now();
        if let Some((at, figures)) = told.as_ref()
            && (*at..later(*at, SignedDuration::from_secs(FRESH_S))).contains(&now)
        {
            return Ok(figures.clone());
        }
        let figures = Arc::new(self.add_up(self.home_day(now)).await?);
        *told = Some((now, figures.clone()));
        Ok(figures)
    }

    async fn add_up(&self, today: Date) -> Result<Figures> {
        let mut providers = Vec::new();
        for provider in self.provider_since().await?.into_keys() {
            let counted = self.series_counted(Series::Serving(provider.clone()), today).await?;
            providers.push((provider, counted.0));
        }
        let (disputes, open) = self.series_counted(Series::Disputes, today).await?;
        let (log, _) = self.series_counted(Series::Log, today).await?;
        Ok(Figures::new(&disputes, &log, providers, open, self.overdue().await?))
    }

    /// A series, and how many of its disputes are open.
    async fn series_counted(&self, series: Series, today: Date) -> Result<(Counted, u64)> {
        let counting = self.store().load::<Counting>(&series).await?.map(|found| found.value);
        let mut counted = Counted::default();
        for back in (0..WEEKS_SHOWN).rev() {
            let week = plus_days(week_of(today), -7 * back);
            let found = self.store().load::<CountedWeek>(&(series.clone(), week)).await?;
            counted.weeks.push((week, found.map(|found| found.value.released).unwrap_or_default()));
        }
        let Some(counting) = counting else { return Ok((counted, 0)) };
        counted.waiting = counting.waiting;
        Ok((counted, counting.open))
    }

    /// Those that wait for a moderator longer than they should: they are first
    /// in the queue.
    async fn overdue(&self) -> Result<u64> {
        let mut overdue = 0;
        let mut after: Option<Cursor> = None;
        loop {
            let (page, next) =
                self.store().page::<Dispute>(&Listing::Queue, after.as_ref(), PAGE_RECORDS_MAX).await?;
            let is_late = |dispute: &Dispute| dispute.due_on < self.today(dispute.number);
            let late = page.iter().take_while(|dispute| is_late(&dispute.value)).count();
            overdue += late as u64;
            match next {
                Some(cursor) if late == page.len() => after = Some(cursor),
                _ => return Ok(overdue),
            }
        }
    }

    /// The civil day at home, by which weeks are counted.
    pub(super) fn home_day(&self, at: Timestamp) -> Date {
        self.reference().numbering.home_zone().to_datetime(at).date()
    }
}
