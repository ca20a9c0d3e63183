//! Labels that have come back: shown again although their provider serves a
//! correction that says otherwise. A label keeps this about itself, so that it
//! goes with the label, and with the correction.
//!
//! Absent: when a label has regressed (`domain::progress`).

use crate::casework::actors::{ModeratorActor, ProviderActor};
use crate::casework::{Casework, Error, Result};
use crate::domain::correction::Entry;
use crate::domain::id::ProviderId;
use crate::domain::label::{Label, Regression};
use crate::domain::progress::{Stage, contradicts, has_regressed};
use crate::store::{Ack, Changeset, Cursor, Listing, PAGE_RECORDS_MAX, ProviderRefusal, ProviderState};

impl Casework {
    /// Labels that have regressed, by provider and number; and after what the
    /// next page begins, which is opaque.
    pub async fn regressed(
        &self,
        _: &ModeratorActor,
        provider: Option<ProviderId>,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<(Vec<Label>, Option<Vec<u8>>)> {
        self.page_of_regressed(provider, after, limit).await
    }

    /// A provider's own, by number: what it has to take away again.
    pub async fn regressed_at(
        &self,
        provider: &ProviderActor,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<(Vec<Label>, Option<Vec<u8>>)> {
        self.page_of_regressed(Some(provider.id().clone()), after, limit).await
    }

    async fn page_of_regressed(
        &self,
        provider: Option<ProviderId>,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<(Vec<Label>, Option<Vec<u8>>)> {
        let (listing, after) = (Listing::Regressed { provider }, after.map(Cursor));
        let (page, next) = self.store().page::<Label>(&listing, after.as_ref(), limit).await?;
        Ok((page.into_iter().map(|label| label.value).collect(), next.map(|Cursor(last)| last)))
    }

    /// How much of the log a provider says it serves.
    pub(super) async fn serving_size(&self, provider: &ProviderId) -> Result<u64> {
        let state = self.store().load::<ProviderState>(provider).await?;
        Ok(state.map_or(0, |state| state.value.size(Stage::Serving)))
    }

    /// What there is to say against a label that was just seen, of a provider
    /// that serves so much of the log. `before`: the label as it was known. The
    /// number's file has to be read before, and expected to be unchanged.
    pub(super) async fn regression(
        &self,
        label: &Label,
        before: Option<&Label>,
        serving: u64,
    ) -> Result<Option<Regression>> {
        if serving == 0 {
            return Ok(None);
        }
        let (number, provider) = (label.number, &label.provider);
        let newest = self.store().newest_entry(number).await?;
        let (mut entries, mut next) = (Vec::new(), newest);
        let served = loop {
            let Some(seq) = next else { return Ok(None) };
            let entry = self.entry_at(seq).await?;
            next = entry.supersedes;
            entries.push(entry);
            if seq < serving {
                break seq;
            }
        };
        if self.store().load::<ProviderRefusal>(&(provider.clone(), served)).await?.is_some() {
            return Ok(None);
        }
        let Some(ack) = self.first_ack(provider, Stage::Serving, served).await? else { return Ok(None) };
        if !has_regressed(label, &entries, ack.at, |at| self.day_of(number, at)) {
            return Ok(None);
        }
        let known = before.and_then(|before| before.regressed).filter(|known| known.seq == served);
        if known.is_some() {
            return Ok(known);
        }
        // What was decided a moment ago can be read before its entry can.
        self.barrier().await?;
        if self.store().newest_entry(number).await? != newest {
            return Err(Error::Stale);
        }
        Ok(Some(Regression { seq: served, seen_at: label.observed_at }))
    }

    /// A new entry may be what a label was right about.
    pub(super) async fn end_regressions(&self, changeset: &mut Changeset, entry: &Entry) -> Result<()> {
        let of = Listing::LabelsOf(entry.number);
        let (labels, _) = self.store().page::<Label>(&of, None, PAGE_RECORDS_MAX).await?;
        for mut label in labels {
            let against = contradicts(entry, &label.value, |at| self.day_of(entry.number, at));
            if label.value.regressed.is_some() && !against {
                label.value.regressed = None;
                changeset.put(label);
            }
        }
        Ok(())
    }

    /// The acknowledgement by which a provider had an entry at a stage.
    pub(super) async fn first_ack(
        &self,
        provider: &ProviderId,
        stage: Stage,
        seq: u64,
    ) -> Result<Option<Ack>> {
        let listing = Listing::AcksAbove { provider: provider.clone(), stage, size: seq };
        let (acks, _) = self.store().page::<Ack>(&listing, None, 1).await?;
        Ok(acks.into_iter().next().map(|ack| ack.value))
    }
}
