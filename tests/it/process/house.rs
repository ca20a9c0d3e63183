//! A folder with a configuration, and the program run in it.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::child::{Ended, Process, Server};
use super::phone::Phone;

/// Rates are off: tests come from one address and are in a hurry.
const CONFIG: &str = r#"
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
disk_free_bytes_min = 0
[feed]
publish_releases = "all"
checkpoint_interval_ms = 1
[sms]
outbox_file = "outbox"
inbound_token_file = "inbound.token"
[altcha]
max_number = 0
[limits]
requests_per_address_per_second = 0
requests_per_provider_per_second = 0
requests_per_operator_per_second = 0
requests_per_number_per_second = 0
requests_per_moderator_per_second = 0
sms_per_minute = 0
verifications_per_address_per_hour = 0
logins_per_address_per_minute = 0
"#;

/// What the SMS gateway shows.
pub const GATEWAY_TOKEN: &str = "gateway-0123456789abcdef";

pub struct Keys {
    pub operator: String,
    pub provider: String,
}

pub struct House {
    folder: TempDir,
    pub phone: Phone,
}

impl House {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("zhengming.toml"), CONFIG).unwrap();
        let phone = Phone::at(&folder.path().join("outbox"));
        let house = Self { folder, phone };
        house.keeps("inbound.token", GATEWAY_TOKEN);
        house
    }

    /// A secret in a file of its own.
    pub fn keeps(&self, name: &str, secret: &str) {
        keep(&self.path(name), secret, 0o600);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, line: &str) -> Command {
        program(self.folder.path(), &format!("{line} --config zhengming.toml"))
    }

    pub fn serve(&self) -> Server {
        Server::start(self.command("serve"))
    }

    /// Runs a command on the folder.
    pub fn run(&self, line: &str, input: &str) -> Ended {
        Process::start(self.command(line), input.as_bytes()).ended()
    }

    /// Runs a command while a server runs.
    pub fn run_beside(&self, admin: SocketAddr, line: &str, input: &str) -> Ended {
        let mut command = self.command(line);
        command.env("ZHENGMING_ADMIN_LISTEN", admin.to_string());
        Process::start(command, input.as_bytes()).ended()
    }

    /// Keys of an operator and of a provider, while a server runs.
    pub fn issues(&self, admin: SocketAddr) -> Keys {
        let issued = |line: &str, prefix: &str| only_word(&self.run_beside(admin, line, "").done(), prefix);
        Keys {
            operator: issued("key issue operator cmcc --name 移动", "zmo_"),
            provider: issued("key issue provider tencent --name 腾讯", "zmp_"),
        }
    }
}

/// A secret in a file, for whom its mode says.
pub fn keep(path: &Path, secret: &str, mode: u32) {
    fs::write(path, secret).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The program in this folder, told nothing by the environment.
pub fn program(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zhengming"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ZHENGMING_") {
            command.env_remove(name);
        }
    }
    command.current_dir(folder).args(line.split(' '));
    command
}

/// Exactly one word with this beginning is in the text: a key.
#[track_caller]
pub fn only_word(text: &str, prefix: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().filter(|word| word.starts_with(prefix)).collect();
    assert_eq!(words.len(), 1, "{text}");
    words[0].to_owned()
}
