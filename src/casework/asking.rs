//! One question to one operator: let through by its breaker, noted in its
//! health, and kept as evidence with source, time and the exchange's name. The
//! name begins with the id of the request that the question follows from, so
//! that it is found in the operator's records as in ours; what follows tells its
//! exchanges apart, which an operator may take for one sent twice.
//!
//! Absent: what is asked, and what an answer means: the rules'.

use crate::casework::Casework;
use crate::casework::breaker::Breaker;
use crate::casework::ports::{Reply, Unavailable};
use crate::domain::evidence::{Answer, Evidence, Question};
use crate::domain::hex::hex;
use crate::domain::id::OperatorId;
use crate::domain::number::Number;
use crate::domain::number_file::NumberFile;
use crate::env::correlation;
use crate::store::{Task, Versioned};

type Answered = Result<Evidence, Unavailable>;

/// An operator that stays out of reach for this long is taken not to know:
/// people look at the case then, within the time of a first answer.
const OUT_OF_REACH_HOURS: i64 = 24;

/// What an operator is called among the gateways.
pub(super) fn gateway_name(operator: &OperatorId) -> String {
    format!("operator:{operator}")
}

impl Casework {
    /// Asks, unless the operator has been out of reach for so long that it
    /// counts as not knowing.
    pub(super) async fn ask(
        &self,
        task: &Versioned<Task>,
        number: Number,
        operator: &OperatorId,
        question: Question,
    ) -> Answered {
        match self.exchange(number, operator, question.clone()).await {
            Err(unavailable) if out_of_reach(task) => Ok(Evidence {
                question,
                answer: Answer::Unknown,
                source: operator.clone(),
                at: self.now(),
                correlator: None,
                detail: Some(unavailable.why),
            }),
            answered => answered,
        }
    }

    /// One question to one operator after the other, the serving one first,
    /// until one of them knows: who serves a landline nobody may have told.
    /// `None`: there is nobody to ask.
    pub(super) async fn ask_any(
        &self,
        number: Number,
        file: &NumberFile,
        question: Question,
    ) -> Result<Option<Answer>, Unavailable> {
        let mut said = None;
        for operator in self.askable(number, file) {
            let answer = self.exchange(number, &operator.id, question.clone()).await?.answer;
            said = Some(answer);
            if answer != Answer::Unknown {
                break;
            }
        }
        Ok(said)
    }

    pub(super) async fn exchange(
        &self,
        number: Number,
        operator: &OperatorId,
        question: Question,
    ) -> Answered {
        let Some(asked) = self.parts.operators.iter().find(|asked| asked.id == *operator) else {
            // Taken out of the configuration since.
            let why = "no API of this operator is configured".to_owned();
            return Err(Unavailable { why, retry_after_s: None, alarm: false });
        };
        let correlator = self.new_correlator();
        if !asked.api.offers(number, &question) {
            let reply = Reply { answer: Answer::Unknown, detail: Some("not offered".to_owned()) };
            return Ok(self.evidence(question, operator, reply, correlator));
        }
        let gateway = gateway_name(operator);
        if let Err(until) = self.breakers.of(&gateway, |breaker| breaker.enter(self.now())) {
            let wait_s = until.duration_since(self.now()).as_secs().max(1).unsigned_abs();
            let why = "left alone for a while after failures".to_owned();
            return Err(Unavailable { why, retry_after_s: Some(wait_s), alarm: false });
        }
        let began = self.now();
        let replied = asked.api.ask(number, &question, &correlator).await;
        self.meters.called(operator, self.now().duration_since(began));
        let reply = match replied {
            Ok(reply) => reply,
            Err(unavailable) => {
                self.health.unavailable(&gateway, &unavailable);
                let pause_s = unavailable.retry_after_s;
                self.breakers.of(&gateway, |breaker| breaker.failed(self.now(), pause_s));
                return Err(unavailable);
            }
        };
        self.health.ok(&gateway);
        self.breakers.of(&gateway, Breaker::succeeded);
        Ok(self.evidence(question, operator, reply, correlator))
    }

    fn new_correlator(&self) -> String {
        let request_id = correlation::current().unwrap_or_else(|| self.new_uuid());
        format!("{request_id}.{}", hex(&self.random::<4>()))
    }

    fn evidence(
        &self,
        question: Question,
        operator: &OperatorId,
        reply: Reply,
        correlator: String,
    ) -> Evidence {
        Evidence {
            question,
            answer: reply.answer,
            source: operator.clone(),
            at: self.now(),
            correlator: Some(correlator),
            detail: reply.detail,
        }
    }
}

/// Attempts double from a second on, so their number tells how long this has
/// been going on.
fn out_of_reach(task: &Versioned<Task>) -> bool {
    super::worker::waited_s(task.value.attempts) >= OUT_OF_REACH_HOURS * 3_600
}
