//! A list of numbers that an enterprise files at once: for numbers that
//! receive no SMS, and for many. Its contact proved control of a number of
//! its own, which gives accountability and a place for messages; control of
//! the numbers is the operator's match of name and code, asked for each.
//!
//! A list is more than one commit may hold. It is kept whole at once, with the
//! ids of the disputes to come, and a task makes these part by part.
//!
//! Absent: what a dispute needs to be decided (`domain::rules`).

mod making;
mod telling;

use jiff::{SignedDuration, Timestamp};

use crate::casework::actors::{Filer, Holder};
use crate::casework::correcting::open_claim;
use crate::casework::filing::{IDEMPOTENCY_HOURS, Idempotency};
use crate::casework::worker::new_task;
use crate::casework::{Casework, Error, Result, audit};
use crate::domain::day::{later, plus_days};
use crate::domain::dispute::{Control, Dispute, DisputedLabel, Enterprise, Reason, Status};
use crate::domain::id::{DisputeId, FilingId};
use crate::domain::number::Number;
use crate::domain::opened::Opened;
use crate::domain::policy::FILINGS_PERIOD_DAYS;
use crate::domain::refusal::Refusal;
use crate::store::{Changeset, Claim, Filing, FilingLine, FilingPart, Listing, Stored, TaskKind, Versioned};

pub use crate::store::{LinePlace, RejectedLine};

/// Of one part: so many disputes are made in one commit,
const LINES_PER_PART_MAX: usize = 20;
/// and their lines have to fit in one record.
const PART_BYTES_MAX: usize = 40 * 1024;

/// What an enterprise files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberList {
    pub enterprise: Enterprise,
    pub reason: Reason,
    /// For a mismatch of names: have the enterprise's own shown.
    pub show_name: bool,
    pub note: Option<String>,
    /// Each number once.
    pub numbers: Vec<ListedNumber>,
    /// What could not be read.
    pub rejected: Vec<RejectedLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedNumber {
    pub at: LinePlace,
    pub number: Number,
    pub opened: Option<Opened>,
    pub labels: Vec<DisputedLabel>,
}

