//! Filing a dispute, withdrawing it, appealing: the holder's moves.

use jiff::SignedDuration;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use crate::casework::actors::{Claimant, Holder};
use crate::casework::clusters::neighbours;
use crate::casework::correcting::open_claim;
use crate::casework::worker::new_task;
use crate::casework::{Casework, Result, record};
use crate::domain::cluster::{ClusterSeen, delay};
use crate::domain::day::{later, plus_days};
use crate::domain::dispute::{
    Actor, Claim as Says, Command, Control, Dispute, DisputedLabel, Reason, Show, Status, Weighing, What,
};
use crate::domain::hex::hex;
use crate::domain::id::{DisputeId, ProviderId};
use crate::domain::label::Label;
use crate::domain::language::Language;
use crate::domain::number::Number;
use crate::domain::number_file::NumberFile;
use crate::domain::opened::Opened;
use crate::domain::policy::{DECISION_WORKING_DAYS, FILINGS_PERIOD_DAYS, FIRST_ANSWER_WORKING_DAYS};
use crate::domain::refusal::Refusal;
use crate::domain::window::Window;
use crate::store::{Changeset, Claim, Cluster, Listing, PAGE_RECORDS_MAX, Stored, TaskKind, Versioned};

/// How long a filing can be repeated with the same Idempotency-Key.
pub(super) const IDEMPOTENCY_HOURS: i64 = 48;

/// What the holder files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filing {
    pub says: Saying,
    pub labels: Vec<DisputedLabel>,
    pub note: Option<String>,
    pub contact: Option<Number>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saying {
    Reassigned { opened: Option<Opened> },
    NameMismatch { show: Option<Show> },
}

/// A request's own name and what it said, so that it can be sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    pub key: String,
    pub body_digest: [u8; 32],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    pub id: DisputeId,
    pub token: String,
    pub status: Status,
    pub due_on: Date,
}

impl Casework {
    /// `from`: the network prefix that it came from, where it came by one.
    pub async fn file(
        &self,
        holder: &Holder,
        filing: Filing,
        idempotency: &Idempotency,
        from: Option<&str>,
    ) -> Result<Filed> {
        let filed = self.retrying(|| self.try_file(holder, &filing, idempotency, from)).await?;
        self.wake_worker();
        Ok(filed)
    }

    async fn try_file(
        &self,
        holder: &Holder,
        filing: &Filing,
        idempotency: &Idempotency,
        from: Option<&str>,
    ) -> Result<Filed> {
        let number = holder.number();
        let file = self.number_file(number).await?;
        let (repeatable, before) = self.repeatable(&file.value, idempotency).await?;
        if let Some(before) = before {
            return self.filed_before(&before, &repeatable.value).await;
        }
        let reason = filing.says.reason();
        if self.store().load::<Claim>(&open_claim(number, reason, &Control::Code)).await?.is_some() {
            return Err(Refusal::DisputeOpen.into());
        }
        self.within_quota(number, reason, &file.value).await?;
        let dispute = self.new_dispute(holder, filing, &file.value).await?;
        self.commit_filing(dispute, &file, repeatable, from).await
    }

    async fn commit_filing(
        &self,
        dispute: Dispute,
        file: &Versioned<NumberFile>,
        mut repeatable: Versioned<Claim>,
        from: Option<&str>,
    ) -> Result<Filed> {
        let mut changeset = Changeset::default();
        let now = dispute.filed_at;
        let id = dispute.id;
        let token = self.parts.secret.dispute_token(id, dispute.control_proved_at);
        let filed = Filed { id, token, status: dispute.status(), due_on: dispute.due_on };
        changeset.expect(file.value.key(), file.version);
        let seen = self.trace(&mut changeset, self.clusters_of(&dispute, from), id.0, now).await?;
        repeatable.value.value = format!("{id}:{}", repeatable.value.value);
        repeatable.value.expires_at = Some(later(now, SignedDuration::from_hours(IDEMPOTENCY_HOURS)));
        changeset.put(repeatable);
        self.open(&mut changeset, dispute, seen);
        self.commit(changeset).await?;
        Ok(filed)
    }

    /// A dispute begins: filed, flagged where its clusters are crowds, and
    /// checked at once or after a while.
    pub(super) fn open(&self, changeset: &mut Changeset, mut dispute: Dispute, seen: Vec<ClusterSeen>) {
        let (id, now) = (dispute.id, dispute.filed_at);
        record(changeset, &mut dispute, now, Actor::Holder, What::Filed);
        let wait = delay(&seen, self.parts.settings.cluster_filings_per_30_days);
        if !seen.is_empty() {
            record(changeset, &mut dispute, now, Actor::Rule, What::Flagged { why: seen });
        }
        let open = open_claim(dispute.number, dispute.reason(), &dispute.control);
        changeset.put_new(Claim { name: open, value: id.to_string(), expires_at: None });
        changeset.put_new(new_task(TaskKind::Check(id), later(now, wait)));
        changeset.put_new(dispute);
    }

