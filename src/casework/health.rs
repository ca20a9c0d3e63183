//! How the ways out of the house are doing: SMS, operators, look-ups. In
//! memory, for whoever runs the service; nothing is decided by it.
//!
//! `why` is a gateway's own word, which names no number and no secret. What
//! changes is logged once, when it begins and when it ends, not for each try.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::casework::Casework;
use crate::casework::actors::ModeratorActor;
use crate::casework::ports::Unavailable;
use crate::domain::day::later;
use crate::domain::refusal::Refusal;
use crate::env::clock::Clock;
use crate::store::Role;

pub const SMS: &str = "sms";

#[derive(Debug)]
pub struct Health {
    clock: Arc<dyn Clock>,
    gateways: Mutex<BTreeMap<String, Standing>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GatewayState {
    Ok,
    Failing,
    /// Our credentials, or our rights: somebody has to look.
    RefusedUs,
    /// It asked for a pause.
    Paused,
}

/// One gateway, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GatewayHealth {
    pub name: String,
    pub state: GatewayState,
    /// When this state began.
    pub since: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// When it was last heard of, well or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Timestamp>,
    /// In a row.
    pub failures: u32,
}

#[derive(Debug)]
struct Standing {
    state: GatewayState,
    since: Timestamp,
    why: Option<String>,
    last_at: Option<Timestamp>,
    failures: u32,
    paused_until: Timestamp,
}

impl Health {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, gateways: Mutex::default() }
    }

    /// Shows a gateway from now on, though nothing has gone through it yet.
    pub fn expect(&self, name: &str) {
        let now = self.clock.now();
        self.gateways().entry(name.to_owned()).or_insert_with(|| Standing::new(now));
    }

    pub fn ok(&self, name: &str) {
        let now = self.clock.now();
        let mut gateways = self.gateways();
        let standing = standing(&mut gateways, name, now);
        if standing.state != GatewayState::Ok {
            tracing::info!(gateway = name, failures = standing.failures, "gateway is well again");
            standing.turn(GatewayState::Ok, now);
        }
        (standing.why, standing.last_at, standing.failures) = (None, Some(now), 0);
    }

    /// With an alarm it is not going to get better by itself.
    pub fn failed(&self, name: &str, why: &str, alarm: bool) {
        self.note(name, why, alarm, None);
    }

    /// Failed as its gateway says, with the pause that was asked for.
    pub fn unavailable(&self, name: &str, unavailable: &Unavailable) {
        self.note(name, &unavailable.why, unavailable.alarm, unavailable.retry_after_s);
    }

    /// All of them, by name.
    pub fn list(&self) -> Vec<GatewayHealth> {
        let now = self.clock.now();
        self.gateways().iter().map(|(name, standing)| standing.show(name, now)).collect()
    }

    fn note(&self, name: &str, why: &str, alarm: bool, pause_s: Option<u64>) {
        let now = self.clock.now();
        let mut gateways = self.gateways();
        let standing = standing(&mut gateways, name, now);
        let state = match standing.state {
            _ if alarm => GatewayState::RefusedUs,
            // An alarm goes on until something goes well.
            GatewayState::RefusedUs => GatewayState::RefusedUs,
            _ if pause_s.is_some() => GatewayState::Paused,
            _ => GatewayState::Failing,
        };
        if standing.state != state {
            match state {
                GatewayState::RefusedUs => {
                    tracing::error!(gateway = name, why, "gateway refuses us: somebody has to look");
                }
                _ => tracing::warn!(gateway = name, why, "gateway does not work"),
            }
            standing.turn(state, now);
        }
        (standing.why, standing.last_at) = (Some(why.to_owned()), Some(now));
        standing.failures = standing.failures.saturating_add(1);
        let pause_s = i64::try_from(pause_s.unwrap_or(0)).unwrap_or(i64::MAX);
        standing.paused_until = later(now, SignedDuration::from_secs(pause_s));
    }

    fn gateways(&self) -> MutexGuard<'_, BTreeMap<String, Standing>> {
        self.gateways.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn standing<'a>(
    gateways: &'a mut BTreeMap<String, Standing>,
    name: &str,
    now: Timestamp,
) -> &'a mut Standing {
    gateways.entry(name.to_owned()).or_insert_with(|| Standing::new(now))
}