/// A list as whoever filed it sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListView {
    pub filing: Filing,
    pub token: String,
    pub disputes: Vec<ListedDispute>,
    /// Taken at first, but another list was faster.
    pub overtaken: Vec<(Number, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedDispute {
    pub id: DisputeId,
    pub number: Number,
    pub token: String,
    /// `None`: it is not made yet.
    pub status: Option<Status>,
}

impl Casework {
    /// `from`: the network prefix that the list came from.
    pub async fn file_list(
        &self,
        holder: &Holder,
        list: NumberList,
        idempotency: &Idempotency,
        from: Option<&str>,
    ) -> Result<ListView> {
        let filed = self.retrying(|| self.try_file_list(holder, &list, idempotency, from)).await?;
        self.wake_worker();
        Ok(filed)
    }

    async fn try_file_list(
        &self,
        holder: &Holder,
        list: &NumberList,
        idempotency: &Idempotency,
        from: Option<&str>,
    ) -> Result<ListView> {
        let contact = self.number_file(holder.number()).await?;
        let (mut repeatable, before) = self.repeatable(&contact.value, idempotency).await?;
        if let Some(before) = before {
            return self.list_filed_before(holder, &before, &repeatable.value).await;
        }
        let (filing, parts) = self.new_list(holder, list, from).await?;
        let mut changeset = Changeset::default();
        changeset.expect(contact.value.key(), contact.version);
        repeatable.value.value = format!("{}:{}", filing.id, repeatable.value.value);
        repeatable.value.expires_at =
            Some(later(filing.filed_at, SignedDuration::from_hours(IDEMPOTENCY_HOURS)));
        changeset.put(repeatable);
        let subject = format!("filing:{}", filing.id);
        changeset.audit.push(audit(filing.filed_at, "holder", "list_filed", subject));
        if filing.parts > 0 {
            changeset.put_new(new_task(TaskKind::File(filing.id), filing.filed_at));
        }
        changeset.put_new(filing.clone());
        parts.iter().for_each(|part| changeset.put_new(part.clone()));
        self.commit(changeset).await?;
        Ok(self.as_filed(holder.proved_at(), filing, &parts))
    }

    /// The first answer, again.
    async fn list_filed_before(&self, holder: &Holder, claim: &Claim, repeated: &Claim) -> Result<ListView> {
        let (id, digest) = claim.value.split_once(':').unwrap_or_default();
        if digest != repeated.value {
            return Err(Refusal::IdempotencyKeyReused.into());
        }
        let filing = self.filing(id.parse().map_err(|_| Refusal::NotFound)?).await?.value;
        let parts = self.parts_of(filing.id).await?;
        // What is answered here has to be durable, though this call wrote nothing.
        self.barrier().await?;
        Ok(self.as_filed(holder.proved_at(), filing, &parts))
    }

    fn as_filed(&self, proved_at: Timestamp, filing: Filing, parts: &[FilingPart]) -> ListView {
        let lines = parts.iter().flat_map(|part| &part.lines);
        let disputes = lines.map(|line| self.listed(line, proved_at, None)).collect();
        let token = self.parts.secret.filing_token(filing.id, proved_at);
        ListView { filing, token, disputes, overtaken: Vec::new() }
    }

    fn listed(&self, line: &FilingLine, proved_at: Timestamp, status: Option<Status>) -> ListedDispute {
        let token = self.parts.secret.dispute_token(line.dispute, proved_at);
        ListedDispute { id: line.dispute, number: line.number, token, status }
    }

    async fn new_list(
        &self,
        holder: &Holder,
        list: &NumberList,
        from: Option<&str>,
    ) -> Result<(Filing, Vec<FilingPart>)> {
        let id = FilingId(self.new_uuid());
        let control = Control::Enterprise { enterprise: list.enterprise.clone(), filing: id };
        let (mut lines, mut rejected) = (Vec::new(), list.rejected.clone());
        for listed in &list.numbers {
            match self.why_not(listed, list, &control).await? {
                Some(code) => rejected.push(RejectedLine {
                    at: listed.at,
                    number: Some(listed.number.to_string()),
                    code: code.to_owned(),
                }),
                None => lines.push(FilingLine {
                    dispute: DisputeId(self.new_uuid()),
                    number: listed.number,
                    opened: listed.opened,
                    labels: listed.labels.clone(),
                    rejected: None,
                }),
            }
        }
        rejected.sort_by_key(|line| line.at);
        let accepted = lines.len() as u64;
        let parts = in_parts(id, lines);
        let filing = Filing {
            id,
            enterprise: list.enterprise.clone(),
            reason: list.reason,
            show_name: list.show_name,
            note: list.note.clone(),
            contact: holder.number(),
            language: holder.language(),
            control_proved_at: holder.proved_at(),
            filed_at: self.now(),
            // Nobody asks for it where nothing is made of the list.
            address: from.filter(|_| !parts.is_empty()).map(|prefix| self.address_mac(prefix)),
            accepted,
            rejected,
            parts: parts.len() as u16,
            parts_made: 0,
            told: Default::default(),
        };
        Ok((filing, parts))
    }

    /// Why a number is not taken. Nothing that anybody else has done with it
    /// shows in this.
    async fn why_not(
        &self,
        listed: &ListedNumber,
        list: &NumberList,
        control: &Control,
    ) -> Result<Option<&'static str>> {
        let today = self.today(listed.number);
        if listed.opened.is_some_and(|opened| opened.not_after(today).is_err()) {
            return Ok(Some("in_future"));
        }
        let needs_names = list.reason == Reason::NameMismatch && !list.show_name;
        if needs_names && listed.labels.iter().all(|label| label.name.is_none()) {
            return Ok(Some(Refusal::LabelNeeded.code()));
        }
        self.taken_already(listed.number, list.reason, control).await
    }

    /// One open dispute of the enterprise for a number and reason, and so
    /// many in a period: all of its own, for nothing of what the number has
    /// been through may show.
    async fn taken_already(
        &self,
        number: Number,
        reason: Reason,
        control: &Control,
    ) -> Result<Option<&'static str>> {
        if self.store().load::<Claim>(&open_claim(number, reason, control)).await?.is_some() {
            return Ok(Some(Refusal::DisputeOpen.code()));
        }
        let most = self.parts.settings.filings_per_number_per_90_days as usize;
        let from = plus_days(self.today(number), -FILINGS_PERIOD_DAYS);
        let recent = |dispute: &Dispute| {
            dispute.reason() == reason
                && dispute.control.is_same_party(control)
                && self.day_of(number, dispute.filed_at) >= from
        };
        if most == 0 {
            return Ok(None);
        }
        let filed = self.disputes_of(number).await?.iter().filter(|dispute| recent(dispute)).count();
        Ok((filed >= most).then(|| Refusal::FilingsExhausted.code()))
    }

    /// A list and what became of each of its numbers.
    pub async fn my_list(&self, filer: &Filer) -> Result<ListView> {
        let filing = self.filing(filer.filing()).await?.value;
        let (mut disputes, mut overtaken) = (Vec::new(), Vec::new());
        for part in self.parts_of(filing.id).await? {
            for line in &part.lines {
                if let Some(code) = &line.rejected {
                    overtaken.push((line.number, code.clone()));
                    continue;
                }
                let found = self.store().load::<Dispute>(&line.dispute).await?;
                let status = found.map(|found| found.value.status());
                disputes.push(self.listed(line, filer.proved_at(), status));
            }
        }
        let token = self.parts.secret.filing_token(filing.id, filer.proved_at());
        Ok(ListView { filing, token, disputes, overtaken })
    }

    pub(super) async fn filing(&self, id: FilingId) -> Result<Versioned<Filing>> {
        Ok(self.store().load::<Filing>(&id).await?.ok_or(Refusal::NotFound)?)
    }

    async fn parts_of(&self, id: FilingId) -> Result<Vec<FilingPart>> {
        let parts = self.store().all::<FilingPart>(&Listing::PartsOf(id)).await.map_err(Error::from)?;
        Ok(parts.into_iter().map(|part| part.value).collect())
    }
}

