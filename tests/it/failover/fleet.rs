//! Three instances of the service on one database, each with a folder of its
//! own and one that all of them share.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, RwLock};

use tempfile::TempDir;

use super::gateway::{Gateway, HMAC_KEY};
use crate::process::child::{Process, Server};
use crate::process::house::{keep, only_word, program};
use crate::process::wire::get;

pub const INSTANCES: usize = 3;

const CONFIG: &str = r#"
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
data_dir = "data"
instances = 3
disk_free_bytes_min = 0
[feed]
checkpoint_interval_ms = 200
[sms]
gateway = "http"
hmac_key_file = "../hmac.key"
[[operators]]
id = "cmcc"
name = "中国移动"
gateway = "ledger"
[altcha]
max_number = 0
[limits]
requests_per_address_per_second = 0
requests_per_provider_per_second = 0
requests_per_operator_per_second = 0
requests_per_number_per_second = 0
verifications_per_address_per_hour = 0
codes_per_number_per_day = 0
cluster_filings_per_30_days = 0
sms_per_minute = 60000
"#;

impl Drop for Fleet {
    /// What they said last tells why a test failed.
    #[allow(clippy::print_stderr)]
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for (nth, server) in self.servers.iter_mut().enumerate() {
            if let Ok(Some(server)) = server.get_mut() {
                let said = server.process.unheard();
                let last = said.len().saturating_sub(30);
                eprintln!("instance {nth}, running {}: {:#?}", server.process.is_running(), &said[last..]);
            }
        }
    }
}

pub struct Fleet {
    root: TempDir,
    database: String,
    gateway: String,
    servers: [Mutex<Option<Server>>; INSTANCES],
    /// Where each listens at present, to the public and to its owner.
    places: RwLock<[(SocketAddr, SocketAddr); INSTANCES]>,
}

impl Fleet {
    pub fn start(database: &str, gateway: &Gateway) -> Self {
        let root = tempfile::tempdir().unwrap();
        keep(&root.path().join("hmac.key"), HMAC_KEY, 0o600);
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
        let fleet = Self {
            root,
            database: database.to_owned(),
            gateway: gateway.url.clone(),
            servers: Default::default(),
            places: RwLock::new([(nowhere, nowhere); INSTANCES]),
        };
        for nth in 0..INSTANCES {
            let data = fleet.folder(nth).join("data");
            fs::create_dir_all(&data).unwrap();
            fs::write(fleet.folder(nth).join("zhengming.toml"), CONFIG).unwrap();
            if nth > 0 {
                // As an operator copies them: the others have the first one's keys.
                for key in ["secret.key", "feed.key"] {
                    fs::copy(fleet.folder(0).join("data").join(key), data.join(key)).unwrap();
                }
            }
            fleet.starts(nth);
        }
        fleet
    }

    pub fn starts(&self, nth: usize) {
        let server = Server::start(self.command(nth, "serve"));
        self.places.write().unwrap()[nth] = (server.public, server.admin);
        *self.servers[nth].lock().unwrap() = Some(server);
    }

    /// SIGKILL.
    pub fn dies(&self, nth: usize) {
        self.servers[nth].lock().unwrap().take().unwrap().process.kill();
    }

    pub fn signal(&self, nth: usize, name: &str) {
        self.servers[nth].lock().unwrap().as_ref().unwrap().process.signal(name);
    }

    pub fn public(&self, nth: usize) -> SocketAddr {
        self.places.read().unwrap()[nth].0
    }

    /// Which instance publishes, out of these.
    pub fn leader(&self, among: impl Iterator<Item = usize>) -> Option<usize> {
        let places = *self.places.read().unwrap();
        let mut among = among;
        among.find(|nth| {
            get("/readyz").try_at(places[*nth].1).is_ok_and(|ready| ready.json()["leading"] == true)
        })
    }

    pub fn run(&self, nth: usize, line: &str) -> String {
        let mut command = self.command(nth, line);
        command.env("ZHENGMING_ADMIN_LISTEN", self.places.read().unwrap()[nth].1.to_string());
        Process::start(command, b"").ended().done()
    }

    pub fn key(&self, kind: &str, id: &str) -> String {
        only_word(&self.run(0, &format!("key issue {kind} {id} --name {id}")), &format!("zm{}_", &kind[..1]))
    }

    pub fn path(&self) -> &Path {
        self.root.path()
    }

    fn command(&self, nth: usize, line: &str) -> std::process::Command {
        let mut command = program(&self.folder(nth), &format!("{line} --config zhengming.toml"));
        command.env("ZHENGMING_STORE", &self.database);
        command.env("ZHENGMING_SMS__URL", &self.gateway);
        command.env("ZHENGMING_SHARED_DIR", self.root.path().join("shared"));
        command
    }

    fn folder(&self, nth: usize) -> PathBuf {
        self.root.path().join(format!("instance-{nth}"))
    }
}
