//! Flipped bits, zeroed blocks and torn tails in whatever file of the data
//! folder. A service that starts on it tells nothing but the truth.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::questions::{Answers, ask, furnish};
use crate::process::child::{Ended, Server};
use crate::process::house::House;
use crate::process::restored::ROOM;
use crate::process::wire::{Reply, Request};
use crate::support::dice::Dice;
use crate::support::files::copy;
use crate::support::trial;
use zhengming::cli::copies::copy::Copy;
use zhengming::cli::copies::reckoning::Total;

/// A disk's block: what is lost together.
const BLOCK: u64 = 4_096;
const MASTER: &str = "as-it-was";

/// A folder that nobody writes to, and what is true of it.
struct Original {
    house: House,
    questions: Vec<Request>,
    answers: Answers,
    total: Total,
    files: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    Bit { at: u64, bit: u8 },
    Zeros { at: u64 },
    Cut { at: u64 },
    Noise { at: u64, seed: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    /// It did not start, and said what to do.
    Refused,
    /// It told somebody that it cannot answer, and why in its log.
    FoundByReading,
    /// All answers and all records are what they were.
    Harmless,
}

#[test]
fn damage_is_never_an_answer() {
    let original = Original::make();
    let (rounds, mut dice) = (trial::rounds(12, 500), Dice::new(trial::seed(8)));
    let mut came = BTreeMap::<_, u64>::new();
    for _ in 0..rounds {
        let file = &original.files[usize::try_from(dice.roll(original.files.len() as u64)).unwrap()];
        let damage = Damage::roll(&original.master().join(file), &mut dice);
        *came.entry(original.suffers(file, damage)).or_default() += 1;
    }
    trial::tell("a damaged file of the data folder", rounds, &format!("{came:?}, no wrong answer"));
}

impl Original {
    fn make() -> Self {
        let house = House::new();
        let server = house.serve();
        let questions = furnish(&house, &server);
        server.stopped();
        // Once more, so that all is written that a start writes.
        house.serve().stopped();
        fs::rename(house.path(ROOM), house.path(MASTER)).unwrap();
        let mut original =
            Self { house, questions, answers: Answers::new(), total: Total::default(), files: Vec::new() };
        original.files = files_in(&original.master(), &original.master());
        original.bring_back();
        original.total = original.export().expect("it is whole");
        let server = original.house.serve();
        original.answers = ask(&original.questions, server.public);
        server.stopped();
        original.bring_back();
        // What differs by itself says nothing.
        let server = original.house.serve();
        let again = ask(&original.questions, server.public);
        server.stopped();
        let told: Vec<_> =
            original.answers.keys().filter(|path| !is_same(&original.answers, &again, path)).collect();
        assert!(told.is_empty(), "answers that differ without any damage: {told:?}");
        let missing = original
            .answers
            .iter()
            .filter(|(_, reply)| reply.as_ref().is_none_or(|reply| reply.status != 200));
        let missing: Vec<_> = missing.collect();
        assert!(missing.is_empty(), "{missing:?}");
        original
    }

    fn master(&self) -> PathBuf {
        self.house.path(MASTER)
    }

    fn bring_back(&self) {
        let _ = fs::remove_dir_all(self.house.path(ROOM));
        copy(&self.master(), &self.house.path(ROOM));
    }

    /// What a copy made of the folder holds.
    fn export(&self) -> Result<Total, Ended> {
        let _ = fs::remove_dir_all(self.house.path("copy"));
        let ended = self.house.run("store export --out copy --plain", "");
        if ended.code != Some(0) {
            return Err(ended);
        }
        Ok(Copy::open(&self.house.path("copy")).unwrap().manifest.total)
    }