/// Cuts a list where a part is full.
fn in_parts(filing: FilingId, lines: Vec<FilingLine>) -> Vec<FilingPart> {
    let mut parts: Vec<FilingPart> = Vec::new();
    let mut bytes = 0;
    for line in lines {
        let line_bytes = serde_json::to_vec(&line).expect("ids, numbers and strings always serialize").len();
        let part = parts
            .last_mut()
            .filter(|part| part.lines.len() < LINES_PER_PART_MAX && bytes + line_bytes <= PART_BYTES_MAX);
        match part {
            Some(part) => {
                part.lines.push(line);
                bytes += line_bytes;
            }
            None => {
                let nth = parts.len() as u16;
                parts.push(FilingPart { filing, nth, lines: vec![line] });
                bytes = line_bytes;
            }
        }
    }
    parts
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn line(nth: u64, labels: usize) -> FilingLine {
        let name = "号".repeat(120);
        let label = DisputedLabel { provider: "tencent".parse().unwrap(), category: None, name: Some(name) };
        FilingLine {
            dispute: DisputeId(Uuid::from_u128(nth.into())),
            number: Number::from_digits(861_062_345_000 + nth).unwrap(),
            opened: None,
            labels: vec![label; labels],
            rejected: None,
        }
    }

    #[test]
    fn a_list_is_cut_so_that_each_part_fits() {
        let filing = FilingId(Uuid::from_u128(7));
        for labels in [0, 1, 5, 20] {
            let lines: Vec<_> = (0..500).map(|nth| line(nth, labels)).collect();
            let parts = in_parts(filing, lines.clone());
            let places: Vec<_> = parts.iter().map(|part| usize::from(part.nth)).collect();
            assert_eq!(places, (0..parts.len()).collect::<Vec<_>>());
            for part in &parts {
                assert!((1..=LINES_PER_PART_MAX).contains(&part.lines.len()));
                assert!(serde_json::to_vec(part).unwrap().len() < 60 * 1024);
            }
            assert_eq!(parts.into_iter().flat_map(|part| part.lines).collect::<Vec<_>>(), lines);
        }
        assert!(in_parts(filing, Vec::new()).is_empty());
    }
}
