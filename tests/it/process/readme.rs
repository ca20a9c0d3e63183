//! The README's commands, typed as they stand: the first steps, the ten lines of
//! curl, the mirror, an enterprise's list. (`runbook` follows the chapter on
//! backups.) What nobody types here is named with the reason.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::child::{Process, Server};
use super::house::{House, Keys, keep, only_word, program};
use super::people::{PASSWORD, proof, releases};
use super::wire::get;

const README: &str = include_str!("../../../README.md");

/// By the first command of each block, all that are followed.
const FOLLOWED: [&str; 7] = [
    "cargo build --release\ntarget/release/zhengming serve",
    "zhengming mirror --url",
    "B=http://127.0.0.1:8080; KEY=zmp_",
    // By `runbook`.
    "zhengming store export --out backup",
    "install -d -m 700 zhengming-data",
    "zhengming feed new-log --origin",
    "curl -H \"Authorization: Bearer zmh_",
];

/// The others, and why.
const LEFT_OUT: [(&str, &str); 6] = [
    ("cargo run --release -- demo", "a release build; `demo` plays it, and tests/all is what runs this"),
    ("cargo install cargo-deb", "a release build; `deploy::package` makes, installs and purges the package"),
    ("systemctl enable --now zhengming", "a running systemd; `deploy` has the unit read, and nginx run"),
    ("install -m 755 target/release/zhengming", "this machine's own folders, and a running systemd"),
    (
        "install -m 644 data/deploy/zhengming-alerts.yml",
        "a Prometheus of this machine; `watching` runs promtool",
    ),
    ("tests/bench/install && cargo bench --bench peers", "hours"),
];

/// The blocks of commands, comments left out.
fn blocks() -> Vec<String> {
    let blocks = README.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    let is_typed = |line: &&str| !line.is_empty() && !line.starts_with('#');
    blocks.map(|block| block.lines().filter(is_typed).collect::<Vec<_>>().join("\n")).collect()
}

fn block(beginning: &str) -> String {
    let mut found = blocks().into_iter().filter(|block| block.starts_with(beginning));
    found.next().unwrap_or_else(|| panic!("no block begins with {beginning}"))
}

/// With what the reader puts in the place of what is only shown.
fn filled(beginning: &str, places: &[(&str, &str)]) -> String {
    places.iter().fold(block(beginning), |block, (shown, own)| {
        assert!(block.contains(shown), "{shown}: {block}");
        block.replace(shown, own)
    })
}

/// The commands in a shell that has our program.
fn typed(folder: &Path, commands: &str) -> Command {
    let mut command = Command::new("bash");
    let programs = Path::new(env!("CARGO_BIN_EXE_zhengming")).parent().unwrap().display();
    command.env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap()));
    command.args(["-euo", "pipefail", "-c", commands]).current_dir(folder);
    command
}

#[test]
fn every_block_is_followed_or_left_out_with_a_reason() {
    let (mut followed, mut left_out) = (0, 0);
    for block in blocks() {
        let is_followed = FOLLOWED.iter().filter(|beginning| block.starts_with(**beginning)).count();
        let is_left_out = LEFT_OUT.iter().filter(|(beginning, _)| block.starts_with(beginning)).count();
        assert_eq!(is_followed + is_left_out, 1, "{block}");
        followed += is_followed;
        left_out += is_left_out;
    }
    assert_eq!((followed, left_out), (FOLLOWED.len(), LEFT_OUT.len()), "none of them is gone");
}

