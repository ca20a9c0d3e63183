//! An SMS gateway that takes each message once, whatever is sent to it again,
//! and every telephone behind it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::Value;

pub const HMAC_KEY: &str = "a key of more than sixteen bytes";

#[derive(Clone)]
pub struct Gateway {
    pub url: String,
    taken: Arc<(Mutex<Taken>, Condvar)>,
}

#[derive(Default)]
struct Taken {
    /// By the message's id: to whom, and what.
    messages: BTreeMap<String, (String, String)>,
    again: u64,
}

impl Gateway {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/send", listener.local_addr().unwrap());
        let gateway = Self { url, taken: Arc::default() };
        let here = gateway.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let here = here.clone();
                std::thread::spawn(move || here.answer(stream));
            }
        });
        gateway
    }

    /// The code of a verification, if it comes in time.
    pub fn code(&self, verification: &str, at_most: Duration) -> Option<String> {
        let id = format!("code-{verification}");
        let (taken, came) = &*self.taken;
        let waits = |taken: &mut Taken| !taken.messages.contains_key(&id);
        let (taken, _) = came.wait_timeout_while(taken.lock().unwrap(), at_most, waits).unwrap();
        let (_, text) = taken.messages.get(&id)?;
        Some(text.split_once("验证码 ")?.1.chars().take(6).collect())
    }

    /// What was sent to a number, but for codes.
    pub fn news_for(&self, number: &str) -> Vec<String> {
        let taken = self.taken.0.lock().unwrap();
        let news = taken.messages.iter().filter(|(id, (to, _))| !id.starts_with("code-") && to == number);
        news.map(|(_, (_, text))| text.clone()).collect()
    }

    /// How many messages were taken, and how often one came again.
    pub fn counts(&self) -> (usize, u64) {
        let taken = self.taken.0.lock().unwrap();
        (taken.messages.len(), taken.again)
    }

    /// A sender that dies in the middle has sent nothing.
    fn answer(&self, mut stream: TcpStream) {
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        while !all.ends_with(b"\"}") {
            match stream.read(&mut buffer) {
                Ok(count @ 1..) => all.extend_from_slice(&buffer[..count]),
                _ => return,
            }
        }
        let end = memchr::memmem::find(&all, b"\r\n\r\n").unwrap();
        let body: Value = serde_json::from_slice(&all[end + 4..]).unwrap();
        let text = |field: &str| body[field].as_str().unwrap().to_owned();
        let (taken, came) = &*self.taken;
        let mut taken = taken.lock().unwrap();
        let message = (text("to"), text("text"));
        if let Some(before) = taken.messages.insert(text("id"), message.clone()) {
            assert_eq!(before, message, "the same message in every attempt");
            taken.again += 1;
        }
        came.notify_all();
        drop(taken);
        let _ = stream.write_all(b"HTTP/1.1 202 Accepted\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    }
}
