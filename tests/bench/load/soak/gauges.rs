//! What the program holds while it serves: memory, threads, descriptors; at
//! each fifth of the run, and with nobody there before and after.

use std::fmt::Write;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::Soak;
use crate::program::Serving;

const FIFTHS: u32 = 5;
/// Files that the store opens now and then.
pub const DESCRIPTORS_LEFT_MAX: usize = 4;
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, Clone)]
struct Gauge {
    when: String,
    rss_mib: f64,
    threads: usize,
    descriptors: usize,
    cpu: Duration,
    corrections: u64,
    disputes: usize,
}

#[derive(Debug)]
pub struct Gauges {
    at: Instant,
    all: Vec<Gauge>,
}

impl Gauge {
    fn read(serving: &Serving, when: String) -> Self {
        Self {
            when,
            rss_mib: serving.memory_mib().0,
            threads: serving.threads(),
            descriptors: serving.descriptors(),
            cpu: serving.cpu(),
            corrections: 0,
            disputes: 0,
        }
    }
}

impl Gauges {
    /// Before anybody comes.
    pub fn idle(serving: &Serving) -> Self {
        Self { at: Instant::now(), all: vec![Gauge::read(serving, "before".to_owned())] }
    }

    /// To the end of the run.
    pub async fn watch(mut self, serving: &Serving, soak: &Soak, lasts: Duration) -> Self {
        self.at = Instant::now();
        for fifth in 1..=FIFTHS {
            sleep_until(self.at + lasts * fifth / FIFTHS).await;
            let gauge = Gauge::read(serving, format!("{fifth}/{FIFTHS}"));
            let disputes = soak.filed.borrow().len();
            self.all.push(Gauge { corrections: soak.size.get(), disputes, ..gauge });
        }
        self
    }

    /// Once everybody has hung up, and the service has noticed, if that is
    /// within so long: what it calls itself it keeps a connection to for a while.
    pub async fn idle_again(mut self, serving: &Serving, corrections: u64, within: Duration) -> Self {
        let patience = Instant::now() + within;
        let most = self.all[0].descriptors + DESCRIPTORS_LEFT_MAX;
        while serving.descriptors() > most && Instant::now() < patience {
            sleep(LOOK_EVERY).await;
        }
        let disputes = self.all.last().map_or(0, |last| last.disputes);
        let gauge = Gauge::read(serving, "after".to_owned());
        self.all.push(Gauge { corrections, disputes, ..gauge });
        self
    }

    /// From the first fifth's end to the last one's, of what it was.
    pub fn memory_growth(&self) -> f64 {
        self.all[FIFTHS as usize].rss_mib / self.all[1].rss_mib
    }

    /// From the third fifth's end to the last one's, in MiB.
    pub fn late_growth_mib(&self) -> f64 {
        self.all[FIFTHS as usize].rss_mib - self.all[3].rss_mib
    }

    /// More than before, with nobody there.
    pub fn descriptors_left(&self) -> f64 {
        let [first, .., last] = self.all.as_slice() else { return 0.0 };
        last.descriptors as f64 - first.descriptors as f64
    }

    /// Of one processor, while everybody was there.
    pub fn cpu_percent(&self, lasts: Duration) -> f64 {
        let spent = self.all[FIFTHS as usize].cpu - self.all[0].cpu;
        100.0 * spent.as_secs_f64() / lasts.as_secs_f64()
    }

    pub fn table(&self) -> String {
        let mut text = format!(
            "{:<10} {:>9} {:>8} {:>12} {:>9} {:>12} {:>9}\n",
            "when", "rss_mib", "threads", "descriptors", "cpu_s", "corrections", "disputes"
        );
        for gauge in &self.all {
            let Gauge { when, rss_mib, threads, descriptors, cpu, corrections, disputes } = gauge;
            let _ = writeln!(
                text,
                "{when:<10} {rss_mib:>9.0} {threads:>8} {descriptors:>12} {:>9.1} {corrections:>12} {disputes:>9}",
                cpu.as_secs_f64(),
            );
        }
        text
    }
}
