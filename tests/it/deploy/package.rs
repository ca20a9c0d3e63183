//! The Debian package of the program that is built here: put into a system of
//! its own below a folder, tried there, and purged. The machine that runs the
//! tests is left as it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use rustix::process::geteuid;
use tempfile::TempDir;

use crate::process::child::{Process, Server};
use crate::process::house::only_word;
use crate::process::wire::get;

/// Whatever port is free.
const ANY: &str = "127.0.0.1:0";

/// Made once, for all of these tests. It takes longer than a process may be
/// silent, so that it is waited for without an end.
static PACKAGE: LazyLock<PathBuf> = LazyLock::new(|| {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("package");
    let _ = fs::remove_dir_all(&out);
    fs::create_dir_all(&out).unwrap();
    let mut make = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/data/deploy/package"));
    make.arg(&out).arg("dev").env("CARGO_NET_OFFLINE", "true");
    well(&mut make);
    let mut made = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
    let package = made.next().expect("cargo-deb is installed: see tests/all");
    assert_eq!(made.next(), None);
    package
});

/// What it printed, of a command that does well.
#[track_caller]
fn well(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {said} {}", String::from_utf8_lossy(&stdout));
    String::from_utf8(stdout).unwrap()
}

/// Only root gives files to somebody else.
fn as_root(program: &str) -> Command {
    if geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.arg(program);
    command
}

/// A system below a folder, that has what this machine has installed.
struct System {
    folder: TempDir,
}

impl System {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for made in ["etc", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"] {
            fs::create_dir_all(folder.path().join(made)).unwrap();
        }
        // So that what the package depends on is looked for.
        fs::copy("/var/lib/dpkg/status", folder.path().join("var/lib/dpkg/status")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What it said beside its results.
    fn dpkg(&self, arguments: &[&str]) -> String {
        let mut command = as_root("dpkg");
        command.arg(format!("--root={}", self.folder.path().display())).arg("--force-script-chrootless");
        // Images for containers leave the documentation out.
        command.arg("--path-include=/usr/share/*");
        // Not the machine's own.
        command.arg(format!("--log={}", self.path("dpkg.log").display())).args(arguments);
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.status.success(), "{said}");
        said
    }

    fn installs(&self) {
        self.dpkg(&["--force-confold", "--install", PACKAGE.to_str().unwrap()]);
    }

    fn is_there(&self, name: &str) -> bool {
        as_root("test").arg("-e").arg(self.path(name)).status().unwrap().success()
    }

    /// Its mode and its owner.
    fn owned(&self, name: &str) -> String {
        well(as_root("stat").args(["--format=%a %u:%g"]).arg(self.path(name))).trim_end().to_owned()
    }

    fn writes(&self, name: &str, text: &str) {
        let script = "printf '%s' \"$1\" >\"$2\"";
        well(as_root("sh").args(["-c", script, "sh", text]).arg(self.path(name)));
    }

    /// The installed program, as it is configured there but for ports and for
    /// where its data lie.
    fn program(&self, admin: &str, arguments: &[&str]) -> Command {
        let mut command = as_root("env");
        command.arg("ZHENGMING_LISTEN=127.0.0.1:0").arg(format!("ZHENGMING_ADMIN_LISTEN={admin}"));
        command.arg("ZHENGMING_DISK_FREE_BYTES_MIN=0");
        command.arg(format!("ZHENGMING_DATA_DIR={}", self.path("var/lib/zhengming").display()));
        command.arg(self.path("usr/bin/zhengming")).args(arguments);
        command
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // Root's files are not ours to remove.
        let _ = as_root("rm").arg("-rf").arg(self.folder.path()).status();
    }
}

