//! `kill -9` while everybody calls: whatever was acknowledged is there,
//! whatever was half done is finished or never began, and nothing is there
//! twice.

mod desk;
pub mod filers;
pub mod log;
mod providers;
pub mod pushers;

use std::collections::BTreeSet;
use std::sync::mpsc::channel;

use self::desk::{Case, decide_on};
use self::filers::{Filing, file_on};
use self::log::Log;
use self::providers::{Acknowledged, provide_on};
use self::pushers::{Batch, NUMBERS_PER_BATCH, push_on};
use crate::process::child::{AT_MOST, Server};
use crate::process::house::House;
use crate::process::people::People;
use crate::support::dice::Dice;
use crate::support::trial;

const FILERS: u64 = 3;
/// In each folder; then the log is long enough, and another one begins.
const ROUNDS_PER_FOLDER: u64 = 5;
const NUMBER: &str = "+8613500135000";

/// All that was sent to a service until it was killed.
struct Sent {
    filings: Vec<Filing>,
    cases: Vec<Case>,
    batches: Vec<Batch>,
    provided: Acknowledged,
}

struct Town {
    house: House,
    people: People,
    /// All numbers that have a correction.
    corrected: BTreeSet<String>,
}

#[test]
fn whatever_was_acknowledged_is_there() {
    let folders = trial::rounds(1, 40);
    let mut dice = Dice::new(trial::seed(20));
    let mut counts = [0; 3];
    for _ in 0..folders {
        let mut town = Town::new();
        for round in 0..ROUNDS_PER_FOLDER {
            let sent = town.killed_in_the_middle(round, &mut dice);
            let told = [sent.filings.len(), sent.cases.len(), sent.batches.len()];
            counts = [0, 1, 2].map(|nth| counts[nth] + told[nth]);
            town.check(&sent);
        }
        assert!(town.house.run("store check", "").done().contains("Everything is in order"));
    }
    let [filings, cases, batches] = counts;
    let came =
        format!("nothing lost, nothing twice: {filings} filings, {cases} cases, {batches} uploads of lines");
    trial::tell("SIGKILL while everybody calls", folders * ROUNDS_PER_FOLDER, &came);
}

impl Town {
    fn new() -> Self {
        let house = House::new();
        let server = house.serve();
        let people = People::gather(&house, &server, NUMBER);
        server.process.kill();
        Self { house, people, corrected: BTreeSet::new() }
    }

    /// Makes a snapshot every second, where there is anything new.
    fn serve(&self) -> Server {
        let mut command = self.house.command("serve");
        command.env("ZHENGMING_FEED__SNAPSHOT_INTERVAL_S", "1");
        Server::start(command)
    }

    /// Callers call until the server is gone.
    fn killed_in_the_middle(&self, round: u64, dice: &mut Dice) -> Sent {
        let server = self.serve();
        let (address, phone, people) = (server.public, &self.house.phone, &self.people);
        let (acknowledged, acks) = channel();
        phone.is_dead(false);
        std::thread::scope(|scope| {
            let filers: Vec<_> = (0..FILERS)
                .map(|filer| {
                    let tell = acknowledged.clone();
                    scope.spawn(move || file_on(address, phone, round * FILERS + filer, &tell))
                })
                .collect();
            let tell = acknowledged.clone();
            let desk = scope.spawn(move || decide_on(address, phone, &people.moderator, round, &tell));
            let pusher = scope.spawn(move || push_on(address, &people.operator, round));
            let provider = scope.spawn(move || provide_on(address, &people.provider, round));
            for _ in 0..=dice.roll(16) {
                acks.recv_timeout(AT_MOST).unwrap();
            }
            // In the midst of a batch, since each has more entries than that.
            let log = Log { address, provider: &people.provider };
            let size = log.beyond(0);
            log.beyond(size + dice.roll(NUMBERS_PER_BATCH - 100));
            server.process.kill();
            phone.is_dead(true);
            Sent {
                filings: filers.into_iter().flat_map(|filer| filer.join().unwrap()).collect(),
                cases: desk.join().unwrap(),
                batches: pusher.join().unwrap(),
                provided: provider.join().unwrap(),
            }
        })
    }

    fn check(&mut self, sent: &Sent) {
        let server = self.serve();
        let log = Log { address: server.public, provider: &self.people.provider };
        for batch in &sent.batches {
            batch.check(&self.people.operator, &log, &mut self.corrected);
        }
        log.beyond(self.corrected.len() as u64 - 1);
        let numbers = log.numbers();
        assert_eq!(numbers.len(), self.corrected.len(), "none twice");
        assert_eq!(numbers.into_iter().collect::<BTreeSet<_>>(), self.corrected);
        sent.filings.iter().for_each(|filing| filing.check(server.public));
        sent.cases.iter().for_each(|case| case.check(server.public));
        sent.provided.check(server.public, &self.people.provider);
        log.check_snapshot();
        server.process.kill();
    }
}
