//! How often one caller may ask, and how much of a thing it may have at once:
//! rates and places kept in memory, by network prefix and by key. They protect the service; they hold for one process and start
//! afresh with it.
//!
//! Absent: quotas that must survive a restart (codes and filings of a number,
//! dates that a provider asks about it), which live with the numbers in the store.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::{Quota, RateLimiter};
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use prometheus_client::metrics::counter::Counter;
use serde::Deserialize;

use super::client::AddressPrefix;
use super::problem::{Code, Problem};
use crate::domain::id::{ModeratorName, OperatorId, ProviderId};
use crate::domain::number::Number;
use crate::env::clock::Elapsed;
use crate::env::metrics::{Counters, Registry, is};

mod bounded;
mod places;
use bounded::BoundedStore;
pub use places::{Place, Places};

const DAY_S: u32 = 86_400;
/// A rate per second may be used up ahead: this many seconds' worth at once.
const BURST_S: u32 = 5;
const SSE_CONNECTIONS_PER_PROVIDER_MAX: u32 = 8;
const UPLOADS_PER_NUMBER_MAX: u32 = 1;

/// The rates of the `[limits]` section that are kept in memory; 0 switches
/// one off.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct LimitsConfig {
    pub requests_per_address_per_second: u32,
    pub requests_per_provider_per_second: u32,
    pub requests_per_operator_per_second: u32,
    pub requests_per_number_per_second: u32,
    pub requests_per_moderator_per_second: u32,
    pub verifications_per_address_per_hour: u32,
    pub logins_per_address_per_minute: u32,
    pub logins_per_account_per_hour: u32,
    pub snapshots_per_provider_per_day: u32,
    /// How many callers each rate tells apart before newcomers share one.
    pub keys_max: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            requests_per_address_per_second: 20,
            requests_per_provider_per_second: 200,
            requests_per_operator_per_second: 50,
            requests_per_number_per_second: 20,
            requests_per_moderator_per_second: 20,
            verifications_per_address_per_hour: 20,
            logins_per_address_per_minute: 5,
            logins_per_account_per_hour: 30,
            snapshots_per_provider_per_day: 20,
            keys_max: 100_000,
        }
    }
}

/// Every rate that the routes ask.
#[derive(Debug)]
pub struct Limits {
    refusals: Counters<1>,
    pub requests_by_address: Limiter<AddressPrefix>,
    pub requests_by_provider: Limiter<ProviderId>,
    pub requests_by_operator: Limiter<OperatorId>,
    /// Whoever holds a token of the number.
    pub requests_by_number: Limiter<Number>,
    pub requests_by_moderator: Limiter<ModeratorName>,
    pub verifications_by_address: Limiter<AddressPrefix>,
    pub logins_by_address: Limiter<AddressPrefix>,
    /// From wherever nobody has logged in to it before.
    pub logins_by_account: Limiter<ModeratorName>,
    pub snapshots_by_provider: Limiter<ProviderId>,
    pub event_streams_by_provider: Places<ProviderId>,
    pub uploads_by_number: Places<Number>,
}

impl Limits {
    pub fn new(config: &LimitsConfig, clock: &Elapsed) -> Self {
        let second = |name, n: u32| Rate { name, quota: n.saturating_mul(BURST_S), window_s: BURST_S };
        let hour = |name, quota| Rate { name, quota, window_s: 3600 };
        let minute = |name, quota| Rate { name, quota, window_s: 60 };
        let day = |name, quota| Rate { name, quota, window_s: DAY_S };
        // Each limiter has callers of its own type, which a closure cannot have.
        let refusals = Counters::default();
        macro_rules! limit {
            ($rate:expr) => {
                Limiter::new($rate, config.keys_max, clock).counting(&refusals)
            };
        }
        Self {
            requests_by_address: limit!(second("address", config.requests_per_address_per_second)),
            requests_by_provider: limit!(second("provider", config.requests_per_provider_per_second)),
            requests_by_operator: limit!(second("operator", config.requests_per_operator_per_second)),
            requests_by_number: limit!(second("number", config.requests_per_number_per_second)),
            requests_by_moderator: limit!(second("moderator", config.requests_per_moderator_per_second)),
            verifications_by_address: limit!(hour(
                "verifications",
                config.verifications_per_address_per_hour
            )),
            logins_by_address: limit!(minute("logins", config.logins_per_address_per_minute)),
            logins_by_account: limit!(hour("account", config.logins_per_account_per_hour)),
            snapshots_by_provider: limit!(day("snapshots", config.snapshots_per_provider_per_day)),
            uploads_by_number: Places::new("uploads", UPLOADS_PER_NUMBER_MAX).counting(&refusals),
            event_streams_by_provider: Places::new("event-streams", SSE_CONNECTIONS_PER_PROVIDER_MAX)
                .counting(&refusals),
            refusals,
        }
    }

