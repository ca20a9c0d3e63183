//! Whoever calls the service: an address, a connection, and a note of each
//! answer.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use serde_json::Value;

use super::record::Record;
use crate::wire::Connection;

/// The service's, for whoever calls it.
#[derive(Debug)]
pub struct Place {
    pub address: SocketAddr,
    pub record: Record,
}

#[derive(Debug)]
pub struct Caller {
    place: Rc<Place>,
    /// As the reverse proxy tells it.
    from: String,
    connection: Option<Connection>,
}

/// A request in the making.
#[derive(Debug)]
pub struct Call {
    head: String,
    body: String,
}

/// An answer that was none of an error.
#[derive(Debug)]
pub struct Heard {
    pub status: u16,
    pub body: Vec<u8>,
    pub next: Option<u64>,
}

impl Call {
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub fn new(method: &str, path: &str) -> Self {
        Self { head: format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n"), body: String::new() }
    }

    pub fn post(path: &str, body: &Value) -> Self {
        Self::new("POST", path).body("application/json", body.to_string())
    }

    pub fn body(self, media_type: &str, body: String) -> Self {
        let length = body.len().to_string();
        let with = self.field("content-type", media_type).field("content-length", &length);
        Self { body, ..with }
    }

    pub fn bearer(self, token: &str) -> Self {
        self.field("authorization", &format!("Bearer {token}"))
    }

    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.head += &format!("{name}: {value}\r\n");
        self
    }
}

impl Caller {
    /// The `nth` caller has a network of its own.
    pub fn new(place: &Rc<Place>, nth: u64) -> Self {
        let from = format!("{}.{}.{}.7", 11 + nth / 65_536 % 100, nth / 256 % 256, nth % 256);
        Self { place: place.clone(), from, connection: None }
    }

    /// The next request goes over a new connection.
    pub fn hang_up(&mut self) {
        self.connection = None;
    }

    /// `None` where it went wrong, which is noted.
    pub async fn ask(&mut self, route: &'static str, call: Call) -> Option<Heard> {
        let request = format!("{}x-forwarded-for: {}\r\n\r\n{}", call.head, self.from, call.body);
        let began = Instant::now();
        let asked = async {
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => Connection::open(self.place.address).await?,
            };
            let answer = connection.ask(request.as_bytes()).await?;
            self.place.record.answered(route, began.elapsed(), answer.status, answer.body);
            let next = answer.field("zhengming-next").and_then(|next| next.parse().ok());
            let heard = Heard { status: answer.status, body: answer.body.to_vec(), next };
            self.connection = Some(connection);
            std::io::Result::Ok(heard)
        };
        match asked.await {
            Ok(heard) => (heard.status < 400).then_some(heard),
            Err(error) => {
                self.place.record.broke(route, &error);
                None
            }
        }
    }
}

impl Heard {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the service speaks JSON")
    }

    pub fn text(&self, field: &str) -> String {
        self.json()[field].as_str().expect("the contract has it").to_owned()
    }
}
