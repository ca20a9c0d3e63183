//! What one processor more gives: the program on one of two, its clients on the
//! other; and all of them on both.

use tokio::runtime::Runtime;

use crate::client::Pace;
use crate::feed::Target;
use crate::fill::{filled, folder};
use crate::program::SLED;
use crate::script::Script;
use crate::table::{Bar, Row};
use crate::{CLIENTS_PROCESSOR, SERVERS_PROCESSOR, Size, filing, holders, wrk};

const CORRECTIONS: u64 = 10_000;
const FILINGS: usize = 10_000;
const PATHS: [(&str, &str); 2] = [
    ("page of 10 corrections", "/feed/v1/corrections?after=500&limit=10"),
    ("page of 1,000 corrections", "/feed/v1/corrections?after=500&limit=1000"),
];

pub fn measure(size: &Size) -> Vec<Row> {
    let runtime = Runtime::new().expect("a runtime");
    let played = folder();
    let count = if size.is_bench { FILINGS } else { 200 };
    let script = runtime.block_on(Script::record(count, played.path()));
    let there = filled(size.corrections(&[CORRECTIONS])[0]);
    let mut rounds = [const { Vec::new() }; 3];
    for _ in 0..size.rounds {
        let [one, both] = [true, false].map(|is_bound| {
            let (servers, clients) =
                (is_bound.then_some(SERVERS_PROCESSOR), is_bound.then_some(CLIENTS_PROCESSOR));
            let serving = there.program.serve(servers);
            let pages = PATHS.map(|(_, path)| {
                let target = Target::of_ours(&serving, &there.provider, path, None);
                wrk::run(clients, size.lasts, &target.url, &target.fields).requests_per_s
            });
            serving.end();
            let holders = holders::program(&runtime, &script.preparations, SLED);
            let serving = holders.program.serve(servers);
            let filings = filing::send(serving.address, script.requests.clone(), Pace::AsAnswered).rate();
            [pages[0], pages[1], filings]
        });
        for (nth, rounds) in rounds.iter_mut().enumerate() {
            rounds.push((both[nth], one[nth]));
        }
    }
    let names = PATHS.map(|(what, _)| what).into_iter().chain(["filing"]);
    names
        .zip(&rounds)
        .map(|(what, rounds)| Row::beside(what, "1/s", rounds, "the server on one processor", Bar::Shown))
        .collect()
}
