//! What is counted of the casework: evidence, messages, tasks, purges, what
//! waits for moderators, and the ways out of the house.
//!
//! What happens is counted where it happens. What stands (gateways, breakers,
//! how late the worker is) is looked up when it is asked for, from memory and
//! with one record each; what waits for moderators is counted by the worker.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use crate::casework::health::{GatewayState, SMS};
use crate::casework::moderation::Queue;
use crate::casework::{Casework, Error, Result};
use crate::domain::dispute::{Status, What};
use crate::domain::evidence::Answer;
use crate::domain::id::{OperatorId, ProviderId};
use crate::env::metrics::{Counters, Gauges, Histograms, Labels, Registry, is, named, set_state};
use crate::store::{AccessKey, Counting, Grant, Listing, Series, Task};

const AGES: [&str; 5] = ["0", "1", "2-4", "5-9", "10+"];
const GATEWAY_STATES: [&str; 4] = ["ok", "failing", "refused_us", "paused"];

/// In seconds: an operator is given up after its `timeout_ms`, at most 60 s.
const CALLS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

#[derive(Debug)]
struct Calls(Histograms<1>);

#[derive(Debug, Default)]
pub(super) struct Meters {
    evidence: Counters<2>,
    calls: Calls,
    messages: Counters<1>,
    messages_held: Counters<1>,
    messages_max: Gauge,
    tasks: Counters<2>,
    purges: Counters<1>,
    purged: Counter,
    purged_at: Gauges<0>,
    queue: Gauges<2>,
    overdue: Gauges<0>,
    open: Gauges<0>,
    late: Gauges<0>,
    gateways: Gauges<2>,
    breakers: Gauges<2>,
}

/// Why a message is not sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cap {
    /// The whole service has sent a minute's: it waits.
    Service,
    /// The number has had a day's codes: it is never sent.
    Number,
}

impl Cap {
    fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service_minute",
            Self::Number => "number_day",
        }
    }
}

impl Default for Calls {
    fn default() -> Self {
        let in_seconds: fn() -> Histogram = || Histogram::new(CALLS);
        Self(Histograms::new_with_constructor(in_seconds))
    }
}

impl Meters {
    /// What happened to a dispute, once it is committed.
    pub(super) fn happened(&self, happened: &[What]) {
        for what in happened {
            if let What::Answered(evidence) = what {
                let answer = match evidence.answer {
                    Answer::Yes => "yes",
                    Answer::No => "no",
                    Answer::Unknown => "unknown",
                };
                self.evidence.get_or_create(&evidence_labels(evidence.source.as_str(), answer)).inc();
            }
        }
    }

    /// One question to an operator, answered or not.
    pub(super) fn called(&self, operator: &OperatorId, took: SignedDuration) {
        let took = took.as_secs_f64().max(0.0);
        self.calls.0.get_or_create(&[named("operator", operator.as_str())]).observe(took);
    }

    pub(super) fn message(&self, is_sent: bool) {
        self.messages.get_or_create(&[outcome(if is_sent { "sent" } else { "failed" })]).inc();
    }

    pub(super) fn held(&self, cap: Cap) {
        self.messages_held.get_or_create(&[is("cap", cap.as_str())]).inc();
    }

    /// Returns what the outcome is called.
    pub(super) fn task(&self, task: &Task, ended: &Result<()>) -> &'static str {
        let ended = match ended {
            Ok(()) => "ok",
            Err(Error::Stale) => "stale",
            Err(Error::Fatal(_)) => "fatal",
            Err(_) => "put_off",
        };
        self.tasks.get_or_create(&[is("task", task.kind.as_str()), outcome(ended)]).inc();
        ended
    }

    pub(super) fn purge(&self, ended: &Result<u64>, now: Timestamp) {
        let is_ok = ended.is_ok();
        self.purges.get_or_create(&[outcome(if is_ok { "ok" } else { "failed" })]).inc();
        if let Ok(deleted) = ended {
            self.purged.inc_by(*deleted);
            self.purged_at.get_or_create(&[]).set(now.as_second());
        }
    }

    /// All classes are there, be they empty.
    pub(super) fn waiting(&self, queue: &Queue) {
        for status in [Status::InReview, Status::AwaitingSecond] {
            for age in AGES {
                let count = queue.by_status_and_age.get(&(status, age)).copied().unwrap_or_default();
                let labels = [is("status", status.as_str()), is("age_days", age)];
                self.queue.get_or_create(&labels).set(gauge(count));
            }
        }
        self.overdue.get_or_create(&[]).set(gauge(queue.overdue));
    }
}