    /// The claim that makes a request repeatable, in the place of one that has
    /// run out; and the one of before, where the request was sent before.
    pub(super) async fn repeatable(
        &self,
        file: &NumberFile,
        idempotency: &Idempotency,
    ) -> Result<(Versioned<Claim>, Option<Claim>)> {
        let claim = idempotency_claim(file, idempotency);
        let before = self.store().load::<Claim>(&claim.name).await?;
        let version = before.as_ref().map_or(0, |before| before.version);
        let before = before.map(|before| before.value);
        let before = before.filter(|claim| claim.expires_at.is_none_or(|end| self.now() < end));
        Ok((Versioned { version, value: claim }, before))
    }

    /// The first answer, again.
    async fn filed_before(&self, claim: &Claim, repeated: &Claim) -> Result<Filed> {
        let (id, digest) = claim.value.split_once(':').unwrap_or_default();
        if digest != repeated.value {
            return Err(Refusal::IdempotencyKeyReused.into());
        }
        let id = id.parse().map_err(|_| Refusal::NotFound)?;
        let dispute = self.dispute(id).await?.value;
        // What is answered here has to be durable, though this call wrote nothing.
        self.barrier().await?;
        let token = self.parts.secret.dispute_token(id, dispute.control_proved_at);
        Ok(Filed { id, token, status: Status::Checking, due_on: dispute.due_on })
    }

    /// Filings of this holder for this reason, over the period.
    async fn within_quota(&self, number: Number, reason: Reason, file: &NumberFile) -> Result<()> {
        let most = self.parts.settings.filings_per_number_per_90_days as usize;
        if most == 0 {
            return Ok(());
        }
        let from = plus_days(self.today(number), -FILINGS_PERIOD_DAYS);
        let disputes = self.disputes_of(number).await?;
        let recent = |dispute: &&Dispute| {
            let filed_on = self.day_of(number, dispute.filed_at);
            dispute.reason() == reason
                && dispute.control.is_code()
                && filed_on >= from
                && !file.ledger.was_anothers(filed_on, dispute.filed_at)
        };
        if disputes.iter().filter(recent).count() >= most {
            return Err(Refusal::FilingsExhausted.into());
        }
        Ok(())
    }

    async fn new_dispute(&self, holder: &Holder, filing: &Filing, file: &NumberFile) -> Result<Dispute> {
        let number = holder.number();
        let (today, rest_days) = (self.today(number), self.rest_days(number));
        let claim = match &filing.says {
            Saying::Reassigned { opened: None } if file.ledger.proven(rest_days).is_none() => {
                return Err(Refusal::OpenedNeeded.into());
            }
            Saying::Reassigned { opened } => {
                let checked = opened.map(|opened| opened.not_after(today)).transpose();
                let opened = checked
                    .map_err(|why| Refusal::FieldMalformed { field: "opened", why: why.to_string() })?;
                let window = opened.map(|opened| Window::around(opened, today, rest_days));
                Says::Reassigned { opened, window }
            }
            Saying::NameMismatch { show } => {
                if filing.labels.iter().all(|label| label.name.is_none()) {
                    return Err(Refusal::LabelNeeded.into());
                }
                Says::NameMismatch { show: show.clone() }
            }
        };
        let providers = providers(&filing.labels, &self.labels_of(number).await?);
        let drafted = self.draft(DisputeId(self.new_uuid()), number, claim, filing.labels.clone());
        Ok(Dispute {
            providers,
            note: filing.note.clone(),
            contact: filing.contact,
            language: holder.language(),
            control_proved_at: holder.proved_at(),
            ..drafted
        })
    }

    /// A dispute that is filed now, and its due days.
    pub(super) fn draft(
        &self,
        id: DisputeId,
        number: Number,
        claim: Says,
        labels: Vec<DisputedLabel>,
    ) -> Dispute {
        let (now, today) = (self.now(), self.today(number));
        let working_days = &self.reference().working_days;
        Dispute {
            id,
            number,
            claim,
            control: Control::Code,
            providers: providers(&labels, &[]),
            labels,
            note: None,
            contact: None,
            language: Language::default(),
            control_proved_at: now,
            filed_at: now,
            answer_due_on: working_days.add_working_days(today, FIRST_ANSWER_WORKING_DAYS),
            due_on: working_days.add_working_days(today, DECISION_WORKING_DAYS),
            events: Vec::new(),
            lease: None,
        }
    }

