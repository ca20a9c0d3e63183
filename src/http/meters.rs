//! What is counted of requests: how many of which route had which answer, how
//! long each route takes, and how many connections are open.
//!
//! A route is one of our templates, never a path: no number, id or token gets
//! into a label, and there are no more of them than routes.

use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::templates::template_of;
use crate::env::metrics::{Gauges, Histograms, Registry, is};

/// Of a path that no route knew.
const UNROUTED: &str = "unrouted";

/// In seconds. Those who wait on purpose do so for up to 30 s.
const DURATIONS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// Clones count together.
#[derive(Debug, Clone)]
pub struct RequestMeters {
    requests: Family<Answered, Counter>,
    durations: Histograms<1>,
    connections: Gauges<1>,
    connections_max: Gauges<1>,
}

/// Nothing in it is made for a request, so that counting one allocates nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    method: &'static str,
    status: u16,
}

/// One listener's connections; one is closed when it is dropped.
#[derive(Debug)]
pub(super) struct Open(Gauge);

impl Default for RequestMeters {
    fn default() -> Self {
        let durations: fn() -> Histogram = || Histogram::new(DURATIONS);
        Self {
            requests: Family::default(),
            durations: Histograms::new_with_constructor(durations),
            connections: Gauges::default(),
            connections_max: Gauges::default(),
        }
    }
}

impl RequestMeters {
    pub fn register(&self, registry: &mut Registry) {
        let help = "Requests answered, by route, method and status";
        registry.register("zhengming_http_requests", help, self.requests.clone());
        let help = "From a request's head to the beginning of its answer, by route";
        registry.register("zhengming_http_request_duration_seconds", help, self.durations.clone());
        let help = "Connections that are open, by listener";
        registry.register("zhengming_http_connections", help, self.connections.clone());
        let help = "Most connections that may be open, by listener";
        registry.register("zhengming_http_connections_max", help, self.connections_max.clone());
    }

    /// `None`: no route knew the path.
    pub(super) fn answered(&self, path: Option<&str>, method: &Method, status: StatusCode, took: Duration) {
        let route = path.map_or(UNROUTED, template_of);
        let answered = Answered { route, method: known(method), status: status.as_u16() };
        self.requests.get_or_create(&answered).inc();
        self.durations.get_or_create(&[is("route", route)]).observe(took.as_secs_f64());
    }

    pub(super) fn listening(&self, listener: &'static str, connections_max: usize) {
        let max = i64::try_from(connections_max).unwrap_or(i64::MAX);
        self.connections_max.get_or_create(&[is("listener", listener)]).set(max);
        self.connections.get_or_create(&[is("listener", listener)]).set(0);
    }

    pub(super) fn opened(&self, listener: &'static str) -> Open {
        let open = self.connections.get_or_create_owned(&[is("listener", listener)]);
        open.inc();
        Open(open)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Methods can be any text.
pub(super) fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use prometheus_client::encoding::prometheus_text::encode;

    use super::*;

    fn shown(meters: &RequestMeters) -> String {
        let (mut registry, mut text) = (Registry::default(), String::new());
        meters.register(&mut registry);
        encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn requests_are_counted_by_route_and_nothing_of_the_path_is_shown() {
        let meters = RequestMeters::default();
        let took = Duration::from_millis(3);
        let invented = Method::from_bytes(b"ZHANGSAN").unwrap();
        meters.answered(Some("/feed/v1/corrections/8613800138000"), &Method::GET, StatusCode::OK, took);
        meters.answered(Some("/feed/v1/corrections/8613900139000"), &Method::GET, StatusCode::OK, took);
        meters.answered(None, &invented, StatusCode::NOT_FOUND, took);
        let text = shown(&meters);
        let route = "route=\"/feed/v1/corrections/{number}\"";
        for line in [
            &format!("zhengming_http_requests_total{{{route},method=\"GET\",status=\"200\"}} 2"),
            "zhengming_http_requests_total{route=\"unrouted\",method=\"other\",status=\"404\"} 1",
            &format!("zhengming_http_request_duration_seconds_bucket{{{route},le=\"0.0025\"}} 0"),
            &format!("zhengming_http_request_duration_seconds_bucket{{{route},le=\"0.005\"}} 2"),
        ] {
            assert!(text.lines().any(|shown| shown == line), "no {line} in {text}");
        }
        assert!(!text.contains("138000") && !text.contains("ZHANGSAN"), "{text}");
    }

    #[test]
    fn counting_a_request_allocates_nothing() {
        let meters = RequestMeters::default();
        let path = "/v1/moderation/disputes/0197f3a2-7e1c-7cc3-98c4-dc0c0c07398f/documents/2";
        let count = || meters.answered(Some(path), &Method::GET, StatusCode::OK, Duration::from_millis(3));
        // The first one makes its series.
        assert!(allocation_counter::measure(count).count_total > 0);
        assert_eq!(allocation_counter::measure(count).count_total, 0);
    }

    #[test]
    fn connections_are_counted_while_they_are_open() {
        let meters = RequestMeters::default();
        meters.listening("public", 10);
        let (first, _second) = (meters.opened("public"), meters.opened("public"));
        drop(first);
        let text = shown(&meters);
        assert!(text.contains("zhengming_http_connections{listener=\"public\"} 1\n"), "{text}");
        assert!(text.contains("zhengming_http_connections_max{listener=\"public\"} 10\n"), "{text}");
    }
}
