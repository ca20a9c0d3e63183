//! The log as others read it. The Go project's packages for transparency logs
//! know nothing of ours, and prove it entry by entry while it grows
//! (`tests/tlog`); `wire` looks at its files as HTTP sees them.

mod wire;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::date;
use zhengming::domain::correction::{Entry, EntryReason, InForce, NameAction};
use zhengming::domain::evidence::Assurance;
use zhengming::feed::note::NoteSigner;
use zhengming::http::limits::LimitsConfig;
use zhengming::store::{CHANGES_PER_SET_MAX, Changeset, Store};

use crate::support::records::number;
use crate::support::service::{TestService, now, settings, signer};

/// On both sides of where a tile, and a tile of tiles, is full.
const SIZES: [u64; 9] = [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000];

#[tokio::test(flavor = "multi_thread")]
async fn another_implementation_proves_all_of_it_while_it_grows() {
    let service = unlimited().await;
    let key = service.provider_key("tencent").await;
    let mut monitor = Monitor::start(&service, &service.app.feed.verifier().to_string(), &key);
    for (before, size) in SIZES.into_iter().enumerate() {
        grow(&service, size).await;
        let root = STANDARD.encode(service.app.feed.root_at(size).unwrap().unwrap());
        let growths = before * (before + 1) / 2;
        let proved = format!("ok size={size} root={root} entries={size} growths={growths}");
        assert_eq!(monitor.asked("look"), proved);
    }
    let again = monitor.asked("again");
    assert!(again.starts_with("ok trees=9 tiles="), "what was signed once is still served: {again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_implementation_refuses_what_this_log_has_not_signed() {
    let service = unlimited().await;
    grow(&service, 300).await;
    let key = service.provider_key("tencent").await;
    let verifier = service.app.feed.verifier().to_string();
    let mut monitor = Monitor::start(&service, &verifier, &key);
    let mut open = |note: &str| monitor.asked(&format!("open {}", STANDARD.encode(note)));

    let note = service.app.feed.newest().note.to_string();
    assert_eq!(open(&note), "ok size=300");
    let text = note.split_once("\n\n").unwrap().0.to_owned() + "\n";
    let by = |name: &str, secret: u8| NoteSigner::new(name, &[secret; 32]).unwrap().sign(&text);
    assert_eq!(by("localhost/feed", 9), note, "the tests' key");
    let signature = note.rfind(' ').unwrap() + 12;
    let other = if note[signature..].starts_with('A') { "B" } else { "A" };
    for forged in [
        note.replacen("\n300\n", "\n301\n", 1),
        note.replacen("\n300\n", "\n300\n ", 1),
        note.replacen("localhost", "localhosts", 1),
        format!("{}{other}{}", &note[..signature], &note[signature + 1..]),
        note.trim_end().to_owned(),
        text.clone(),
        by("localhost/feed", 8),
        by("elsewhere/feed", 9),
        signer().sign(&text.replacen("localhost", "elsewhere", 1)),
        signer().sign(&text.replacen("\n300\n", "\n0300\n", 1)),
    ] {
        let answer = open(&forged);
        assert!(answer.starts_with("refused: "), "{answer}: {forged}");
    }

    let elsewhere = NoteSigner::new("localhost/feed", &[8; 32]).unwrap().verifier().to_string();
    let answer = Monitor::start(&service, &elsewhere, &key).asked("look");
    assert!(answer.starts_with("refused: the log says that its key is"), "{answer}");
    let answer =
        Monitor::start(&service, &elsewhere, &key).asked(&format!("open {}", STANDARD.encode(&note)));
    assert!(answer.starts_with("refused: "), "{answer}");
    let answer = Monitor::start(&service, &verifier, "zmp_x").asked("look");
    assert_eq!(answer, "refused: tile/entries/000: 401 Unauthorized");
}

/// A service whose clock stands still cannot have rates.
async fn unlimited() -> TestService {
    let none = LimitsConfig {
        requests_per_address_per_second: 0,
        requests_per_provider_per_second: 0,
        ..LimitsConfig::default()
    };
    TestService::with(settings(), &none).await
}

/// Commits entries up to a size, and publishes them together.
async fn grow(service: &TestService, size: u64) {
    let seqs: Vec<u64> = (service.app.feed.size()..size).collect();
    for some in seqs.chunks(CHANGES_PER_SET_MAX) {
        let entries = some.iter().map(|seq| entry(*seq)).collect();
        service.store.commit(Changeset { entries, ..Changeset::default() }).await.unwrap();
    }
    assert_eq!(service.app.feed.publish().await.unwrap(), size);
}

/// Each of another length than its neighbours, some without a name.
fn entry(seq: u64) -> Entry {
    let name: String = "正名汽修服务有限公司".chars().cycle().take(seq as usize % 121).collect();
    let is_named = !name.is_empty();
    let correction = InForce {
        void_before: Some(date(2025, 3, 1)),
        name_action: if is_named { NameAction::Set } else { NameAction::Clear },
        name: is_named.then_some(name),
        name_until: is_named.then_some(date(2027, 2, 21)),
        assurance: Assurance::Document,
    };
    let salt = format!("{seq:022}");
    Entry::new(number(seq), Some(correction), EntryReason::NameMismatch, None, now(), salt)
}

/// The program of `tests/tlog`; killed when it is dropped.
struct Monitor {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Monitor {
    fn start(service: &TestService, verifier: &str, provider_key: &str) -> Self {
        let base = format!("http://{}", service.address);
        let mut command = Command::new(tokio::task::block_in_place(program));
        command.args([&base, verifier, provider_key]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let commands = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { process, commands, answers }
    }

    /// One command, and the line that answers it.
    fn asked(&mut self, command: &str) -> String {
        tokio::task::block_in_place(|| {
            writeln!(self.commands, "{command}").unwrap();
            let mut answer = String::new();
            self.answers.read_line(&mut answer).unwrap();
            answer.trim_end().to_owned()
        })
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Builds it once, from what Debian has installed and nothing else.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let program = target.join("tlog");
        let mut build = Command::new("go");
        build.args(["build", "-o"]).arg(&program);
        build.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tlog/main.go"));
        build.env("GOPATH", "/usr/share/gocode").env("GOCACHE", target.join("go"));
        for (name, value) in [("GOENV", "off"), ("GOFLAGS", ""), ("GO111MODULE", "off"), ("GOPROXY", "off")] {
            build.env(name, value);
        }
        let built = build.output().expect("Go is installed: tests/all sees to it");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        program
    })
}