    pub fn register(&self, registry: &mut Registry) {
        let help = "Requests refused because a caller asked too often, by limit";
        registry.register("zhengming_limit_refusals", help, self.refusals.clone());
    }

    /// Forgets callers whose bucket is full again. Call it every minute or so.
    pub fn purge(&self) {
        self.requests_by_address.purge();
        self.requests_by_provider.purge();
        self.requests_by_operator.purge();
        self.requests_by_number.purge();
        self.requests_by_moderator.purge();
        self.verifications_by_address.purge();
        self.logins_by_address.purge();
        self.logins_by_account.purge();
        self.snapshots_by_provider.purge();
    }
}

impl Clock for Elapsed {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.read()
    }
}

/// `quota` calls within `window_s`, refilled evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub name: &'static str,
    pub quota: u32,
    pub window_s: u32,
}

impl Rate {
    /// The time that gives one call back; nothing where the rate is off.
    fn interval(&self) -> Option<(NonZeroU32, Duration)> {
        let quota = NonZeroU32::new(self.quota)?;
        Some((quota, Duration::from_secs(self.window_s.into()) / quota.get()))
    }
}

type Buckets<K> = RateLimiter<K, BoundedStore<K>, Elapsed, StateInformationMiddleware>;

/// One rate, with a bucket for each caller.
#[derive(Debug)]
pub struct Limiter<K: Hash + Eq + Clone> {
    rate: Rate,
    buckets: Option<Buckets<K>>,
    clock: Elapsed,
    refused: Counter,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    pub fn new(rate: Rate, keys_max: usize, clock: &Elapsed) -> Self {
        let buckets = rate.interval().and_then(|(quota, interval)| {
            let quota = Quota::with_period(interval)?.allow_burst(quota);
            Some(Buckets::new(quota, BoundedStore::new(keys_max), clock.clone()))
        });
        Self { rate, buckets, clock: clock.clone(), refused: Counter::default() }
    }

    fn counting(self, refusals: &Counters<1>) -> Self {
        let refused = refusals.get_or_create_owned(&[is("limit", self.rate.name)]);
        Self { refused, ..self }
    }

    /// Takes one call out of the caller's bucket, or says how long to wait.
    /// `None` where the rate is switched off.
    pub fn check(&self, key: &K) -> Result<Option<Standing>, Problem> {
        let (Some(buckets), Some((_, interval))) = (&self.buckets, self.rate.interval()) else {
            return Ok(None);
        };
        match buckets.check_key(key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity().min(self.rate.quota);
                let reset_s = seconds_up(interval * (self.rate.quota - remaining));
                Ok(Some(Standing { rate: self.rate, remaining, reset_s }))
            }
            Err(until) => {
                self.refused.inc();
                let reset_s = seconds_up(until.wait_time_from(self.clock.now())).max(1);
                Err(Standing { rate: self.rate, remaining: 0, reset_s }.refusal())
            }
        }
    }

    fn purge(&self) {
        if let Some(buckets) = &self.buckets {
            buckets.retain_recent();
            buckets.shrink_to_fit();
        }
    }
}

/// How a caller stands with one rate, in the words of the RateLimit fields
/// (draft-ietf-httpapi-ratelimit-headers).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub rate: Rate,
    pub remaining: u32,
    pub reset_s: u64,
}

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

impl Standing {
    /// Adds the two fields to an answer. Several rates make a list.
    pub fn tell(&self, headers: &mut HeaderMap) {
        for (name, value) in [(RATELIMIT_POLICY, self.policy_field()), (RATELIMIT, self.limit_field())] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.append(name, value);
            }
        }
    }

    fn policy_field(&self) -> String {
        let Rate { name, quota, window_s } = self.rate;
        format!("\"{name}\";q={quota};w={window_s}")
    }

    fn limit_field(&self) -> String {
        format!("\"{}\";r={};t={}", self.rate.name, self.remaining, self.reset_s)
    }

    fn refusal(&self) -> Problem {
        let detail = format!("too many requests; try again in {} s", self.reset_s);
        Problem::new(StatusCode::TOO_MANY_REQUESTS, Code::TOO_MANY_REQUESTS, detail)
            .header(RATELIMIT_POLICY, self.policy_field())
            .header(RATELIMIT, self.limit_field())
            .header(RETRY_AFTER, self.reset_s.to_string())
    }
}

