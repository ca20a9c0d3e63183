//! Our program, as it is run: in a folder, by its command line. Its log lines
//! go to a file.

use std::fs::{self, File};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};

use crate::cpu;

/// A secret in a file, for its owner alone: the program reads no other.
pub fn keep(path: &Path, secret: &str) {
    fs::write(path, secret).expect("the folder is ours");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
}

/// The store of a program that is alone.
pub const SLED: &str = "sled:data/db";

/// Limits stand, and let through what a benchmark sends: buckets are looked up
/// and drawn from for each request.
const CONFIG: &str = r#"
admin_listen = "127.0.0.1:0"
disk_free_bytes_min = 0
data_dir = "data"
store = "{store}"

[feed]
publish_releases = "all"

[altcha]
max_number = 0

[limits]
requests_per_address_per_second = 500000000
requests_per_provider_per_second = 500000000
requests_per_operator_per_second = 500000000
requests_per_number_per_second = 500000000
snapshots_per_provider_per_day = 0
releases_per_operator_per_day = 0
cluster_filings_per_30_days = 0
sms_per_minute = 0
"#;

/// A folder with a configuration.
#[derive(Debug)]
pub struct Program {
    dir: PathBuf,
}

/// `zhengming serve`; killed when it is dropped.
#[derive(Debug)]
pub struct Serving {
    child: Child,
    pub address: SocketAddr,
}

impl Program {
    pub fn in_dir(dir: &Path, store: &str) -> Self {
        Self::configured(dir, &CONFIG.replace("{store}", store))
    }

    pub fn configured(dir: &Path, config: &str) -> Self {
        fs::write(dir.join("zhengming.toml"), config).expect("the folder is ours");
        Self { dir: dir.to_owned() }
    }

    /// `grant` is `provider ID` or `operator ID`.
    pub fn issue_key(&self, grant: &str) -> String {
        let mut command = self.command(None, &format!("key issue {grant} --name bench"));
        let issued = command.output().expect("the program runs");
        let out = String::from_utf8(issued.stdout).expect("it speaks UTF-8");
        let key = out.split_whitespace().find(|word| word.starts_with("zmo_") || word.starts_with("zmp_"));
        key.unwrap_or_else(|| panic!("{out} {}", String::from_utf8_lossy(&issued.stderr))).to_owned()
    }

    /// What a command prints that is given this to read; where it fails, why.
    pub fn tries(&self, words: &str, input: &str) -> Result<String, String> {
        let mut command = self.command(None, words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("it reads");
        let ended = child.wait_with_output().expect("it is ours");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if ended.status.success() { Ok(text(&ended.stdout)) } else { Err(text(&ended.stderr)) }
    }

    /// # Panics
    /// Where it fails.
    pub fn says(&self, words: &str, input: &str) -> String {
        self.tries(words, input).unwrap_or_else(|why| panic!("{words}: {why}"))
    }

    /// On this processor alone, or on all. Returns once it takes connections.
    pub fn serve(&self, processor: Option<usize>) -> Serving {
        let address = free_address();
        let log = File::create(self.dir.join("serve.log")).expect("the folder is ours");
        let mut serve = self.command(processor, "serve");
        serve.env("ZHENGMING_LISTEN", address.to_string()).stderr(log);
        let mut child = serve.spawn().expect("the program runs");
        until_it_listens(&mut child, address);
        Serving { child, address }
    }

    fn command(&self, processor: Option<usize>, words: &str) -> Command {
        let mut command = on_processor(processor, env!("CARGO_BIN_EXE_zhengming"));
        command.args(words.split(' ')).current_dir(&self.dir);
        // What asks over HTTP as anybody could has none.
        if !words.contains("--url") {
            command.args(["--config", "zhengming.toml"]);
        }
        command
    }
}

impl Serving {
    /// As a supervisor ends it.
    pub fn end(mut self) {
        let pid = Pid::from_child(&self.child);
        rustix::process::kill_process(pid, Signal::TERM).expect("it is ours");
        assert!(self.child.wait().expect("it is ours").success(), "it ends well");
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn cpu(&self) -> Duration {
        cpu::of_process(self.child.id())
    }

    /// What it holds now, and the most that it held.
    pub fn memory_mib(&self) -> (f64, f64) {
        (self.status("VmRSS:") / 1_024.0, self.status("VmHWM:") / 1_024.0)
    }

    pub fn threads(&self) -> usize {
        self.status("Threads:") as usize
    }

    /// Open ones: files, connections and the like.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("this is Linux").count()
    }

    /// A figure that the kernel keeps; of memory in KiB.
    fn status(&self, field: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("this is Linux");
        let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("it is running");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that may be bound to one processor.
pub fn on_processor(processor: Option<usize>, program: &str) -> Command {
    let Some(processor) = processor else { return Command::new(program) };
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &processor.to_string(), program]);
    command
}

pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound")
}

/// # Panics
/// Where the program ends instead.
pub fn until_it_listens(child: &mut Child, address: SocketAddr) {
    while TcpStream::connect(address).is_err() {
        assert!(child.try_wait().expect("it is ours").is_none(), "the program ended: see its log");
        // Leaves the processor to the program, which has use for all of them.
        std::thread::park_timeout(Duration::from_millis(1));
    }
}
