//! What the operating system says of this process, under the names that every
//! Prometheus client uses.

use std::fmt;

use jiff::Timestamp;
use procfs::process::{LimitValue, Process};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Looked up whenever it is asked for. What the system does not say is left out.
#[derive(Debug, Clone, Copy)]
pub struct ProcessMetrics {
    /// Not out of `/proc/stat`, which a unit's `ProcSubset=pid` hides.
    pub started_at: Timestamp,
}

impl Collector for ProcessMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let Ok(process) = Process::myself() else { return Ok(()) };
        let mut gauge = |name: &str, help: &str, value: Option<f64>| {
            let Some(value) = value else { return Ok(()) };
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        let open = process.fd_count().ok().map(|count| count as f64);
        gauge("process_open_fds", "Open file descriptors.", open)?;
        let max = process.limits().ok().and_then(|limits| match limits.max_open_files.soft_limit {
            LimitValue::Value(max) => Some(max as f64),
            LimitValue::Unlimited => None,
        });
        gauge("process_max_fds", "Most file descriptors that may be open.", max)?;
        let Ok(stat) = process.stat() else { return Ok(()) };
        let resident = stat.rss.saturating_mul(procfs::page_size()) as f64;
        gauge("process_resident_memory_bytes", "Memory in use.", Some(resident))?;
        gauge("process_virtual_memory_bytes", "Address space in use.", Some(stat.vsize as f64))?;
        gauge("process_threads", "Threads.", Some(stat.num_threads as f64))?;
        let began = self.started_at.as_second() as f64;
        gauge("process_start_time_seconds", "When it was started, as Unix time.", Some(began))?;
        let busy = ConstCounter::new((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64);
        let help = "Processor time of its own and of the system for it.";
        busy.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, busy.metric_type())?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use prometheus_client::encoding::prometheus_text::encode;

    use super::*;
    use crate::env::metrics::Registry;

    #[test]
    fn the_process_is_told_as_it_is() {
        let mut registry = Registry::default();
        let started_at = Timestamp::from_second(1_796_000_000).unwrap();
        registry.register_collector(Box::new(ProcessMetrics { started_at }));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let value = |name: &str| -> f64 {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
            line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
        };
        assert!(value("process_resident_memory_bytes") > 1e6);
        assert!(value("process_virtual_memory_bytes") >= value("process_resident_memory_bytes"));
        assert!((1.0..=value("process_max_fds")).contains(&value("process_open_fds")));
        assert!(value("process_threads") >= 1.0);
        assert_eq!(value("process_start_time_seconds"), 1_796_000_000.0);
        assert!(value("process_cpu_seconds_total") >= 0.0);
    }
}
