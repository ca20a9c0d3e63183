//! A whole snapshot, again and again over eight connections, against nginx with the same file.

use crate::feed::Target;
use crate::fill::{Filled, filled, folder};
use crate::nginx::Nginx;
use crate::table::{Bar, Row};
use crate::wrk::{self, Costed, Fields, costing};
use crate::{CLIENTS_PROCESSOR, SERVERS_PROCESSOR, Size};

const CORRECTIONS: u64 = 1_000_000;
const GIB: f64 = 1_073_741_824.0;
const NEWEST: &str = "/feed/v1/snapshot";

pub fn measure(size: &Size) -> Vec<Row> {
    let Filled { folder: _folder, program, provider, .. } = filled(size.corrections(&[CORRECTIONS])[0]);
    let serving = program.serve(Some(SERVERS_PROCESSOR));
    let files = folder();
    let nginx = Nginx::start(files.path(), SERVERS_PROCESSOR);
    let ours = Target::of_ours(&serving, &provider, NEWEST, Some("zstd"));
    let theirs = Target::ask(&nginx.put("snapshot", &ours.body), Fields::new());
    let what = format!("snapshot, NDJSON in zstd, {:.0} MB", ours.body.len() as f64 / 1e6);
    let (mut rates, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        let run =
            |target: &Target| wrk::run_few(Some(CLIENTS_PROCESSOR), size.lasts, &target.url, &target.fields);
        let (ours, theirs) =
            (costing(|| serving.cpu(), || run(&ours)), costing(|| nginx.cpu(), || run(&theirs)));
        rates.push((ours.run.bytes_per_s / GIB, theirs.run.bytes_per_s / GIB));
        let for_a_gib = |costed: &Costed| costed.cpu.as_secs_f64() / (costed.run.bytes / GIB);
        cpu.push((for_a_gib(&ours), for_a_gib(&theirs)));
    }
    vec![
        Row::beside(what, "GiB/s", &rates, "nginx, sendfile", Bar::AtLeast(1.5)),
        Row::beside("  processor for a GiB", "s", &cpu, "nginx, sendfile", Bar::AtMost(1.0)),
    ]
}
