//! What follows from labels that a provider tells of, uploaded or asked for:
//! they are kept as it shows them now, one that came back after a correction
//! is noted, and one that rests on marks from before a proven tenure is
//! corrected as it arrives.

use std::collections::BTreeSet;

use crate::casework::label_quota::LabelQuota;
use crate::casework::staging::Staged;
use crate::casework::{Casework, Result, audit};
use crate::domain::correction::{EntryReason, Ground};
use crate::domain::evidence::Assurance;
use crate::domain::id::ProviderId;
use crate::domain::label::{Label, Source};
use crate::domain::lines::{LabelSaid, LineError};
use crate::domain::number::Number;
use crate::domain::number_file::NumberFile;
use crate::store::{Changeset, Stored, Tally, Versioned};

/// How a provider came to tell of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Uploaded,
    /// Whoever runs the service loads what it has checked.
    ByOwner,
    /// Where it gives no dates or count, that says nothing of them.
    WhenAsked,
}

/// Who tells, how, and how much more it may.
struct Teller<'a> {
    provider: &'a ProviderId,
    told: Told,
    /// How far the provider serves the log.
    serving: u64,
    quota: LabelQuota,
}

impl Casework {
    /// The changes of one commit, each label about another one, counted in the
    /// tally.
    pub(super) async fn label_changes(
        &self,
        provider: &ProviderId,
        told: Told,
        chunk: &[Staged<LabelSaid>],
        tally: &mut Tally,
    ) -> Result<Changeset> {
        let mut changeset = Changeset::default();
        let mut corrected: BTreeSet<Number> = BTreeSet::new();
        let quota = self.label_quota(provider, told == Told::ByOwner).await?;
        let serving = self.serving_size(provider).await?;
        let mut teller = Teller { provider, told, serving, quota };
        for staged in chunk {
            let number = staged.said.number;
            // Read before its entries are: it makes the chunk stale where
            // another is published meanwhile.
            let file = self.number_file(number).await?;
            let label = self.apply_label(&mut changeset, &mut teller, staged, tally).await?;
            if let Some(label) = label
                && !corrected.contains(&number)
                && self.correct_on_arrival(&mut changeset, file, &label).await?
            {
                corrected.insert(number);
                tally.corrections += 1;
            }
        }
        teller.quota.count(&mut changeset);
        Ok(changeset)
    }

    /// Upserts or deletes one label. Returns it where it is shown.
    async fn apply_label(
        &self,
        changeset: &mut Changeset,
        teller: &mut Teller<'_>,
        Staged { line, said }: &Staged<LabelSaid>,
        tally: &mut Tally,
    ) -> Result<Option<Label>> {
        let key = (said.number, teller.provider.clone(), said.kind);
        let known = self.store().load::<Label>(&key).await?;
        let Some(mut label) = said.label(teller.provider, self.now()) else {
            match known {
                Some(known) => {
                    changeset.delete(&known);
                    tally.accepted += 1;
                }
                None => tally.unchanged += 1,
            }
            return Ok(None);
        };
        let before = known.as_ref().map(|known| &known.value);
        if let (Some(before), Told::WhenAsked) = (before, teller.told) {
            self.complete(&mut label, before, teller.serving).await?;
        }
        if let Some(before) = before {
            label.remember_days_of(before);
        }
        label.regressed = self.regression(&label, before, teller.serving).await?;
        let same = before.is_some_and(|before| shows_the_same(before, &label));
        if same {
            tally.unchanged += 1;
        } else if teller.quota.take() {
            tally.accepted += 1;
        } else {
            tally.reject(*line, LineError::QuotaExhausted);
            return Ok(None);
        }
        // That it was seen again is news once a day, or when it ought to be
        // gone: a provider that sends everything daily costs a write for each
        // label and day, however often it sends.
        let is_news = |before: &Label| {
            self.day_of(said.number, before.observed_at) != self.today(said.number)
                || before.regressed != label.regressed
        };
        if !same || before.is_none_or(is_news) {
            let version = known.as_ref().map_or(0, |known| known.version);
            changeset.put(Versioned { version, value: label.clone() });
        }
        Ok(Some(label))
    }

    /// Takes over what a look-up left out of a label that is known already.
    /// Its dates only while nobody expects them to have changed: a provider that
    /// serves a correction may show the same word for marks of the present
    /// holder's time.
    async fn complete(&self, label: &mut Label, before: &Label, serving: u64) -> Result<()> {
        if (label.category, &label.name) != (before.category, &before.name) {
            return Ok(());
        }
        let served = self.store().newest_entry(label.number).await?.is_some_and(|seq| seq < serving);
        let is_dated = label.first_marked_on.is_some() || label.last_marked_on.is_some();
        if !is_dated && (!served || before.regressed.is_some()) {
            (label.first_marked_on, label.last_marked_on) = (before.first_marked_on, before.last_marked_on);
        }
        label.count = label.count.or(before.count);
        label.text = label.text.take().or_else(|| before.text.clone());
        label.code = label.code.take().or_else(|| before.code.clone());
        if label.source == Source::Unknown {
            label.source = before.source;
        }
        Ok(())
    }

    /// A label that rests on marks from before a proven tenure is corrected
    /// as it arrives.
    async fn correct_on_arrival(
        &self,
        changeset: &mut Changeset,
        mut file: Versioned<NumberFile>,
        label: &Label,
    ) -> Result<bool> {
        let Some(effect) = self.released(&file.value, Some(label)).await? else {
            // A release that is committed meanwhile would not see this label.
            changeset.expect(file.value.key(), file.version);
            return Ok(false);
        };
        let now = self.now();
        file.value.decide(effect, Assurance::Operator, Ground::LabelArrived, now);
        changeset.audit.push(audit(
            now,
            "rule",
            "corrected_on_arrival",
            format!("number:{}", label.number.masked()),
        ));
        self.append_entry(changeset, &file.value, EntryReason::Released, now).await?;
        changeset.put(file);
        Ok(true)
    }
}

fn shows_the_same(before: &Label, label: &Label) -> bool {
    let Label { observed_at, regressed, .. } = *label;
    Label { observed_at, regressed, ..before.clone() } == *label
}