#[test]
fn it_is_installed_configured_and_purged_and_what_was_signed_stays() {
    let system = System::new();
    system.installs();
    let users = fs::read_to_string(system.path("etc/passwd")).unwrap();
    let user = users.lines().find(|line| line.starts_with("zhengming:x:")).expect("a user of its own");
    let [_, _, uid, gid, ..] = user.split(':').collect::<Vec<_>>()[..] else { panic!("{user}") };
    assert!(user.ends_with(":/var/lib/zhengming:/usr/sbin/nologin"), "{user}");
    for (name, owned) in [
        ("etc/zhengming", format!("750 0:{gid}")),
        ("etc/zhengming/zhengming.toml", format!("640 0:{gid}")),
        ("etc/zhengming/secrets", "700 0:0".to_owned()),
        ("var/lib/zhengming", format!("700 {uid}:{gid}")),
        ("usr/bin/zhengming", "755 0:0".to_owned()),
    ] {
        assert_eq!(system.owned(name), owned, "{name}");
    }
    let wants = "etc/systemd/system/multi-user.target.wants";
    assert!(!system.is_there(wants), "a log's name is chosen before it is signed");

    // What the administrator has changed stays, modes too.
    let mine = "data_dir = \"/var/lib/zhengming\"\n[feed]\norigin = \"mine.example.org\"\n";
    system.writes("etc/zhengming/zhengming.toml", mine);
    well(as_root("chmod").arg("600").arg(system.path("etc/zhengming/zhengming.toml")));
    system.writes("etc/zhengming/secrets/sms.token", "a secret");
    system.writes("etc/zhengming/zhengming@2.env", "ZHENGMING_LISTEN=127.0.0.1:8082");
    system.installs();
    assert_eq!(system.owned("etc/zhengming/zhengming.toml"), format!("600 0:{gid}"));
    let kept = well(as_root("cat").arg(system.path("etc/zhengming/zhengming.toml")));
    assert_eq!(kept, mine);

    system.writes("var/lib/zhengming/feed.key", "what the log is signed with");
    system.dpkg(&["--remove", "zhengming"]);
    assert!(!system.is_there("usr/bin/zhengming") && system.is_there("etc/zhengming/secrets/sms.token"));
    let said = system.dpkg(&["--purge", "zhengming"]);
    assert!(said.contains("/var/lib/zhengming is kept"), "{said}");
    assert!(!system.is_there("etc/zhengming"), "its configuration and its secrets are gone");
    assert!(system.is_there("var/lib/zhengming/feed.key"), "that cannot be made again");
    assert_eq!(fs::read_to_string(system.path("etc/passwd")).unwrap(), users, "nobody else gets its number");
}

#[test]
fn where_nothing_was_signed_a_purge_leaves_nothing() {
    let system = System::new();
    system.installs();
    let said = system.dpkg(&["--purge", "zhengming"]);
    assert!(!said.contains("is kept"), "{said}");
    for name in ["etc/zhengming", "var/lib/zhengming", "usr/bin", "usr/share/doc/zhengming"] {
        assert!(!system.is_there(name), "{name}");
    }
}

#[test]
fn what_is_installed_serves_and_plays_the_demo() {
    let system = System::new();
    system.installs();
    let mut demo = system.program(ANY, &["demo", "--once", "--listen", ANY]);
    let told = well(demo.current_dir(system.folder.path()));
    assert!(told.contains("her receipt verifies"), "{told}");
    let config = system.path("etc/zhengming/zhengming.toml").display().to_string();
    let server = Server::start(system.program(ANY, &["serve", "--config", &config]));
    get("/readyz").at(server.admin).ok(200);
    let issue = ["key", "issue", "provider", "tencent", "--name", "腾讯", "--config", &config];
    let issue = system.program(&server.admin.to_string(), &issue);
    let key = only_word(&Process::start(issue, b"").ended().done(), "zmp_");
    get("/feed/v1/corrections").bearer(&key).at(server.public).ok(200);
    server.stopped().done();
}

#[test]
fn its_manual_reads_well_and_shells_complete_its_verbs() {
    let system = System::new();
    system.installs();
    let pages = fs::read_dir(system.path("usr/share/man/man1")).unwrap();
    let pages: Vec<PathBuf> = pages.map(|entry| entry.unwrap().path()).collect();
    assert!(pages.len() > 25, "{pages:?}");
    for page in &pages {
        let mut man = Command::new("man");
        let man =
            man.args(["--warnings", "--local-file"]).arg(page).env("LC_ALL", "C.UTF-8").output().unwrap();
        let (read, said) = (String::from_utf8_lossy(&man.stdout), String::from_utf8_lossy(&man.stderr));
        assert!(man.status.success() && said.is_empty(), "{}: {said}", page.display());
        assert!(read.contains("SYNOPSIS") && read.contains("zhengming"), "{read}");
    }
    let serve =
        pages.iter().find(|page| page.ends_with("zhengming-serve.1.gz")).expect("each verb has a page");
    assert!(well(Command::new("man").arg("--local-file").arg(serve)).contains("Run the service"));

    let bash = system.path("usr/share/bash-completion/completions/zhengming");
    let script = "source \"$1\"; COMP_WORDS=(zhengming ser) COMP_CWORD=1; _zhengming zhengming ser zhengming; \
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    assert_eq!(well(Command::new("bash").args(["--norc", "-c", script, "bash"]).arg(bash)), "serve\n");
    let fish = system.path("usr/share/fish/vendor_completions.d/zhengming.fish");
    let script = format!("source {}; complete -C 'zhengming ser'", fish.display());
    let told = well(Command::new("fish").args(["--no-config", "-c", &script]));
    assert_eq!(told, "serve\tRun the service\n");
    let zsh = system.path("usr/share/zsh/vendor-completions/_zhengming");
    well(Command::new("zsh").arg("-n").arg(&zsh));
    assert!(fs::read_to_string(zsh).unwrap().contains("'serve:Run the service'"));
}

#[test]
fn debians_own_checker_has_nothing_against_it() {
    well(Command::new("lintian").args(["--fail-on", "error,warning"]).arg(&*PACKAGE));
}
