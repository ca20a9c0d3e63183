//! Two instances and nginx before them.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::gate::{Gate, HOST};
use crate::process::child::{Process, Server};
use crate::process::house::{House, only_word};
use crate::process::wire::{get, request};
use crate::support::ports::free;
use crate::support::postgres::new_database;

const NGINX: &str = "/usr/sbin/nginx";
/// What the shipped file is part of. One process, so that nothing is left of it
/// when it is killed.
const AROUND: &str = "daemon off; master_process off; user root;
pid nginx.pid; error_log stderr notice;
events {}
http {
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    include zhengming.conf;
}
";

pub struct Town {
    pub gate: Gate,
    pub nginx: Process,
    pub first: Option<Server>,
    pub second: Option<Server>,
    pub house: House,
    pub folder: TempDir,
    other: House,
    _shared: Option<TempDir>,
}

/// Where everything listens.
struct Ports {
    first: u16,
    second: u16,
    tls: u16,
    plain: u16,
}

impl Town {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// `settings`: variables of both instances.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        let shared = tempfile::tempdir().unwrap();
        let shared_dir = shared.path().join("shared").display().to_string();
        let database = tokio::runtime::Runtime::new().unwrap().block_on(new_database());
        let share = [("STORE", database.as_str()), ("SHARED_DIR", &shared_dir), ("INSTANCES", "2")];
        let settings = [&share[..], settings].concat();
        let mut town = Self::of_one(&settings);
        // The same keys: instances of one service.
        let keys = town.other.path("zhengming-data");
        fs::DirBuilder::new().mode(0o700).create(&keys).unwrap();
        for key in ["secret.key", "feed.key"] {
            fs::copy(town.house.path("zhengming-data").join(key), keys.join(key)).unwrap();
        }
        town.second = Some(serve(&town.other, town.gate.second, &settings));
        town._shared = Some(shared);
        town
    }

    /// The second instance is down from the first moment on.
    pub fn of_one(settings: &[(&str, &str)]) -> Self {
        let ports = Ports { first: free(), second: free(), tls: free(), plain: free() };
        let folder = tempfile::tempdir().unwrap();
        certify(folder.path());
        fs::write(folder.path().join("nginx.conf"), AROUND).unwrap();
        fs::write(folder.path().join("zhengming.conf"), configured(folder.path(), &ports)).unwrap();
        let mut command = Command::new(NGINX);
        let prefix = format!("{}/", folder.path().display());
        command.args(["-p", prefix.as_str(), "-c", "nginx.conf", "-e", "stderr"]);
        let mut nginx = Process::start(command, b"");
        // By then it listens.
        nginx.says("getrlimit(RLIMIT_NOFILE)");
        let (house, other) = (House::new(), House::new());
        let first = Some(serve(&house, ports.first, settings));
        let gate = Gate::new(folder.path(), ports.tls, ports.plain, ports.second);
        Self { gate, nginx, first, second: None, house, folder, other, _shared: None }
    }

    /// The first instance ends and begins anew, with more settings.
    pub fn restart_first(&mut self, settings: &[(&str, &str)]) {
        let before = self.first.take().unwrap();
        let port = before.public.port();
        assert_eq!(before.stopped().code, Some(0));
        self.first = Some(serve(&self.house, port, settings));
    }

    pub fn first(&self) -> &Server {
        self.first.as_ref().unwrap()
    }

    pub fn provider_key(&self) -> String {
        let issue = "key issue provider tencent --name 腾讯";
        only_word(&self.house.run_beside(self.first().admin, issue, "").done(), "zmp_")
    }

    pub fn operator_key(&self) -> String {
        let issue = "key issue operator cmcc --name 移动";
        only_word(&self.house.run_beside(self.first().admin, issue, "").done(), "zmo_")
    }

    /// A number changes hands, and the first instance shows its correction.
    pub fn release(&self, operator: &str, nth: u64) {
        let before = self.published();
        let lines: String = [("disconnected", "2024-01-01"), ("activated", "2024-06-01")]
            .iter()
            .map(|(event, on)| {
                json!({ "number": format!("+86138{nth:08}"), "event": event, "on": on }).to_string() + "\n"
            })
            .collect();
        let push = request("POST", "/v1/tenures").bearer(operator).body("application/x-ndjson", lines);
        assert_eq!(self.gate.ask(&push).ok(200).json()["corrections"], 1);
        assert!((0..20_000).any(|_| self.published() > before), "it is never published");
    }

    /// How many entries the first instance shows.
    fn published(&self) -> u64 {
        let note = get("/feed/v1/checkpoint").at(self.first().public).ok(200);
        String::from_utf8_lossy(&note.body).lines().nth(1).unwrap().parse().unwrap()
    }
}

fn serve(house: &House, port: u16, settings: &[(&str, &str)]) -> Server {
    let mut command = house.command("serve");
    command.env("ZHENGMING_LISTEN", format!("127.0.0.1:{port}"));
    command.env("ZHENGMING_PUBLIC_URL", format!("https://{HOST}"));
    // Only nginx calls from this one: tests come from others.
    command.env("ZHENGMING_TRUSTED_PROXIES", "127.0.0.1");
    for (key, value) in settings {
        command.env(format!("ZHENGMING_{key}"), value);
    }
    Server::start(command)
}

/// The shipped file with what is marked as the owner's.
fn configured(folder: &Path, ports: &Ports) -> String {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/deploy/nginx.conf");
    let shipped = fs::read_to_string(shipped).unwrap();
    let here = |name: &str| folder.join(name).display().to_string();
    let listens = |port: u16| format!("listen 127.0.0.1:{port}");
    // Not every machine that runs tests has IPv6.
    let lines = shipped.lines().filter(|line| !line.contains("listen [::]:"));
    let mut conf = lines.map(|line| line.to_owned() + "\n").collect::<String>();
    for (told, times, ours) in [
        ("127.0.0.1:8081", 1, format!("127.0.0.1:{}", ports.first)),
        ("127.0.0.1:8082", 1, format!("127.0.0.1:{}", ports.second)),
        ("listen 443", 2, listens(ports.tls)),
        ("listen 80", 1, listens(ports.plain)),
        ("corrections.example.org;", 2, format!("{HOST};")),
        ("/etc/ssl/zhengming/fullchain.pem", 1, here("cert.pem")),
        ("/etc/ssl/zhengming/privkey.pem", 1, here("key.pem")),
        ("/var/cache/nginx/zhengming", 1, here("cache")),
        ("/var/log/nginx/zhengming.log", 1, here("access.log")),
        ("/var/log/nginx/zhengming.error.log", 2, here("error.log")),
    ] {
        let marked = conf.lines().filter(|line| line.contains(told) && !line.trim().starts_with('#'));
        let is_marked = |line: &str| line.ends_with("# yours") || line.contains("proxy_cache_path");
        assert_eq!(marked.filter(|line| is_marked(line)).count(), times, "{told}");
        conf = conf.replace(told, &ours);
    }
    conf
}

fn certify(folder: &Path) {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ]);
    command.args(["-noenc", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2"]);
    command.args(["-subj", &format!("/CN={HOST}"), "-addext", &format!("subjectAltName=DNS:{HOST}")]);
    Process::start(command, b"").ended().done();
}
