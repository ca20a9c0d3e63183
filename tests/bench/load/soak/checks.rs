//! What has to hold afterwards: every dispute that was answered for is there,
//! and the whole log adds up, for an audit and for a mirror.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::caller::{Call, Caller};
use super::gauges::{DESCRIPTORS_LEFT_MAX, Gauges};
use super::{Filed, Soak};
use crate::Size;
use crate::program::{Program, Serving};
use crate::table::{Bar, Row, table};
use crate::wire::Connection;

const MEMORY_GROWTH_MAX: f64 = 1.2;

#[derive(Debug)]
pub struct Checks {
    filed: usize,
    /// By status.
    found: BTreeMap<String, usize>,
    requests: usize,
    errors: u64,
    audit: Result<String, String>,
    audited: Duration,
    mirrored: Result<String, String>,
}

pub async fn after(soak: &Rc<Soak>, program: &Program, serving: &Serving, dir: &Path) -> Checks {
    let (requests, errors) = (soak.place.record.requests(), soak.place.record.errors());
    let filed = soak.filed.take();
    let found = found(soak, &filed).await;
    let verifier = verifier(serving).await;
    let log = format!("--url {} --verifier {verifier} --key-file provider.key", serving.url(""));
    let began = Instant::now();
    let audit = program.tries(&format!("feed verify {log}"), "");
    let audited = began.elapsed();
    let out = dir.join("mirror");
    let mirrored = program.tries(&format!("mirror {log} --out {} --once", out.display()), "");
    Checks { filed: filed.len(), found, requests, errors, audit, audited, mirrored }
}

/// By their own tokens.
async fn found(soak: &Rc<Soak>, filed: &[Filed]) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for (nth, Filed { id, token }) in (0..).zip(filed) {
        // Limits are by address: each has its own, as before.
        let mut caller = Caller::new(&soak.place, nth);
        let call = Call::get(&format!("/v1/disputes/{id}")).bearer(token);
        if let Some(heard) = caller.ask("afterwards: GET /v1/disputes/{id}", call).await {
            *found.entry(heard.text("status")).or_default() += 1;
        }
    }
    found
}

async fn verifier(serving: &Serving) -> String {
    let mut connection = Connection::open(serving.address).await.expect("it serves");
    let request = b"GET /feed/v1/key HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let answer = connection.ask(request).await.expect("it serves");
    String::from_utf8_lossy(answer.body).trim_end().to_owned()
}

impl Checks {
    pub fn table(&self, size: &Size, gauges: &Gauges) -> String {
        let found: usize = self.found.values().sum();
        let failed = [&self.audit, &self.mirrored].into_iter().filter(|said| said.is_err()).count();
        let bar = |bar| if size.is_bench { bar } else { Bar::Shown };
        let rows = [
            Row::alone("requests", "", self.requests as f64, Bar::Shown),
            Row::alone("errors", "", self.errors as f64, Bar::AtMost(0.0)),
            Row::alone("disputes answered for", "", self.filed as f64, Bar::Shown),
            Row::alone("disputes lost", "", (self.filed - found) as f64, Bar::AtMost(0.0)),
            Row::alone(
                "memory at the end, to that after the first fifth",
                "",
                gauges.memory_growth(),
                bar(Bar::AtMost(MEMORY_GROWTH_MAX)),
            ),
            Row::alone("  growth in the last two fifths", "MiB", gauges.late_growth_mib(), Bar::Shown),
            Row::alone(
                "descriptors left open",
                "",
                gauges.descriptors_left(),
                bar(Bar::AtMost(DESCRIPTORS_LEFT_MAX as f64)),
            ),
            Row::alone("processor, of one", "%", gauges.cpu_percent(size.lasts), Bar::Shown),
            Row::alone("audits and mirrors that failed", "", failed as f64, Bar::AtMost(0.0)),
            Row::alone("the whole log audited in", "s", self.audited.as_secs_f64(), Bar::Shown),
        ];
        let mut text = table(&rows);
        let states = self.found.iter().map(|(status, count)| format!("{status}: {count}"));
        let _ = writeln!(text, "disputes afterwards: {}", states.collect::<Vec<_>>().join(", "));
        for (who, said) in [("audit", &self.audit), ("a mirror from nothing", &self.mirrored)] {
            let said = said.as_ref().unwrap_or_else(|why| why);
            let _ = writeln!(text, "{who}: {}", said.trim_end());
        }
        text
    }
}
