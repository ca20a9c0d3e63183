//! Kannel as we tell people to set it up, and the service set up for it.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::process::child::{Process, Server};
use crate::process::house::House;
use crate::support::ports::free;

const PASSWORD: &str = "8&b=c 7";
const TOKEN: &str = "tOkEn-0123456789abcdef";

/// Where everything of a test listens.
pub struct Town {
    house: House,
    public: u16,
    sendsms: u16,
}

impl Town {
    pub fn new() -> Self {
        let house = House::new();
        house.keeps("password", &format!("{PASSWORD}\n"));
        house.keeps("token", &format!("{TOKEN}\n"));
        Self { house, public: free(), sendsms: free() }
    }

    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    pub fn token(&self) -> &'static str {
        TOKEN
    }

    pub fn serve(&self, level: &str) -> Server {
        let mut command = self.house.command(&format!("serve --log {level}"));
        for (key, value) in [
            ("LISTEN", format!("127.0.0.1:{}", self.public)),
            ("PUBLIC_URL", format!("http://127.0.0.1:{}", self.public)),
            ("SMS__GATEWAY", "kannel".to_owned()),
            ("SMS__SEND_URL", format!("http://127.0.0.1:{}/cgi-bin/sendsms", self.sendsms)),
            ("SMS__USERNAME", "zhengming".to_owned()),
            ("SMS__PASSWORD_FILE", "password".to_owned()),
            ("SMS__INBOUND_TOKEN_FILE", "token".to_owned()),
            ("LIMITS__CODES_PER_NUMBER_PER_DAY", "0".to_owned()),
        ] {
            command.env(format!("ZHENGMING_{key}"), value);
        }
        Server::start(command)
    }
}

/// bearerbox and smsbox; killed when they are dropped.
pub struct Kannel {
    smsbox: Process,
    bearerbox: Process,
    /// Where the SMS centre connects.
    pub centre: u16,
    _folder: TempDir,
}

impl Kannel {
    pub fn start(town: &Town) -> Self {
        Self::start_with(town, |conf| conf)
    }

    pub fn start_with(town: &Town, changed: impl Fn(String) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/kannel.conf");
        let mut conf = fs::read_to_string(path).unwrap();
        let centre = free();
        let ports = [("13000", free()), ("13001", free()), ("13002", centre), ("13013", town.sendsms)];
        for (told, port) in ports.into_iter().chain([("8080", town.public)]) {
            assert_eq!(conf.matches(told).count(), 1, "{told}");
            conf = conf.replace(told, &port.to_string());
        }
        let conf = changed(conf.replace("the password", PASSWORD).replace("the-token", TOKEN));
        // A fast turn where a call has failed.
        let conf = conf.replace("http-queue-delay = 10", "http-queue-delay = 1");
        fs::write(folder.path().join("kannel.conf"), conf).unwrap();
        let start = |program: &str, words: &str| {
            let mut command = Command::new(program);
            command.current_dir(folder.path()).args(["-v", "1", "kannel.conf"]);
            let mut process = Process::start(command, b"");
            process.says(words);
            process
        };
        let bearerbox = start("/usr/sbin/bearerbox", "Start-up done");
        let smsbox = start("/usr/sbin/smsbox", "Connected to bearerbox");
        Self { smsbox, bearerbox, centre, _folder: folder }
    }

    pub fn is_running(&mut self) -> bool {
        self.smsbox.is_running() && self.bearerbox.is_running()
    }
}
