//! What must hold after every step of disputes and of those who file them.

use sha2::{Digest, Sha256};
use zhengming::domain::day::plus_days;
use zhengming::domain::dispute::{Actor, Claim as Says, Dispute, Event, Reason, Status, What};
use zhengming::domain::evidence::{Answer, Evidence, Question};
use zhengming::domain::number_file::NumberFile;
use zhengming::domain::policy::FILINGS_PERIOD_DAYS;
use zhengming::store::{Claim, Listing, Task, TaskKind};

use super::checks::must;
use super::life::day_of;
use super::moderators::is_told;
use super::town::{FILINGS_MAX, Town, number_of};

impl Town {
    pub async fn check_disputes(&mut self, index: usize, file: &NumberFile) -> Result<(), String> {
        let listing = Listing::DisputesOf(number_of(index));
        let (disputes, _) = self.store().page::<Dispute>(&listing, None, 1_000).await.unwrap();
        let disputes: Vec<Dispute> = disputes.into_iter().map(|dispute| dispute.value).collect();
        for reason in [Reason::Reassigned, Reason::NameMismatch] {
            self.check_open(index, reason, &disputes).await?;
            self.check_quota(file, reason, &disputes)?;
        }
        for case in self.cases.iter().filter(|case| case.number == index) {
            let kept = disputes.iter().find(|dispute| dispute.id == case.id);
            let kept = kept.ok_or_else(|| format!("dispute {} was told of and is gone", case.id))?;
            let stays = !case.withdrawn || kept.status() == Status::Withdrawn;
            must!(stays, "{} was withdrawn and is {:?}", case.id, kept.status());
        }
        for dispute in disputes {
            self.check_waiting(&dispute).await?;
            self.check_events(dispute)?;
        }
        Ok(())
    }

    /// One open dispute for a reason, and a claim that names it.
    async fn check_open(&self, index: usize, reason: Reason, disputes: &[Dispute]) -> Result<(), String> {
        let open = disputes.iter().filter(|dispute| dispute.reason() == reason && dispute.status().is_open());
        let open: Vec<String> = open.map(|dispute| dispute.id.to_string()).collect();
        let name = format!("open:{}:{}", number_of(index).digits(), reason.as_str());
        let claim = self.store().load::<Claim>(&name).await.unwrap().map(|claim| claim.value.value);
        let claimed: Vec<String> = claim.into_iter().collect();
        must!(
            open == claimed,
            "number {index}: {open:?} are open for {reason:?}, the claim says {claimed:?}"
        );
        Ok(())
    }

    fn check_quota(&self, file: &NumberFile, reason: Reason, disputes: &[Dispute]) -> Result<(), String> {
        let from = plus_days(day_of(self.now()), -FILINGS_PERIOD_DAYS);
        let began = file.ledger.began_on();
        let recent = disputes.iter().filter(|dispute| {
            let on = day_of(dispute.filed_at);
            dispute.reason() == reason && on >= from && began.is_none_or(|began| began < on)
        });
        let filed = recent.count();
        must!(filed <= FILINGS_MAX as usize, "{filed} filings in 90 days for {reason:?}");
        Ok(())
    }

    /// What waits has a task that will wake it.
    async fn check_waiting(&self, dispute: &Dispute) -> Result<(), String> {
        let (id, state) = (dispute.id, dispute.state());
        let has = async |kind: TaskKind| self.store().load::<Task>(&kind).await.unwrap().is_some();
        match state.status {
            Status::Checking => must!(has(TaskKind::Check(id)).await, "nobody checks {id}"),
            Status::NeedsEvidence => {
                let on = state.lapses_on.ok_or("documents are awaited for ever")?;
                must!(has(TaskKind::Lapse { dispute: id, on }).await, "nobody ends the wait of {id}");
            }
            _ => {}
        }
        if is_told(state.status) {
            let news = format!("status-{id}-");
            let sent = self.outbox.sent.lock().unwrap().iter().any(|message| message.id.starts_with(&news));
            must!(sent || has(TaskKind::Notify(id)).await, "the holder of {id} is not told");
        }
        Ok(())
    }