    fn suffers(&self, file: &Path, damage: Damage) -> Came {
        self.bring_back();
        let about = format!("{damage:?} in {}", file.display());
        damage.is_done_to(&self.house.path(ROOM).join(file));
        let exported = self.export().map_err(|ended| is_said(&ended, &about));
        if let Ok(total) = &exported {
            assert_eq!(*total, self.total, "{about}: a copy of something else");
        }
        // As a service that was not exported first.
        self.bring_back();
        damage.is_done_to(&self.house.path(ROOM).join(file));
        let server = match Server::try_start(self.house.command("serve")) {
            Ok(server) => server,
            Err(ended) => {
                is_said(&ended, &about);
                return Came::Refused;
            }
        };
        let answers = ask(&self.questions, server.public);
        let mut found = exported.is_err();
        for (path, answer) in &answers {
            match answer {
                None => found = true,
                Some(reply) if reply.status >= 500 => found = true,
                // One that is damaged is none, until another one is made.
                Some(reply) if reply.status >= 400 && path.starts_with("/feed/v1/snapshots/") => found = true,
                Some(reply) if reply.json()["code"] == "document_damaged" => found = true,
                Some(_) => assert!(is_same(&self.answers, &answers, path), "{about}: {path}: {answer:?}"),
            }
        }
        let ended = server.stopped();
        assert!(!ended.err.contains("panicked"), "{about}: {}", ended.err);
        if found {
            assert!(
                ["ERROR", "WARN", "zhengming: "].iter().any(|word| ended.err.contains(word)),
                "{about}: {ended:?}"
            );
        }
        if found { Came::FoundByReading } else { Came::Harmless }
    }
}

/// A document has the time of each look across it, and what is sealed opens
/// whole or not at all.
fn is_same(ones: &Answers, others: &Answers, path: &str) -> bool {
    let body = |reply: &Reply| if path.contains("/documents/") { Vec::new() } else { reply.body.clone() };
    let seen = |answers: &Answers| answers[path].as_ref().map(|reply| (reply.status, body(reply)));
    seen(ones) == seen(others)
}

/// It says what is wrong, and what to do.
fn is_said(ended: &Ended, about: &str) {
    assert_eq!(ended.code, Some(1), "{about}: {ended:?}");
    assert!(!ended.err.contains("panicked"), "{about}: {}", ended.err);
    let remedies = [
        "store import",
        "store check",
        "new-log",
        "confirm-head",
        "backup",
        "put back",
        "bring back",
        "restore it",
    ];
    assert!(remedies.iter().any(|remedy| ended.err.contains(remedy)), "{about}: {}", ended.err);
}

/// Paths below a folder.
fn files_in(dir: &Path, root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            files.extend(files_in(&path, root));
        } else if entry.metadata().unwrap().len() > 0 {
            files.push(path.strip_prefix(root).unwrap().to_owned());
        }
    }
    files.sort();
    files
}

impl Damage {
    fn roll(file: &Path, dice: &mut Dice) -> Self {
        let bytes = fs::read(file).unwrap();
        let any = dice.roll(bytes.len() as u64);
        // Much of a database is room that nobody has written to.
        let written = bytes.iter().skip(usize::try_from(any).unwrap()).position(|byte| *byte != 0);
        let at = any + written.map_or(0, |more| more as u64);
        match dice.roll(6) {
            0 => Self::Cut { at },
            1 => Self::Zeros { at: at - at % BLOCK },
            2 => Self::Noise { at, seed: dice.next() },
            _ => Self::Bit { at, bit: u8::try_from(dice.roll(8)).unwrap() },
        }
    }

    fn is_done_to(self, file: &Path) {
        let mut bytes = fs::read(file).unwrap();
        let from = |at: u64| usize::try_from(at).unwrap();
        let block = |at: u64, len: usize| from(at)..len.min(from(at + BLOCK));
        let len = bytes.len();
        match self {
            Self::Bit { at, bit } => bytes[from(at)] ^= 1 << bit,
            Self::Zeros { at } => bytes[block(at, len)].fill(0),
            Self::Cut { at } => bytes.truncate(from(at)),
            Self::Noise { at, seed } => {
                let mut dice = Dice::new(seed);
                bytes[block(at, len)].iter_mut().for_each(|byte| *byte = dice.next().to_le_bytes()[0]);
            }
        }
        fs::write(file, bytes).unwrap();
    }
}
