//! The worker's part in a dispute: asks what the rules need to know, one
//! question at a time, and commits each answer before the next step.

use jiff::SignedDuration;

use crate::casework::{Casework, Error, Result, messages};
use crate::domain::dispute::{Actor, Command, Dispute, Refused, State, Status, What};
use crate::domain::evidence::Evidence;
use crate::domain::id::{DisputeId, OperatorId};
use crate::domain::number::Number;
use crate::domain::number_file::NumberFile;
use crate::domain::policy::REGISTRY_CURRENT_DAYS;
use crate::domain::rules::{Askable, Case, Step, next_step};
use crate::store::{Changeset, OperatorState, Task, Versioned};

/// More steps than any case needs; the rest waits for the task's next turn.
const STEPS_PER_RUN_MAX: u32 = 32;

impl Casework {
    pub(super) async fn check(&self, task: &Versioned<Task>, id: DisputeId) -> Result<()> {
        for _ in 0..STEPS_PER_RUN_MAX {
            let dispute = self.dispute(id).await?;
            let state = dispute.value.state();
            if state.status != Status::Checking {
                return self.watch(task, dispute, &state).await;
            }
            if let Some(ask_again_at) = state.ask_again_at.filter(|at| self.now() < *at) {
                return self.put_off(task, ask_again_at).await;
            }
            let file = self.number_file(dispute.value.number).await?;
            let step = self.next_step(&dispute.value, &state, &file.value).await?;
            let happened = match step {
                Step::Ask { operator, question } => {
                    match self.ask(task, dispute.value.number, &operator, question).await {
                        Ok(evidence) => vec![What::Answered(evidence)],
                        Err(unavailable) => return self.postpone(task, &unavailable).await,
                    }
                }
                step => events_of(step),
            };
            match self.commit_step(dispute, file, happened).await {
                Ok(()) | Err(Error::Stale) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A case that went to people because an operator was out of reach is the
    /// rules' again once it answers, unless somebody has it in hand.
    async fn watch(&self, task: &Versioned<Task>, dispute: Versioned<Dispute>, state: &State) -> Result<()> {
        let Some(silence) = dispute.value.waits_for_an_operator(state) else {
            return self.finish(task).await;
        };
        if let Some(lease) = dispute.value.lease.as_ref().filter(|lease| self.now() < lease.until) {
            return self.put_off(task, lease.until).await;
        }
        let (number, question) = (dispute.value.number, silence.question.clone());
        match self.exchange(number, &silence.source, question).await {
            Ok(evidence) => {
                let file = self.number_file(number).await?;
                let happened = vec![What::RecheckAsked, What::Answered(evidence)];
                self.commit_step(dispute, file, happened).await
            }
            Err(unavailable) => self.postpone(task, &unavailable).await,
        }
    }

    async fn commit_step(
        &self,
        dispute: Versioned<Dispute>,
        file: Versioned<NumberFile>,
        happened: Vec<What>,
    ) -> Result<()> {
        let mut changeset = Changeset::default();
        self.follow(&mut changeset, dispute, file, Actor::Rule, happened.clone()).await?;
        self.commit(changeset).await?;
        self.meters.happened(&happened);
        Ok(())
    }

    async fn next_step(&self, dispute: &Dispute, state: &State, file: &NumberFile) -> Result<Step> {
        let number = dispute.number;
        let labels = self.labels_of(number).await?;
        let operators = self.askable(number, file);
        let only_first = self.reference().numbering.is_virtual(number);
        Ok(next_step(&Case {
            dispute,
            evidence: &state.evidence,
            ledger: &file.ledger,
            decisions: &file.decisions,
            labels: &labels,
            operators: &operators,
            only_first,
            registry_current: self.registry_current().await?,
            rest_days: self.rest_days(number),
            today: self.today(number),
            now: self.now(),
            catalog: &self.reference().labels,
        }))
    }

    /// Whose API can be asked, the serving operator first. In the range of a
    /// virtual operator nobody else counts, so that nobody else is named.
    pub(super) fn askable(&self, number: Number, file: &NumberFile) -> Vec<Askable> {
        let home = self.reference().numbering.home_operator(number);
        let serving = file.ledger.serving(home);
        let is_virtual = self.reference().numbering.is_virtual(number);
        let mut operators: Vec<Askable> = self
            .parts
            .operators
            .iter()
            .map(|operator| Askable {
                id: operator.id.clone(),
                serving: serving == Some(&operator.id),
                follows_ports: operator.follows_ports,
            })
            .filter(|operator| operator.serving || !is_virtual)
            .collect();
        operators.sort_by_key(|operator| !operator.serving);
        operators
    }

    async fn registry_current(&self) -> Result<bool> {
        let registry: OperatorId = OperatorId::REGISTRY.parse().expect("the registry's id is a slug");
        let state = self.store().load::<OperatorState>(&registry).await?;
        let spoke_at = state.and_then(|state| state.value.last_batch_at);
        let current = SignedDuration::from_hours(24 * i64::from(REGISTRY_CURRENT_DAYS));
        Ok(spoke_at.is_some_and(|at| self.now().duration_since(at) <= current))
    }

    pub(super) async fn lapse(&self, task: &Versioned<Task>, id: DisputeId) -> Result<()> {
        let dispute = self.dispute(id).await?;
        let file = self.number_file(dispute.value.number).await?;
        // Documents that arrived in time make this command one of the wrong state.
        let lapsed = dispute.value.decide(Command::Lapse, self.weighing(&dispute.value, &file.value, &[]));
        let mut changeset = Changeset::default();
        if let Ok(happened) = lapsed {
            self.follow(&mut changeset, dispute, file, Actor::Rule, happened).await?;
        }
        changeset.delete(task);
        self.commit(changeset).await
    }

    /// Tells the holder that there is news: the state and where to look,
    /// never a label.
    pub(super) async fn notify(&self, task: &Versioned<Task>, id: DisputeId) -> Result<()> {
        let dispute = self.dispute(id).await?.value;
        if let Some(filing) = dispute.control.filing() {
            return self.notify_list(task, filing, dispute.status()).await;
        }
        let sent_to = dispute.number;
        if self.reference().numbering.kind(sent_to).receives_sms() {
            let link = self.links.as_ref().map(|links| links.dispute(id));
            let Some(text) = messages::of_dispute(dispute.status(), dispute.language, link) else {
                return self.finish(task).await;
            };
            let id = format!("status-{id}-{}", dispute.events.len());
            return self.tell(task, id, sent_to, &text).await;
        }
        self.finish(task).await
    }
}

fn events_of(step: Step) -> Vec<What> {
    let answered = |told: Vec<Evidence>| told.into_iter().map(What::Answered);
    match step {
        Step::Ask { .. } => Vec::new(),
        Step::ControlProved => vec![What::ControlProved],
        Step::AskAgainAt(next_at) => vec![What::AskingAgain { next_at }],
        Step::Approve { effect, assurance, told } => {
            answered(told).chain([What::Approved { effect, assurance, ruling: None }]).collect()
        }
        Step::Refuse(code) => {
            vec![What::Refused(Refused { code: code.to_owned(), public_note: None, note: None })]
        }
        Step::Review { flags, told } => answered(told).chain([What::SentToReview { flags }]).collect(),
    }
}