impl Standing {
    fn new(now: Timestamp) -> Self {
        let state = GatewayState::Ok;
        Self { state, since: now, why: None, last_at: None, failures: 0, paused_until: now }
    }

    fn turn(&mut self, state: GatewayState, now: Timestamp) {
        (self.state, self.since) = (state, now);
    }

    /// A pause that is over says nothing any more.
    fn show(&self, name: &str, now: Timestamp) -> GatewayHealth {
        let is_over = self.state == GatewayState::Paused && self.paused_until <= now;
        let (state, since, why) = if is_over {
            (GatewayState::Ok, self.paused_until, None)
        } else {
            (self.state, self.since, self.why.clone())
        };
        GatewayHealth {
            name: name.to_owned(),
            state,
            since,
            why,
            last_at: self.last_at,
            failures: self.failures,
        }
    }
}

impl Casework {
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// For those who answer for the service.
    pub fn gateways(&self, moderator: &ModeratorActor) -> Result<Vec<GatewayHealth>, Refusal> {
        moderator.at_least(Role::Senior)?;
        Ok(self.health.list())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::env::clock::MockClock;

    fn health() -> (MockClock, Health) {
        let clock = MockClock::at("2026-11-23T03:00:00Z".parse().unwrap());
        (clock.clone(), Health::new(Arc::new(clock)))
    }

    fn seen(health: &Health) -> (GatewayState, String, Option<String>, u32) {
        let one = health.list().remove(0);
        (one.state, one.since.to_string(), one.why, one.failures)
    }

    #[test]
    fn what_is_expected_is_shown_well_until_something_happens() {
        let (clock, health) = health();
        health.expect(SMS);
        clock.advance(SignedDuration::from_secs(60));
        health.expect(SMS);
        assert_eq!(seen(&health), (GatewayState::Ok, "2026-11-23T03:00:00Z".to_owned(), None, 0));
        assert_eq!(health.list()[0].last_at, None);
    }

    #[test]
    fn a_state_has_its_beginning_and_failures_are_counted() {
        let (clock, health) = health();
        for _ in 0..3 {
            health.failed("operator:cmcc", "503", false);
            clock.advance(SignedDuration::from_secs(10));
        }
        let began = "2026-11-23T03:00:00Z".to_owned();
        assert_eq!(seen(&health), (GatewayState::Failing, began, Some("503".to_owned()), 3));
        health.ok("operator:cmcc");
        let began = "2026-11-23T03:00:30Z".to_owned();
        assert_eq!(seen(&health), (GatewayState::Ok, began.clone(), None, 0));
        clock.advance(SignedDuration::from_secs(10));
        health.ok("operator:cmcc");
        assert_eq!(seen(&health).1, began);
    }

    #[test]
    fn an_alarm_goes_on_until_something_goes_well() {
        let (clock, health) = health();
        health.failed("x", "no answer", false);
        clock.advance(SignedDuration::from_secs(1));
        health.failed("x", "401", true);
        clock.advance(SignedDuration::from_secs(1));
        health.failed("x", "no answer", false);
        let began = "2026-11-23T03:00:01Z".to_owned();
        assert_eq!(seen(&health), (GatewayState::RefusedUs, began, Some("no answer".to_owned()), 3));
        health.ok("x");
        assert_eq!(seen(&health).0, GatewayState::Ok);
    }

    #[test]
    fn a_pause_ends_by_itself() {
        let (clock, health) = health();
        let busy = Unavailable { why: "429".to_owned(), retry_after_s: Some(60), alarm: false };
        health.unavailable("x", &busy);
        assert_eq!(seen(&health).0, GatewayState::Paused);
        clock.advance(SignedDuration::from_secs(60));
        assert_eq!(seen(&health), (GatewayState::Ok, "2026-11-23T03:01:00Z".to_owned(), None, 1));
    }

    /// What a subscriber would write.
    #[derive(Debug, Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_alarm_is_said_when_it_begins_and_not_for_each_try() {
        let (_, health) = health();
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..2 {
                for _ in 0..5 {
                    health.failed("operator:cmcc", "401 UNAUTHENTICATED", true);
                    health.failed("operator:cmcc", "no answer", false);
                }
                health.ok("operator:cmcc");
                health.ok("operator:cmcc");
            }
        });
        let said = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let levels = ["ERROR", "WARN", "INFO"].map(|level| said.matches(level).count());
        assert_eq!(levels, [2, 0, 2], "{said}");
    }
}
