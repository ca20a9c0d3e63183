//! The unit and the user's line, as systemd reads them.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use regex::Regex;
use tempfile::TempDir;
use zhengming::http::accept::AcceptLimits;

use crate::process::child::{Ended, Process};

const UNIT: &str = include_str!("../../../data/deploy/zhengming.service");
const SYSUSERS: &str = include_str!("../../../data/deploy/sysusers.conf");
/// What both say of it, and their texts.
const READMES: [(&str, &str); 2] = [
    ("exposure {} by `systemd-analyze security`", include_str!("../../../README.md")),
    ("`systemd-analyze security` 测得的暴露程度为 {}", include_str!("../../../README.zh.md")),
];
/// In tenths: what systemd calls OK begins at 0 and ends at 20.
const EXPOSURE_MAX: &str = "15";

/// The one file under both of its names, with the program that is built here.
fn installed() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(UNIT.matches("/usr/bin/zhengming").count(), 2, "before a start, and the start");
    let unit = UNIT.replace("/usr/bin/zhengming", env!("CARGO_BIN_EXE_zhengming"));
    for name in ["zhengming.service", "zhengming@.service"] {
        fs::write(folder.path().join(name), &unit).unwrap();
    }
    folder
}

fn analyzed(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new("systemd-analyze");
    command.current_dir(folder).args(arguments);
    Process::start(command, b"").ended()
}

fn setting(name: &str) -> &'static str {
    let pattern = Regex::new(&format!("(?m)^{name}=(.*)$")).unwrap();
    pattern.captures(UNIT).unwrap().get(1).unwrap().as_str()
}

#[test]
fn systemd_has_nothing_to_say_against_it() {
    let folder = installed();
    let verify = ["verify", "--man=no", "./zhengming.service", "./zhengming@1.service"];
    let ended = analyzed(folder.path(), &verify);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
    // And it would have said so.
    let wrong = UNIT.replace("NoNewPrivileges", "NoNewPrivilege");
    fs::write(folder.path().join("zhengming.service"), wrong).unwrap();
    let ended = analyzed(folder.path(), &verify);
    assert!(ended.err.contains("NoNewPrivilege"), "{ended:?}");
}

#[test]
fn what_it_exposes_is_little() {
    let folder = installed();
    let threshold = format!("--threshold={EXPOSURE_MAX}");
    let security = ["security", "--offline=true", "--no-pager", threshold.as_str(), "./zhengming.service"];
    let ended = analyzed(folder.path(), &security);
    assert_eq!(ended.code, Some(0), "{}", ended.out);
    let figure = Regex::new("Overall exposure level for zhengming.service: ([0-9.]+) OK").unwrap();
    let figure = figure.captures(&ended.out).expect("it says how much").get(1).unwrap().as_str();
    // What we say is what systemd says.
    for (words, text) in READMES {
        let told = words.replace("{}", figure);
        assert!(text.contains(&told), "{told}");
    }
}

#[test]
fn it_is_given_the_time_that_it_takes_to_end() {
    let stop = setting("TimeoutStopSec").trim_end_matches('s').parse().unwrap();
    let drain = Duration::from_millis(AcceptLimits::default().drain_deadline_ms);
    let stop = Duration::from_secs(stop);
    assert!(stop >= drain + Duration::from_secs(5) && stop <= drain + Duration::from_secs(15), "{stop:?}");
}

#[test]
fn it_has_a_descriptor_for_every_caller() {
    let descriptors: usize = setting("LimitNOFILE").parse().unwrap();
    assert!(descriptors >= 2 * AcceptLimits::default().connections_max);
}

#[test]
fn the_users_line_makes_the_user() {
    let root = tempfile::tempdir().unwrap();
    let lines = root.path().join("usr/lib/sysusers.d");
    fs::create_dir_all(root.path().join("etc")).unwrap();
    fs::create_dir_all(&lines).unwrap();
    fs::write(lines.join("zhengming.conf"), SYSUSERS).unwrap();
    let mut command = Command::new("systemd-sysusers");
    command.arg(format!("--root={}", root.path().display())).arg("zhengming.conf");
    Process::start(command, b"").ended().done();
    let users = fs::read_to_string(root.path().join("etc/passwd")).unwrap();
    let user = users.lines().find(|line| line.starts_with("zhengming:")).unwrap();
    let (made, shell) = user.rsplit_once(':').unwrap();
    assert!(made.ends_with(":/var/lib/zhengming") && shell.ends_with("nologin"), "{user}");
    assert!(UNIT.contains("\nUser=zhengming\n"));
}
