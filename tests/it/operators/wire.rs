//! An operator on the wire: a stand-in that answers well, behind a door that
//! holds every question and answer against the definitions, and that behaves
//! as badly as it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::civil::Date;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use zhengming::casework::AskedOperator;
use zhengming::cli::demo::stand_in::{StandInConfig, StandInOperator};
use zhengming::env::clock::{Clock, MockClock};
use zhengming::gateway::Now;
use zhengming::gateway::camara::{Camara, CamaraConfig};

use super::definitions::Definitions;

/// How it behaves; to the token endpoint or to the APIs, the other one is well.
#[derive(Debug, Clone)]
pub enum Mood {
    Well,
    /// A status with CAMARA's code, and a `Retry-After`.
    Says(u16, &'static str, Option<&'static str>),
    /// 200 with these bytes.
    Writes(String),
    /// Takes the question and says nothing.
    Silent,
    /// Says something, a byte at a time, and comes to no end.
    Drips,
    HangsUp,
    Token(Box<Mood>),
}

pub struct Door {
    address: SocketAddr,
    inside: Arc<Inside>,
    open: Mutex<Option<DropGuard>>,
    now: Now,
}

struct Inside {
    definitions: Definitions,
    stand_in: StandInOperator,
    client: Client,
    mood: Mutex<Mood>,
    correlators: Mutex<Vec<String>>,
    not_as_defined: Mutex<Vec<String>>,
}

struct Request {
    head: String,
    body: Vec<u8>,
}

