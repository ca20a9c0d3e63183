//! Providers' labels in bulk: what each of them shows. Staged, so that a
//! half-sent upload changes nothing; applied in chunks. Sent again after a
//! crash, the same lines lead to the same labels.

use std::collections::BTreeSet;

use crate::casework::actors::ProviderActor;
use crate::casework::staging::{Incoming, Staged, StagedLines, UNNAMED};
use crate::casework::{Casework, Result, audit, unattended};
use crate::domain::correction::{EntryReason, Ground};
use crate::domain::evidence::Assurance;
use crate::domain::id::ProviderId;
use crate::domain::label::{Label, LabelKind, Source};
use crate::domain::lines::{LabelSaid, LineError};
use crate::domain::number::Number;
use crate::domain::number_file::NumberFile;
use crate::store::{Changeset, Stored, Tally, Versioned};

const LINES_PER_CHUNK_MAX: usize = 100;

/// How a provider came to tell of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Uploaded,
    /// Where it gives no dates or count, that says nothing of them.
    WhenAsked,
}

#[derive(Debug)]
pub struct LabelUpload {
    casework: Casework,
    provider: ProviderId,
    name: String,
    incoming: Incoming,
    tally: Tally,
}

impl Casework {
    pub async fn receive_labels(&self, provider: &ProviderActor) -> Result<LabelUpload> {
        let name = format!("{UNNAMED}{}", self.new_uuid());
        let incoming = self.parts.staging.receive(&name).await?;
        let (casework, provider) = (self.clone(), provider.id().clone());
        Ok(LabelUpload { casework, provider, name, incoming, tally: Tally::default() })
    }

    async fn apply_labels(&self, provider: &ProviderId, name: &str, mut tally: Tally) -> Result<Tally> {
        let mut lines = self.parts.staging.read(name, false, 0).await?;
        let mut left_over = None;
        loop {
            let chunk = next_chunk(&mut lines, &mut left_over).await?;
            if chunk.is_empty() {
                break;
            }
            tally = self.retrying(|| self.apply_label_chunk(provider, &chunk, tally.clone())).await?;
        }
        let mut changeset = Changeset::default();
        let actor = format!("provider:{provider}");
        changeset.audit.push(audit(self.now(), actor, "labels_uploaded", format!("lines:{}", tally.lines)));
        self.commit(changeset).await?;
        self.parts.staging.remove(name, false).await?;
        Ok(tally)
    }

    async fn apply_label_chunk(
        &self,
        provider: &ProviderId,
        chunk: &[LabelSaid],
        mut tally: Tally,
    ) -> Result<Tally> {
        let changeset = self.label_changes(provider, chunk, Told::Uploaded, &mut tally).await?;
        self.commit(changeset).await?;
        Ok(tally)
    }

    /// What follows from labels that were told of, each about another one, and
    /// counts it.
    pub(super) async fn label_changes(
        &self,
        provider: &ProviderId,
        said: &[LabelSaid],
        told: Told,
        tally: &mut Tally,
    ) -> Result<Changeset> {
        let mut changeset = Changeset::default();
        let mut corrected: BTreeSet<Number> = BTreeSet::new();
        let serving = self.serving_size(provider).await?;
        for said in said {
            // Read before its entries are: it makes the chunk stale where
            // another is published meanwhile.
            let file = self.number_file(said.number).await?;
            let label = self.apply_label(&mut changeset, provider, (said, told), serving, tally).await?;
            if let Some(label) = label
                && !corrected.contains(&said.number)
                && self.correct_on_arrival(&mut changeset, file, &label).await?
            {
                corrected.insert(said.number);
                tally.corrections += 1;
            }
        }
        Ok(changeset)
    }

    /// Upserts or deletes one label. Returns it where it is shown.
    async fn apply_label(
        &self,
        changeset: &mut Changeset,
        provider: &ProviderId,
        (said, told): (&LabelSaid, Told),
        serving: u64,
        tally: &mut Tally,
    ) -> Result<Option<Label>> {
        let key = (said.number, provider.clone(), said.kind);
        let known = self.store().load::<Label>(&key).await?;
        let Some(mut label) = said.label(provider, self.now()) else {
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
        if let (Some(before), Told::WhenAsked) = (before, told) {
            self.complete(&mut label, before, serving).await?;
        }
        label.regressed = self.regression(&label, before, serving).await?;
        let same = before.is_some_and(|before| shows_the_same(before, &label));
        if same {
            tally.unchanged += 1;
        } else {
            tally.accepted += 1;
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

/// Lines for one commit. A second line about the same label waits for the next.
async fn next_chunk(lines: &mut StagedLines, left_over: &mut Option<LabelSaid>) -> Result<Vec<LabelSaid>> {
    let mut seen: BTreeSet<(Number, LabelKind)> = BTreeSet::new();
    let mut chunk = Vec::new();
    while chunk.len() < LINES_PER_CHUNK_MAX {
        let next = match left_over.take() {
            Some(said) => Some(said),
            None => lines.next::<LabelSaid>().await?.map(|(staged, _)| staged.said),
        };
        let Some(said) = next else { break };
        if !seen.insert((said.number, said.kind)) {
            *left_over = Some(said);
            break;
        }
        chunk.push(said);
    }
    Ok(chunk)
}

impl LabelUpload {
    pub fn provider(&self) -> &ProviderId {
        &self.provider
    }

    pub async fn push(&mut self, line: u64, said: std::result::Result<LabelSaid, LineError>) -> Result<()> {
        self.tally.lines += 1;
        match said {
            Ok(said) => self.incoming.push(&Staged { line, said }).await,
            Err(error) => {
                self.tally.reject(line, error);
                Ok(())
            }
        }
    }

    /// The upload is whole: applies it, also when nobody waits any more.
    pub async fn finish(self) -> Result<Tally> {
        let Self { casework, provider, name, incoming, tally } = self;
        incoming.finish().await?;
        unattended(async move { casework.apply_labels(&provider, &name, tally).await }).await
    }
}
