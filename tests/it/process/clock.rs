//! The program's clock, which is moved by libfaketime; what it measures spans
//! of time with goes on as before.

use std::fs;
use std::process::Command;

use super::house::House;

pub struct Clock<'a>(&'a House);

impl<'a> Clock<'a> {
    /// At the right time.
    pub fn of(house: &'a House) -> Self {
        let clock = Self(house);
        clock.is_off_by(0);
        clock
    }

    pub fn is_off_by(&self, seconds: i64) {
        // At once, so that nobody reads half of it.
        let path = self.0.path("clock");
        fs::write(self.0.path("clock.new"), format!("{seconds:+}\n")).unwrap();
        fs::rename(self.0.path("clock.new"), path).unwrap();
    }

    /// A command that lives by it.
    pub fn command(&self, line: &str) -> Command {
        let mut command = self.0.command(line);
        command
            .env("LD_PRELOAD", library())
            .env("FAKETIME_TIMESTAMP_FILE", self.0.path("clock"))
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1");
        command
    }
}

/// Debian's package has it below the machine's architecture.
fn library() -> String {
    let found =
        fs::read_dir("/usr/lib").unwrap().map(|dir| dir.unwrap().path().join("faketime/libfaketimeMT.so.1"));
    let found = found.filter(|path| path.exists()).collect::<Vec<_>>();
    found.first().expect("faketime is installed: see tests/all").display().to_string()
}