    /// From now on whoever filed follows those, too, that show something.
    pub(super) async fn follow_shown(&self, dispute: &mut Dispute) -> Result<()> {
        dispute.providers = providers(&dispute.labels, &self.labels_of(dispute.number).await?);
        Ok(())
    }

    fn clusters_of(&self, dispute: &Dispute, from: Option<&str>) -> Vec<Cluster> {
        let address = from.map(|prefix| Cluster::Address(self.address_mac(prefix)));
        // By default it is the number itself.
        let contact = dispute.contact.filter(|contact| *contact != dispute.number);
        let contact = contact.map(Cluster::Contact);
        [neighbours(dispute.number)].into_iter().chain(address).chain(contact).collect()
    }

    pub(super) async fn disputes_of(&self, number: Number) -> Result<Vec<Dispute>> {
        let listing = Listing::DisputesOf(number);
        let (disputes, _) = self.store().page::<Dispute>(&listing, None, PAGE_RECORDS_MAX).await?;
        Ok(disputes.into_iter().map(|dispute| dispute.value).collect())
    }

    /// This tenure's disputes of the number, each with a token as fresh as
    /// the holder's proof.
    pub async fn my_disputes(&self, holder: &Holder) -> Result<Vec<(Dispute, String)>> {
        let number = holder.number();
        let ledger = self.number_file(number).await?.value.ledger;
        let mut disputes = self.disputes_of(number).await?;
        disputes.retain(|dispute| {
            let was_anothers = ledger.was_anothers(self.day_of(number, dispute.filed_at), dispute.filed_at);
            dispute.control.is_code() && !was_anothers
        });
        let token = |dispute: &Dispute| self.parts.secret.dispute_token(dispute.id, holder.proved_at());
        Ok(disputes
            .into_iter()
            .map(|dispute| {
                let token = token(&dispute);
                (dispute, token)
            })
            .collect())
    }

    pub async fn withdraw(&self, claimant: &Claimant) -> Result<()> {
        self.holder_moves(claimant, &Command::Withdraw).await
    }

    pub async fn appeal(&self, claimant: &Claimant, text: &str) -> Result<()> {
        let control_proved_at = claimant.proved_at();
        self.holder_moves(claimant, &Command::Appeal { text: text.to_owned(), control_proved_at }).await
    }

    async fn holder_moves(&self, claimant: &Claimant, command: &Command) -> Result<()> {
        self.retrying(|| async {
            let dispute = self.dispute(claimant.dispute()).await?;
            let file = self.number_file(dispute.value.number).await?;
            let happened =
                dispute.value.decide(command.clone(), self.weighing(&dispute.value, &file.value, &[]))?;
            let mut changeset = Changeset::default();
            self.follow(&mut changeset, dispute, file, Actor::Holder, happened).await?;
            self.commit(changeset).await
        })
        .await
    }

    pub(super) fn weighing<'a>(
        &self,
        dispute: &Dispute,
        file: &'a NumberFile,
        labels: &'a [Label],
    ) -> Weighing<'a> {
        let number = dispute.number;
        let (rest_days, today, now) = (self.rest_days(number), self.today(number), self.now());
        Weighing { labels, ledger: &file.ledger, rest_days, today, now, is_drawn: false }
    }
}

impl Saying {
    fn reason(&self) -> Reason {
        match self {
            Self::Reassigned { .. } => Reason::Reassigned,
            Self::NameMismatch { .. } => Reason::NameMismatch,
        }
    }
}

/// A key names a filing of this tenure: the next holder may choose the same.
fn idempotency_claim(file: &NumberFile, idempotency: &Idempotency) -> Claim {
    let key = hex(&Sha256::digest(&idempotency.key));
    let tenure = file.ledger.began_on().map(|day| day.to_string()).unwrap_or_default();
    let name = format!("idempotency:{}:{tenure}:{key}", file.number.digits());
    Claim { name, value: hex(&idempotency.body_digest), expires_at: None }
}

/// Those that the holder named, and those that show something.
fn providers(named: &[DisputedLabel], shown: &[Label]) -> Vec<ProviderId> {
    let named = named.iter().map(|label| &label.provider);
    let mut providers: Vec<ProviderId> =
        named.chain(shown.iter().map(|label| &label.provider)).cloned().collect();
    providers.sort_unstable();
    providers.dedup();
    providers
}