impl Door {
    pub async fn open(clock: &MockClock, records_from: Date) -> Self {
        let time = clock.clone();
        let now: Now = Arc::new(move || time.now());
        let config = StandInConfig {
            client_id: "zhengming".into(),
            client_secret: "secret".into(),
            token_life_s: 3_600,
            records_from,
            now: now.clone(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inside = Arc::new(Inside {
            definitions: Definitions::published(),
            stand_in: StandInOperator::start(listener, config).unwrap(),
            client: zhengming::env::calls::client().no_proxy().tls_certs_only([]).build().unwrap(),
            mood: Mutex::new(Mood::Well),
            correlators: Mutex::default(),
            not_as_defined: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let open = Mutex::new(Some(serve(listener, &inside)));
        Self { address, inside, open, now }
    }

    pub fn stand_in(&self) -> &StandInOperator {
        &self.inside.stand_in
    }

    /// The gateway to it.
    pub fn asked(&self, id: &str, follows_ports: bool, timeout_ms: u64) -> AskedOperator {
        let config = CamaraConfig {
            base_url: format!("http://{}", self.address),
            token_url: format!("http://{}/token", self.address),
            client_id: "zhengming".into(),
            client_secret: "secret".into(),
            timeout_ms,
            response_bytes_max: 65_536,
        };
        let api = Arc::new(Camara::new(&config, self.now.clone()).unwrap());
        AskedOperator { id: id.parse().unwrap(), follows_ports, api }
    }

    pub fn is(&self, mood: Mood) {
        *self.inside.mood.lock().unwrap() = mood;
    }

    /// Nobody listens any more.
    pub async fn close(&self) {
        drop(self.open.lock().unwrap().take());
        while TcpStream::connect(self.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    pub async fn reopen(&self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        *self.open.lock().unwrap() = Some(serve(listener, &self.inside));
    }

    /// The names of the exchanges with its APIs, as they came.
    pub fn correlators(&self) -> Vec<String> {
        self.inside.correlators.lock().unwrap().clone()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(*self.inside.not_as_defined.lock().unwrap(), Vec::<String>::new());
        }
    }
}

fn serve(listener: TcpListener, inside: &Arc<Inside>) -> DropGuard {
    let (stop, inside) = (CancellationToken::new(), inside.clone());
    let stopped = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = stopped.cancelled() => return,
                Ok((stream, _)) = listener.accept() => {
                    let inside = inside.clone();
                    // Who does not wait for the answer is no news.
                    tokio::spawn(async move { drop(inside.answer(stream).await) });
                }
            }
        }
    });
    stop.drop_guard()
}

impl Inside {
    async fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let request = Request::read(&mut stream).await?;
        let path = request.path();
        let mood = match (self.mood.lock().unwrap().clone(), path.as_str()) {
            (Mood::Token(mood), "/token") => *mood,
            (Mood::Token(_), _) | (_, "/token") => Mood::Well,
            (mood, _) => mood,
        };
        match path.as_str() {
            "/token" => self.note_token(&request),
            _ => self.note(&path, &request),
        }
        match mood {
            Mood::Well => self.pass_on(&mut stream, &path, &request).await,
            Mood::Says(status, code, retry_after) => {
                let body = json!({ "status": status, "code": code, "error": code, "message": "so it is" });
                self.check_answer(&path, status, &body);
                let retry_after = retry_after.map(|after| format!("retry-after: {after}\r\n"));
                write(&mut stream, status, &retry_after.unwrap_or_default(), body.to_string().as_bytes())
                    .await
            }
            Mood::Writes(body) => write(&mut stream, 200, "", body.as_bytes()).await,
            Mood::Silent => stream.read_to_end(&mut Vec::new()).await.map(drop),
            Mood::Drips => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").await?;
                let mut pulse = tokio::time::interval(Duration::from_millis(5));
                loop {
                    pulse.tick().await;
                    stream.write_all(b" ").await?;
                }
            }
            Mood::HangsUp => Ok(()),
            Mood::Token(_) => panic!("one mood at a time"),
        }
    }

    /// A token that is asked for has to open every API.
    fn note_token(&self, request: &Request) {
        let form: Vec<_> = form_urlencoded::parse(&request.body).collect();
        let scope = form.iter().find(|(name, _)| name == "scope").map(|(_, scopes)| scopes.clone());
        let asked: Vec<&str> = scope.as_deref().unwrap_or_default().split(' ').collect();
        let missing = self.definitions.scopes().into_iter().filter(|scope| !asked.contains(scope));
        let missing = missing.map(|scope| format!("{scope} is not asked for"));
        self.not_as_defined.lock().unwrap().extend(missing);
    }

    fn note(&self, path: &str, request: &Request) {
        let correlator = request.field("x-correlator");
        self.correlators.lock().unwrap().push(correlator.clone().unwrap_or_default());
        let checked = match self.definitions.operation(path) {
            None => Err(format!("{path} is not defined")),
            Some(operation) => {
                let is_json = request.field("content-type").as_deref() == Some("application/json");
                let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
                operation
                    .check_question(correlator.as_deref(), &body)
                    .and_then(|()| if is_json { Ok(()) } else { Err("not sent as JSON".to_owned()) })
            }
        };
        self.not_as_defined.lock().unwrap().extend(checked.err());
    }

    fn check_answer(&self, path: &str, status: u16, body: &Value) {
        let checked = self.definitions.operation(path).map(|operation| operation.check_answer(status, body));
        self.not_as_defined.lock().unwrap().extend(checked.and_then(Result::err));
    }

    async fn pass_on(&self, stream: &mut TcpStream, path: &str, request: &Request) -> std::io::Result<()> {
        let mut forward = self.client.post(format!("{}{path}", self.stand_in.base_url()));
        for name in ["authorization", "content-type", "x-correlator"] {
            if let Some(value) = request.field(name) {
                forward = forward.header(name, value);
            }
        }
        let answer = forward.body(request.body.clone()).send().await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.bytes().await.unwrap();
        self.check_answer(path, status, &serde_json::from_slice(&body).unwrap());
        write(stream, status, "", &body).await
    }
}

impl Request {
    async fn read(stream: &mut TcpStream) -> std::io::Result<Self> {
        let mut bytes = Vec::new();
        loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                let mut request = Self { head, body: bytes[end + 4..].to_vec() };
                let length = request.field("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
                let mut rest = vec![0; usize::saturating_sub(length, request.body.len())];
                stream.read_exact(&mut rest).await?;
                request.body.extend(rest);
                return Ok(request);
            }
            if stream.read_buf(&mut bytes).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn path(&self) -> String {
        self.head.split(' ').nth(1).unwrap_or_default().to_owned()
    }

    fn field(&self, name: &str) -> Option<String> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    }
}

async fn write(stream: &mut TcpStream, status: u16, fields: &str, body: &[u8]) -> std::io::Result<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} \r\n{fields}content-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await?;
    stream.shutdown().await
}