#[test]
fn the_first_steps() {
    let folder = tempfile::tempdir().unwrap();
    let release = folder.path().join("target/release");
    fs::create_dir_all(&release).unwrap();
    symlink(env!("CARGO_BIN_EXE_zhengming"), release.join("zhengming")).unwrap();
    let mut server: Option<Server> = None;
    let mut said = String::new();
    for line in block(FOLLOWED[0]).lines().skip(1) {
        let Some(server) = &server else {
            assert!(line.starts_with("target/release/zhengming serve "), "{line}");
            let mut serve = program(folder.path(), "serve");
            serve.env("ZHENGMING_LISTEN", "127.0.0.1:0").env("ZHENGMING_ADMIN_LISTEN", "127.0.0.1:0");
            serve.env("ZHENGMING_DISK_FREE_BYTES_MIN", "0");
            server = Some(Server::start(serve));
            continue;
        };
        // A password is asked for at a terminal.
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", line, "/dev/null"]).current_dir(folder.path());
        command.env("ZHENGMING_ADMIN_LISTEN", server.admin.to_string());
        said += &Process::start(command, format!("{PASSWORD}\n").as_bytes()).ended().done();
    }
    let server = server.expect("it serves");
    let key = only_word(&said, "zmp_");
    get("/feed/v1/corrections").bearer(&key).at(server.public).ok(200);
    assert!(said.contains("otpauth://totp/Zhengming:li-lei?"), "{said}");
    server.stopped().done();
}

/// A service with one correction, and keys to it.
struct Stage {
    house: House,
    server: Server,
    key: String,
}

impl Stage {
    fn new() -> Self {
        let house = House::new();
        let server = house.serve();
        let Keys { operator, provider: key } = house.issues(server.admin);
        let push = releases(["+8613800138000".to_owned()], ["2025-01-01", "2025-06-01"]).bearer(&operator);
        assert_eq!(push.at(server.public).ok(200).json()["corrections"], 1);
        get("/feed/v1/corrections?after=0&wait=30").bearer(&key).at(server.public).ok(200);
        Self { house, server, key }
    }

    fn types(&self, commands: &str) -> String {
        Process::start(typed(&self.house.path(""), commands), b"").ended().done()
    }

    fn url(&self) -> String {
        format!("http://{}", self.server.public)
    }

    fn public_text(&self, path: &str) -> String {
        String::from_utf8(get(path).at(self.server.public).ok(200).body).unwrap()
    }
}

#[test]
fn the_ten_lines_of_curl() {
    let stage = Stage::new();
    let note = stage.public_text("/feed/v1/checkpoint");
    let root = note.lines().nth(2).unwrap();
    let said = stage.types(&filled(
        FOLLOWED[2],
        &[
            ("http://127.0.0.1:8080", &stage.url()),
            ("zmp_…", &stage.key),
            ("\"size\":5", "\"size\":1"),
            ("…base64…", root),
        ],
    ));
    for words in
        ["\"accepted\":1", "zhengming-next: 1", "\"void_before\":\"2025-06-01\"", "\"advanced\":true"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn the_mirror() {
    let stage = Stage::new();
    keep(&stage.house.path("provider.key"), &stage.key, 0o600);
    let verifier = stage.public_text("/feed/v1/key");
    let places = [
        ("https://…", stage.url()),
        ("corrections.example+1a2b3c4d+A…", verifier.trim_end().to_owned()),
        // It would go on following.
        ("--out corrections", "--out corrections --once".to_owned()),
    ];
    let places: Vec<_> = places.iter().map(|(shown, own)| (*shown, own.as_str())).collect();
    stage.types(&filled(FOLLOWED[1], &places));
    let database = rusqlite::Connection::open(stage.house.path("corrections/corrections.sqlite")).unwrap();
    let row = "SELECT void_before FROM corrections WHERE number = 8613800138000";
    let day: String = database.query_row(row, (), |row| row.get(0)).unwrap();
    assert_eq!(day, "2025-06-01");
}

#[test]
fn an_enterprises_list() {
    let stage = Stage::new();
    let holder = proof(&stage.house, stage.server.public, "+8613700137001").token;
    let list = "number,provider,name\n+861062345678,tencent,某某外卖\n";
    fs::write(stage.house.path("numbers.csv"), list).unwrap();
    let commands = filled(FOLLOWED[6], &[("zmh_…", &holder), ("%E9%97%A8…", "%E9%97%A8")]);
    let said = stage.types(&format!("B={}\n{commands}", stage.url()));
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["disputes"].as_array().map(Vec::len), Some(1), "{said}");
    let token = said["token"].as_str().unwrap();
    let path = format!("/v1/filings/{}", said["id"].as_str().unwrap());
    get(&path).bearer(token).at(stage.server.public).ok(200);
}
