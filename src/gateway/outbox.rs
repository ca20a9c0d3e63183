//! The outbox: every text message becomes one line of a file, for those who
//! have no SMS gateway yet, for the demo and for tests.
//!
//! Absent: delivery, and syncing to the disk. A message that was handed over
//! can be lost with the power here as on any carrier's way.

use std::fmt;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;

use crate::casework::ports::{Message, Sms, Unavailable};
use crate::domain::number::Number;
use crate::gateway::Now;

/// The messages are codes that prove control: for the owner's eyes only.
const MODE: u32 = 0o600;

pub struct Outbox {
    file: Arc<AppendFile>,
    now: Now,
}

impl Outbox {
    pub fn open(path: &Path, now: Now) -> io::Result<Self> {
        Ok(Self { file: Arc::new(AppendFile::open(path)?), now })
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("file", &self.file).finish_non_exhaustive()
    }
}

#[async_trait]
impl Sms for Outbox {
    async fn send(&self, message: &Message) -> Result<(), Unavailable> {
        let line = Line { to: message.to, text: &message.text, at: (self.now)() };
        let mut line = serde_json::to_vec(&line).expect("strings and a time are always JSON");
        line.push(b'\n');
        let file = Arc::clone(&self.file);
        let written = tokio::task::spawn_blocking(move || file.append(&line)).await;
        let failed = match written {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => format!("outbox: {error}"),
            Err(_) => "outbox: the write was broken off".to_owned(),
        };
        Err(Unavailable { why: failed, retry_after_s: None, alarm: true })
    }
}

#[derive(Serialize)]
struct Line<'a> {
    to: Number,
    text: &'a str,
    at: Timestamp,
}

#[derive(Debug)]
struct AppendFile {
    file: File,
    /// A full disk cut the last line short: the next begins on one of its own.
    torn: AtomicBool,
}

impl AppendFile {
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(MODE).open(path)?;
        // A file that was there before may be open to others; a pipe is not ours to change.
        if file.metadata()?.is_file() {
            file.set_permissions(Permissions::from_mode(MODE))?;
        }
        Ok(Self { file, torn: AtomicBool::new(false) })
    }

    /// One write call a line: with O_APPEND lines of several writers, and of
    /// several processes, never interleave.
    fn append(&self, line: &[u8]) -> io::Result<()> {
        let after_torn;
        let line = if self.torn.swap(false, Ordering::AcqRel) {
            after_torn = [b"\n", line].concat();
            &after_torn
        } else {
            line
        };
        let written = loop {
            match (&self.file).write(line) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => break outcome?,
            }
        };
        if written < line.len() {
            self.torn.store(true, Ordering::Release);
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs;

    fn now() -> Now {
        Arc::new(|| "2026-11-23T03:04:05Z".parse().unwrap())
    }

    fn message(digits: u64, text: &str) -> Message {
        let to = Number::from_digits(digits).unwrap();
        Message { id: "1".to_owned(), to, text: text.to_owned(), seal: "seal".to_owned() }
    }

    #[tokio::test]
    async fn each_message_is_one_line_that_only_the_owner_reads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("outbox.ndjson");
        let outbox = Outbox::open(&path, now()).unwrap();
        outbox.send(&message(8_613_800_138_000, "正名：您的验证码是 123456\n勿告他人")).await.unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "{\"to\":\"+8613800138000\",\"text\":\"正名：您的验证码是 123456\\n勿告他人\",\
             \"at\":\"2026-11-23T03:04:05Z\"}\n"
        );
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
    }

    #[tokio::test]
    async fn what_was_there_stays_and_is_closed_to_others() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("outbox.ndjson");
        fs::write(&path, "{}\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        Outbox::open(&path, now()).unwrap().send(&message(8_613_800_138_000, "甲")).await.unwrap();
        assert!(fs::read_to_string(&path).unwrap().starts_with("{}\n{\"to\""));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn many_senders_never_interleave() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("outbox.ndjson");
        // Two handles, as of two processes.
        let outboxes = [0, 1].map(|_| Arc::new(Outbox::open(&path, now()).unwrap()));
        let sends = (0..200u64).map(|i| {
            let outbox = Arc::clone(&outboxes[i as usize % 2]);
            tokio::spawn(async move {
                let text = i.to_string().repeat(500);
                outbox.send(&message(8_613_800_138_000 + i, &text)).await
            })
        });
        for sent in futures_util::future::join_all(sends).await {
            sent.unwrap().unwrap();
        }
        let mut seen: Vec<u64> = fs::read_to_string(&path)
            .unwrap()
            .lines()
            .map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                let to: Number = serde_json::from_value(line["to"].clone()).unwrap();
                let i = to.digits() - 8_613_800_138_000;
                assert_eq!(line["text"].as_str().unwrap(), i.to_string().repeat(500));
                i
            })
            .collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..200).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_full_disk_is_an_alarm_without_the_number() {
        let full = Outbox::open(Path::new("/dev/full"), now()).unwrap();
        let error = full.send(&message(8_613_800_138_000, "甲")).await.unwrap_err();
        assert!(error.alarm && error.why.starts_with("outbox: ") && !error.why.contains("138001"), "{error}");
    }

    #[test]
    fn a_line_cut_short_spoils_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("outbox.ndjson");
        fs::write(&path, "{\"to").unwrap();
        let file = AppendFile::open(&path).unwrap();
        file.torn.store(true, Ordering::Release);
        file.append(b"1\n").unwrap();
        file.append(b"2\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"to\n1\n2\n");
    }

    #[test]
    fn a_folder_that_is_not_there_is_said_at_once() {
        assert!(Outbox::open(Path::new("/nonexistent/outbox.ndjson"), now()).is_err());
    }
}