fn seconds_up(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::domain::reference::Reference;

    /// A clock that moves only when told to.
    fn fake() -> (Elapsed, impl Fn(Duration)) {
        let now = Arc::new(AtomicU64::new(0));
        let reader = now.clone();
        let clock = Elapsed::new(move || Duration::from_millis(reader.load(Ordering::Relaxed)));
        (clock, move |by| {
            now.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
        })
    }

    fn taken(limiter: &Limiter<u32>, key: u32) -> u32 {
        std::iter::repeat_with(|| limiter.check(&key)).take_while(Result::is_ok).count().try_into().unwrap()
    }

    const PER_SECOND_20: Rate = Rate { name: "address", quota: 100, window_s: 5 };

    #[test]
    fn a_burst_of_five_seconds_then_the_rate() {
        let (clock, advance) = fake();
        let limiter = Limiter::new(PER_SECOND_20, 10, &clock);
        assert_eq!(taken(&limiter, 1), 100);
        advance(Duration::from_secs(1));
        assert_eq!(taken(&limiter, 1), 20);
        assert_eq!(taken(&limiter, 2), 100);
        advance(Duration::from_secs(60));
        assert_eq!(taken(&limiter, 1), 100);
    }

    #[test]
    fn the_fields_say_what_is_left_and_when_to_come_back() {
        let (clock, _) = fake();
        let limiter = Limiter::new(Rate { name: "logins", quota: 5, window_s: 60 }, 10, &clock);
        let standing = limiter.check(&1).unwrap().unwrap();
        let mut headers = HeaderMap::new();
        standing.tell(&mut headers);
        assert_eq!(headers[RATELIMIT_POLICY], "\"logins\";q=5;w=60");
        assert_eq!(headers[RATELIMIT], "\"logins\";r=4;t=12");

        assert_eq!(taken(&limiter, 1), 4);
        let refused = limiter.check(&1).unwrap_err();
        assert_eq!(refused.status(), 429);
        let response = refused.into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "12");
        assert_eq!(response.headers()[RATELIMIT], "\"logins\";r=0;t=12");
        assert_eq!(response.headers()[RATELIMIT_POLICY], "\"logins\";q=5;w=60");
    }

    #[test]
    fn who_is_refused_is_counted_by_limit() {
        let (clock, _) = fake();
        let limits = Limits::new(&LimitsConfig::default(), &clock);
        let (address, number) = (
            AddressPrefix::of("192.0.2.1".parse().unwrap()),
            Reference::built_in().numbering.parse("+8613800138000").unwrap(),
        );
        while limits.logins_by_address.check(&address).is_ok() {}
        let _place = limits.uploads_by_number.take(&number).unwrap();
        limits.uploads_by_number.take(&number).unwrap_err();
        let refused = |limit| limits.refusals.get_or_create(&[is("limit", limit)]).get();
        assert_eq!(["logins", "uploads", "address"].map(refused), [1, 1, 0]);
    }

    #[test]
    fn zero_switches_a_rate_off() {
        let (clock, _) = fake();
        let limiter = Limiter::new(Rate { name: "off", quota: 0, window_s: 1 }, 10, &clock);
        assert_eq!(limiter.check(&1).unwrap(), None);
    }

    #[test]
    fn beyond_the_bound_newcomers_share_one_bucket_until_the_purge() {
        let (clock, advance) = fake();
        let limiter = Limiter::new(Rate { name: "few", quota: 3, window_s: 3 }, 2, &clock);
        assert_eq!((taken(&limiter, 1), taken(&limiter, 2)), (3, 3));
        assert_eq!((taken(&limiter, 3), taken(&limiter, 4)), (3, 0));
        advance(Duration::from_secs(10));
        limiter.purge();
        assert_eq!((taken(&limiter, 4), taken(&limiter, 5)), (3, 3));
    }

    #[test]
    fn the_names_and_defaults_of_the_configuration() {
        let config: LimitsConfig = toml::from_str("logins_per_address_per_minute = 0").unwrap();
        assert_eq!(config, LimitsConfig { logins_per_address_per_minute: 0, ..LimitsConfig::default() });
        let limits = Limits::new(&config, &Elapsed::monotonic());
        let address = AddressPrefix::of("192.0.2.1".parse().unwrap());
        assert_eq!(limits.logins_by_address.check(&address).unwrap(), None);
        assert!(limits.requests_by_address.check(&address).unwrap().is_some());
        limits.purge();
    }
}
