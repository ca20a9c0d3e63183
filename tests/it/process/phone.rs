//! Every telephone there is: the outbox as a pipe, so that a message is read
//! when it is sent.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};

use serde_json::Value;

use super::child::AT_MOST;
use super::clean::was_sent;

#[derive(Clone)]
pub struct Phone(Arc<Inbox>);

struct Inbox {
    messages: Mutex<Messages>,
    came: Condvar,
}

#[derive(Default)]
struct Messages {
    /// To whom, and what.
    unread: Vec<(String, String)>,
    /// Nobody is there who could send one.
    is_dead: bool,
}

impl Phone {
    pub fn at(path: &Path) -> Self {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        // Open for writing as well, so that no writer's end is the end.
        let pipe = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let house = path.parent().expect("it lies in a folder").to_owned();
        let inbox = Arc::new(Inbox { messages: Mutex::default(), came: Condvar::new() });
        let filled = inbox.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let message: Value = serde_json::from_str(&line).unwrap();
                let text = |field: &str| message[field].as_str().unwrap().to_owned();
                code_in(&text("text")).into_iter().for_each(|code| was_sent(&house, code));
                filled.messages.lock().unwrap().unread.push((text("to"), text("text")));
                filled.came.notify_all();
            }
        });
        Self(inbox)
    }

    /// With nobody to send messages, none is waited for.
    pub fn is_dead(&self, is_dead: bool) {
        self.0.messages.lock().unwrap().is_dead = is_dead;
        self.0.came.notify_all();
    }

    /// Waits for a message to this number that was not read before and of
    /// which something can be made.
    pub fn receives<T>(&self, number: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let messages = self.0.messages.lock().unwrap();
        let found = |messages: &Messages| {
            messages.unread.iter().position(|(to, text)| to == number && read(text).is_some())
        };
        let waits = |messages: &mut Messages| !messages.is_dead && found(messages).is_none();
        let (mut messages, _) = self.0.came.wait_timeout_while(messages, AT_MOST, waits).unwrap();
        let place = found(&messages)?;
        let (_, text) = messages.unread.remove(place);
        read(&text)
    }

    pub fn code(&self, number: &str) -> Option<String> {
        self.receives(number, code_in)
    }
}

fn code_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("验证码 ")?;
    Some(rest.chars().take_while(char::is_ascii_digit).collect())
}