impl Casework {
    pub fn register(&self, registry: &mut Registry) {
        let meters = &self.meters;
        meters.messages_max.set(self.parts.settings.sms_per_minute.into());
        let help = "Answers that became evidence, by operator and answer";
        registry.register("zhengming_evidence", help, meters.evidence.clone());
        let help = "Until an operator answered a question, or failed to, by operator";
        registry.register("zhengming_operator_call_duration_seconds", help, meters.calls.0.clone());
        let help = "Messages handed to the SMS gateway, by outcome";
        registry.register("zhengming_sms", help, meters.messages.clone());
        let help = "Messages that a cap kept back, by cap";
        registry.register("zhengming_sms_held", help, meters.messages_held.clone());
        let help = "Most messages of the whole service in a minute; 0 is any number";
        registry.register("zhengming_sms_per_minute_max", help, meters.messages_max.clone());
        let help = "Tasks that the worker ran, by kind and outcome";
        registry.register("zhengming_tasks", help, meters.tasks.clone());
        let help = "Since the task that is due for longest was due";
        registry.register("zhengming_task_lateness_seconds", help, meters.late.clone());
        let help = "Turns of deleting what has run out, by outcome";
        registry.register("zhengming_purge_runs", help, meters.purges.clone());
        let help = "Records that were deleted because they had run out";
        registry.register("zhengming_purged_records", help, meters.purged.clone());
        let help = "When the last purge ended well, as Unix time";
        registry.register("zhengming_purge_last_success_timestamp_seconds", help, meters.purged_at.clone());
        let help =
            "Disputes that wait for a moderator, by status and days since filing, as counted each minute";
        registry.register("zhengming_queue_disputes", help, meters.queue.clone());
        let help = "Disputes that wait for a moderator beyond their due date, as counted each minute";
        registry.register("zhengming_queue_overdue_disputes", help, meters.overdue.clone());
        let help = "Disputes without a decision, as counted each minute";
        registry.register("zhengming_open_disputes", help, meters.open.clone());
        let help = "How a way out of the house is doing: 1 for its state";
        registry.register("zhengming_gateway_state", help, meters.gateways.clone());
        let help = "Whether calls are let through to a gateway: 1 for its circuit breaker's state";
        registry.register("zhengming_circuit_breaker_state", help, meters.breakers.clone());
        self.begin_at_nothing();
    }

    /// A counter that appears with its first event is not seen to rise by it.
    fn begin_at_nothing(&self) {
        let meters = &self.meters;
        for operator in &self.parts.operators {
            drop(meters.calls.0.get_or_create(&[named("operator", operator.id.as_str())]));
            for answer in ["yes", "no", "unknown"] {
                drop(meters.evidence.get_or_create(&evidence_labels(operator.id.as_str(), answer)));
            }
        }
        for ended in ["sent", "failed"] {
            drop(meters.messages.get_or_create(&[outcome(ended)]));
        }
        for cap in [Cap::Service, Cap::Number] {
            drop(meters.messages_held.get_or_create(&[is("cap", cap.as_str())]));
        }
        for ended in ["ok", "failed"] {
            drop(meters.purges.get_or_create(&[outcome(ended)]));
        }
    }

    /// Looks up what stands. What cannot be looked up, or not in time, is not
    /// shown.
    pub async fn measure(&self) {
        let (meters, now) = (&self.meters, self.now());
        for gateway in self.health.list() {
            let state = match gateway.state {
                GatewayState::Ok => "ok",
                GatewayState::Failing => "failing",
                GatewayState::RefusedUs => "refused_us",
                GatewayState::Paused => "paused",
            };
            set_state(&meters.gateways, of_gateway(&gateway.name), &GATEWAY_STATES, state);
            // Messages wait for a gateway that is away, and it has none.
            if gateway.name != SMS {
                let state = self.breakers.of(&gateway.name, |breaker| breaker.state(now));
                set_state(&meters.breakers, of_gateway(&gateway.name), &super::breaker::STATES, state);
            }
        }
        [&meters.open, &meters.late].iter().for_each(|meter| meter.clear());
        if let Ok(counting) = self.store().load::<Counting>(&Series::Disputes).await {
            let open = counting.map_or(0, |counting| counting.value.open);
            meters.open.get_or_create(&[]).set(gauge(open));
        }
        if let Ok((due, _)) = self.store().page::<Task>(&Listing::TasksDue { until: now }, None, 1).await {
            let late = due.first().map_or(SignedDuration::ZERO, |task| now.duration_since(task.value.run_at));
            meters.late.get_or_create(&[]).set(late.as_secs());
        }
    }

    /// Providers that have a key that is good: those whose lag is of interest.
    pub async fn providers_with_keys(&self) -> Result<Vec<ProviderId>> {
        let now = self.now();
        let keys = self.store().all::<AccessKey>(&Listing::AccessKeys).await?;
        let mut providers: Vec<ProviderId> = keys
            .into_iter()
            .filter(|key| key.value.is_good(now))
            .filter_map(|key| match key.value.grant {
                Grant::Provider(id) => Some(id),
                _ => None,
            })
            .collect();
        providers.sort_unstable();
        providers.dedup();
        Ok(providers)
    }
}

fn outcome(value: &'static str) -> (&'static str, Cow<'static, str>) {
    is("outcome", value)
}

fn evidence_labels(operator: &str, answer: &'static str) -> Labels<2> {
    [named("operator", operator), is("answer", answer)]
}

fn of_gateway(name: &str) -> impl Fn(&'static str) -> Labels<2> {
    move |state| [named("gateway", name), is("state", state)]
}

fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
