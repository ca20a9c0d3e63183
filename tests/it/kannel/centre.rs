//! Kannel's fake SMS centre: what every telephone sends and gets.

use std::process::Command;

use super::installed::Kannel;
use crate::process::child::Process;

pub struct Centre(Process);

#[derive(Debug)]
pub struct Message {
    pub from: String,
    pub to: String,
    pub text: String,
}

impl Centre {
    /// Sends nothing.
    pub fn silent(kannel: &Kannel) -> Self {
        Self::start(kannel, 0, "1 2 text nothing")
    }

    pub fn sends_chinese(kannel: &Kannel, from: &str, text: &str) -> Self {
        let text: String =
            text.encode_utf16().flat_map(u16::to_be_bytes).map(|byte| format!("%{byte:02x}")).collect();
        Self::start(kannel, 1, &format!("{from} 10690000 ucs2 {text}"))
    }

    pub fn sends_plain(kannel: &Kannel, from: &str, text: &str) -> Self {
        Self::start(kannel, 1, &format!("{from} 10690000 text {text}"))
    }

    fn start(kannel: &Kannel, count: u32, message: &str) -> Self {
        let mut command = Command::new("/usr/lib/kannel/test/fakesmsc");
        let (port, count) = (kannel.centre.to_string(), count.to_string());
        command.args(["-v", "0", "-H", "127.0.0.1", "-r", &port, "-i", "0.01", "-m", &count, message]);
        Self(Process::start(command, b""))
    }

    /// Waits for the next message: `Got message 1: <10690000 +86… ucs-2 k%1c…>`.
    pub fn gets(&mut self) -> Message {
        let line = self.0.says("Got message ");
        let message = line.split_once('<').unwrap().1.trim_end_matches('>');
        let [from, to, kind, data] = message.splitn(4, ' ').collect::<Vec<_>>().try_into().unwrap();
        let text = match kind {
            "ucs-2" => utf_16(&decoded(data)),
            "text" => data.to_owned(),
            _ => panic!("{line}"),
        };
        Message { from: from.to_owned(), to: to.to_owned(), text }
    }
}

fn utf_16(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks(2).map(|pair| u16::from_be_bytes(pair.try_into().unwrap())).collect();
    String::from_utf16(&units).unwrap()
}

/// The bytes behind `%xx`; a plus is a space.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    decoded
}
