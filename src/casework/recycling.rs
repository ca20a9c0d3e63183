//! Providers and app vendors ask whether a number has changed hands since a
//! day. A few days for a number: who could ask about many would learn the day
//! of the change itself.
//!
//! The quota is kept with the numbers, for it has to outlast a restart: a claim
//! that lasts a day from the first question on and holds the days asked about.
//! To ask about one of them again is free. Whatever is answered is in the audit
//! before it is answered.

use jiff::SignedDuration;
use jiff::civil::Date;

use crate::casework::actors::ProviderActor;
use crate::casework::{Casework, Result, audit};
use crate::domain::day::later;
use crate::domain::id::ProviderId;
use crate::domain::number::Number;
use crate::domain::recycling::{Recycled, changed_after};
use crate::domain::refusal::Refusal;
use crate::store::{Changeset, Claim, Versioned};

const QUOTA_HOURS: i64 = 24;

impl Casework {
    pub async fn check_recycling(
        &self,
        provider: &ProviderActor,
        number: Number,
        day: Date,
    ) -> Result<Recycled> {
        self.retrying(|| self.try_check_recycling(provider.id(), number, day)).await
    }

    async fn try_check_recycling(
        &self,
        provider: &ProviderId,
        number: Number,
        day: Date,
    ) -> Result<Recycled> {
        let today = self.today(number);
        if day > today {
            // Of the future nothing is told, so that it costs nothing either.
            return Ok(Recycled::OutOfRange);
        }
        let mut changeset = Changeset::default();
        self.within_days_asked(&mut changeset, provider, number, day).await?;
        let subject = format!("number:{}", number.masked());
        let actor = format!("provider:{provider}");
        changeset.audit.push(audit(self.now(), actor, "number_recycling_checked", subject));
        let file = self.number_file(number).await?.value;
        self.commit(changeset).await?;
        Ok(changed_after(&file, day, today, self.rest_days(number)))
    }

    async fn within_days_asked(
        &self,
        changeset: &mut Changeset,
        provider: &ProviderId,
        number: Number,
        day: Date,
    ) -> Result<()> {
        let most = self.parts.settings.recycling_dates_per_number_per_day as usize;
        if most == 0 {
            return Ok(());
        }
        let now = self.now();
        let name = format!("recycling:{provider}:{}", number.digits());
        let found = self.store().load::<Claim>(&name).await?;
        let version = found.as_ref().map_or(0, |found| found.version);
        let asked = found.and_then(|found| {
            let ends_at = found.value.expires_at.filter(|ends_at| now < *ends_at)?;
            Some((found.value.value, ends_at))
        });
        let end = || later(now, SignedDuration::from_hours(QUOTA_HOURS));
        let (days, ends_at) = asked.unwrap_or_else(|| (String::new(), end()));
        let day = day.to_string();
        if days.split_whitespace().any(|asked| asked == day) {
            return Ok(());
        }
        if days.split_whitespace().count() >= most {
            let wait = ends_at.duration_since(now).as_millis().max(1).unsigned_abs();
            let retry_after_s = u64::try_from(wait.div_ceil(1_000)).unwrap_or(u64::MAX);
            return Err(Refusal::TooMany { what: "recycling-dates", retry_after_s }.into());
        }
        let value = format!("{days} {day}").trim_start().to_owned();
        changeset.put(Versioned { version, value: Claim { name, value, expires_at: Some(ends_at) } });
        Ok(())
    }
}
