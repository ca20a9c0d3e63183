//! The SMS gateway and all telephones: takes what the service sends, hands
//! codes to who waits for them, and reports that each message was delivered.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_local;
use zhengming::domain::number::Number;

use super::caller::{Call, Caller, Place};

const HEAD_END: &[u8] = b"\r\n\r\n";
const TAKEN: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

#[derive(Debug, Default)]
pub struct Phones {
    waiting: RefCell<HashMap<String, oneshot::Sender<String>>>,
}

impl Phones {
    /// The next code that is sent there.
    pub fn code_to(&self, number: Number) -> oneshot::Receiver<String> {
        let (sender, code) = oneshot::channel();
        self.waiting.borrow_mut().insert(number.to_string(), sender);
        code
    }

    fn take(&self, message: &Value) {
        let text = |field: &str| message[field].as_str().expect("the documentation has it");
        let Some((_, rest)) = text("text").split_once("验证码 ") else { return };
        let code = rest.chars().take_while(char::is_ascii_digit).collect();
        if let Some(waiting) = self.waiting.borrow_mut().remove(text("to")) {
            // Who waits no longer does without.
            let _ = waiting.send(code);
        }
    }
}

/// Serves the gateway. Reports go out one after the other.
pub async fn serve(phones: Rc<Phones>, listener: TcpListener, place: Rc<Place>, token: String) {
    let (reports, mut to_send) = mpsc::unbounded_channel::<String>();
    spawn_local(async move {
        while let Some(id) = to_send.recv().await {
            // A gateway keeps no connection for long.
            let mut caller = Caller::new(&place, 3_000_000);
            let report = json!({ "id": id, "status": "delivered" });
            let report = Call::post("/v1/sms/delivery", &report).bearer(&token);
            caller.ask("POST /v1/sms/delivery", report).await;
        }
    });
    while let Ok((stream, _)) = listener.accept().await {
        let (phones, reports) = (phones.clone(), reports.clone());
        spawn_local(async move {
            // The service is at liberty to close a connection.
            let _ = messages(stream, &phones, &reports).await;
        });
    }
}

async fn messages(
    mut stream: TcpStream,
    phones: &Phones,
    reports: &mpsc::UnboundedSender<String>,
) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let (head, whole) = loop {
            if let Some((head, whole)) = lengths(&buffer).filter(|(_, whole)| buffer.len() >= *whole) {
                break (head, whole);
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let message: Value = serde_json::from_slice(&buffer[head..whole])?;
        buffer.drain(..whole);
        stream.write_all(TAKEN).await?;
        phones.take(&message);
        let id = message["id"].as_str().expect("the documentation has it");
        let _ = reports.send(id.to_owned());
    }
}

/// Of a request's head, and of head and body.
fn lengths(request: &[u8]) -> Option<(usize, usize)> {
    let head = memchr::memmem::find(request, HEAD_END)? + HEAD_END.len();
    let fields = std::str::from_utf8(&request[..head]).ok()?.to_ascii_lowercase();
    let (_, length) = fields.split_once("\r\ncontent-length: ")?;
    let length = length.split("\r\n").next()?.parse::<usize>().ok()?;
    Some((head, head + length))
}