    /// Events stay, each is in the audit, and no rule approves on unknown.
    fn check_events(&mut self, dispute: Dispute) -> Result<(), String> {
        let seen = self.seen.events.get(&dispute.id).map_or(0, Vec::len);
        let same = self.seen.events.get(&dispute.id).is_none_or(|seen| dispute.events.starts_with(seen));
        must!(same, "events of {} have changed", dispute.id);
        if seen == dispute.events.len() {
            return Ok(());
        }
        let digests: Vec<String> = dispute.events.iter().map(digest).collect();
        let audited = self.audited_events(dispute.id);
        must!(audited.iter().copied().eq(&digests), "the audit tells another story of {}", dispute.id);
        for (at, event) in dispute.events.iter().enumerate().skip(seen) {
            if matches!((&event.what, &event.actor), (What::Approved { .. }, Actor::Rule)) {
                let evidence = evidence_of(&dispute.events[..at]);
                must!(is_proved(&dispute, &evidence), "a rule approved {} on {evidence:?}", dispute.id);
            }
        }
        self.seen.events.insert(dispute.id, dispute.events);
        Ok(())
    }

    /// Proofs from before a known beginning open nothing; the others do.
    pub async fn check_tokens(&self) -> Result<(), String> {
        for token in self.tokens.iter().filter(|token| self.now() < token.expires_at) {
            let opens = self.casework.holder(&token.text).await.is_ok();
            self.check_opens(token.number, token.proved_at, opens).await?;
        }
        for case in &self.cases {
            let opens = self.casework.claimant(&case.token, case.id).await.is_ok();
            self.check_opens(case.number, case.proved_at, opens).await?;
        }
        Ok(())
    }

    async fn check_opens(&self, number: usize, at: jiff::Timestamp, opens: bool) -> Result<(), String> {
        let ledger = self.file_of(number_of(number)).await.ledger;
        let mut begun = ledger.lines().iter().filter(|line| line.event.begins()).map(|line| line.on);
        let on = day_of(at);
        let (passed, same_day) = (begun.clone().any(|began| began > on), begun.any(|began| began == on));
        must!(!(passed && opens), "number {number}: a proof of {at} opens the next tenure");
        must!(passed || same_day || opens, "number {number}: a proof of {at} opens nothing");
        Ok(())
    }
}

fn digest(event: &Event) -> String {
    let json = serde_json::to_value(event).unwrap().to_string();
    Sha256::digest(json).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The answers of the last round of asking.
fn evidence_of(events: &[Event]) -> Vec<&Evidence> {
    let mut evidence = Vec::new();
    for event in events {
        match &event.what {
            What::Answered(answer) => evidence.push(answer),
            What::AskingAgain { .. } | What::RecheckAsked => evidence.clear(),
            _ => {}
        }
    }
    evidence
}

/// One source says all that the decision table wants to hear.
fn is_proved(dispute: &Dispute, evidence: &[&Evidence]) -> bool {
    let said = |source: &Evidence, answer: Answer, is: &dyn Fn(&Question) -> bool| {
        let theirs = evidence.iter().filter(|other| other.source == source.source);
        theirs.filter(|other| other.answer == answer && is(&other.question)).count()
    };
    match &dispute.claim {
        Says::Reassigned { .. } => evidence.iter().any(|source| {
            said(source, Answer::Yes, &|asked| matches!(asked, Question::HeldSince { .. })) >= 1
                && said(source, Answer::Yes, &|asked| matches!(asked, Question::ChangedAfter { .. })) >= 2
        }),
        Says::NameMismatch { show: Some(show) } => evidence.iter().any(|source| {
            let asks =
                |asked: &Question| matches!(asked, Question::EnterpriseIs { name, .. } if *name == show.name);
            said(source, Answer::Yes, &asks) >= 1
        }),
        Says::NameMismatch { show: None } => dispute.disputed_names().all(|theirs| {
            let asks = |asked: &Question| matches!(asked, Question::NameIs { name } if name == theirs);
            evidence.iter().any(|source| said(source, Answer::No, &asks) >= 1)
        }),
    }
}
