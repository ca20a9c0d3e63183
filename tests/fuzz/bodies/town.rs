//! The whole service over a store in memory, asked over a connection that is a
//! pair of buffers. Time is tokio's own and paused: whoever would wait is waited
//! for at once.
//!
//! In what it is asked, words in braces stand for what only this service knows:
//! `{provider}` for a provider's key, `{length}` for that of the body, and so on.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use zhengming::casework::Settings;
use zhengming::casework::actors::Owner;
use zhengming::casework::control::{Language, Method};
use zhengming::casework::filing::{Filing, Idempotency, Saying};
use zhengming::casework::secret::Secret;
use zhengming::casework::texting::Texting;
use zhengming::domain::hex::hex;
use zhengming::domain::id::KeyId;
use zhengming::http::accept::{AcceptLimits, Server};
use zhengming::http::client::TrustedProxies;
use zhengming::http::limits::LimitsConfig;
use zhengming::http::service::{App, routes};
use zhengming::store::memory::MemoryStore;
use zhengming::store::{Grant, Role};

use crate::support::app;

const NUMBER: &str = "+8613800138000";
const GATEWAY_TOKEN: &str = "gateway-0123456789abcdef";
/// After so many it is built anew, so that it does not fill up.
const ASKED_MAX: u32 = 3_000;
const ANSWER_BYTES_MAX: u64 = 4 << 20;
/// Longer than anything is waited for.
const PATIENCE: Duration = Duration::from_secs(300);

struct Town {
    runtime: Runtime,
    server: Arc<Server>,
    app: App,
    words: Vec<(&'static str, String)>,
    asked: u32,
    _folder: TempDir,
}

thread_local! {
    static TOWN: RefCell<Option<Town>> = const { RefCell::new(None) };
}

/// All that comes back before the connection is closed.
pub fn ask(request: &[u8]) -> Vec<u8> {
    TOWN.with_borrow_mut(|town| {
        if town.as_ref().is_some_and(|town| town.asked >= ASKED_MAX) {
            *town = None;
        }
        town.get_or_insert_with(Town::new).ask(request)
    })
}

impl Town {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let limits = LimitsConfig {
            requests_per_address_per_second: 0,
            requests_per_provider_per_second: 0,
            requests_per_operator_per_second: 0,
            requests_per_number_per_second: 0,
            requests_per_moderator_per_second: 0,
            verifications_per_address_per_hour: 0,
            logins_per_address_per_minute: 0,
            logins_per_account_per_hour: 0,
            snapshots_per_provider_per_day: 0,
            ..LimitsConfig::default()
        };
        // Work is to be proved, and little of it.
        let settings =
            Settings { altcha_max_number: 1, filings_per_number_per_90_days: 0, ..app::settings() };
        let texting = Texting::new("10690000".to_owned(), GATEWAY_TOKEN);
        let (app, words) = runtime.block_on(async {
            let store = Arc::new(MemoryStore::new());
            let app = app::over(store, folder.path(), settings, &limits, Some(texting)).await;
            let words = words(&app).await;
            (app, words)
        });
        let ids = Arc::new(|| Uuid::from_u128(7));
        let server = Server::new(AcceptLimits::default(), TrustedProxies::default(), ids, routes(&app));
        Self { runtime, server: Arc::new(server), app, words, asked: 0, _folder: folder }
    }

    fn ask(&mut self, request: &[u8]) -> Vec<u8> {
        self.asked += 1;
        let request = self.filled(request);
        self.runtime.block_on(async {
            let (ours, theirs) = duplex(64 * 1024);
            let stop = CancellationToken::new();
            let peer = "203.0.113.7:40000".parse().unwrap();
            let serving = tokio::spawn(self.server.clone().connection(theirs, peer, stop.clone()));
            let (from, mut to) = tokio::io::split(ours);
            let mut answer = Vec::new();
            let mut from = from.take(ANSWER_BYTES_MAX);
            let exchange = async {
                // It may be closed before all is sent.
                let (_, read) = tokio::join!(to.write_all(&request), from.read_to_end(&mut answer));
                read.expect("a buffer does not break");
            };
            if timeout(PATIENCE, exchange).await.is_err() {
                // An event stream, which has no end of its own.
                stop.cancel();
            }
            drop((from, to));
            let served = timeout(PATIENCE, serving).await;
            served.expect("a connection whose other end is gone ends").expect("and does not panic");
            answer
        })
    }

    fn filled(&self, request: &[u8]) -> Vec<u8> {
        let mut filled = request.to_vec();
        for (word, value) in &self.words {
            replace(&mut filled, word, || value.clone());
        }
        replace(&mut filled, "{altcha}", || solution(&self.app));
        let body = memchr::memmem::find(&filled, b"\r\n\r\n").map_or(0, |end| filled.len() - end - 4);
        replace(&mut filled, "{length}", || body.to_string());
        filled
    }
}

/// The first few of them.
fn replace(text: &mut Vec<u8>, word: &str, value: impl Fn() -> String) {
    for _ in 0..4 {
        let Some(at) = memchr::memmem::find(text, word.as_bytes()) else { return };
        text.splice(at..at + word.len(), value().into_bytes());
    }
}

/// Everybody who may come, each with what lets them in.
async fn words(app: &App) -> Vec<(&'static str, String)> {
    let (casework, owner) = (&app.casework, Owner::at_the_command_line);
    let key = async |grant| -> (KeyId, String) { casework.issue_key(owner(), grant, "fuzz").await.unwrap() };
    let (_, provider) = key(Grant::Provider("tencent".parse().unwrap())).await;
    let (_, operator) = key(Grant::Operator("cmcc".parse().unwrap())).await;
    let number = casework.reference().numbering.parse(NUMBER).unwrap();
    let paid = solution(app);
    let started =
        casework.start_verification(number, Method::SmsCode, Language::Zh, Some(&paid)).await.unwrap();
    let code = Secret::new(app::SECRET).code(started.id);
    let holder = casework.confirm_verification(started.id, &code).await.unwrap().token;
    let says = Saying::Reassigned { opened: Some("2025-03".parse().unwrap()) };
    let filing = Filing { says, labels: Vec::new(), note: None, contact: None };
    let once = Idempotency { key: "1".to_owned(), body_digest: [0; 32] };
    let filed = casework.file(&casework.holder(&holder).await.unwrap(), filing, &once, None).await.unwrap();
    let (name, password) = ("li-lei".parse().unwrap(), "correct horse battery");
    casework.add_moderator(owner(), &name, Role::Admin, password).await.unwrap();
    let totp = casework.totp_now(owner(), &name).await.unwrap();
    let moderator = casework.log_in("li-lei", password, &totp).await.unwrap().token;
    vec![
        ("{provider}", provider),
        ("{operator}", operator),
        ("{holder}", holder),
        ("{claimant}", filed.token),
        ("{dispute}", filed.id.to_string()),
        ("{moderator}", moderator),
        ("{gateway}", GATEWAY_TOKEN.to_owned()),
    ]
}

/// Of a new challenge.
fn solution(app: &App) -> String {
    let challenge = app.casework.challenge();
    let solves =
        |number: &u64| hex(&Sha256::digest(format!("{}{number}", challenge.salt))) == challenge.challenge;
    let number = (0..=challenge.maxnumber).find(solves).expect("one of them is the number");
    let solution = json!({
        "algorithm": challenge.algorithm,
        "challenge": challenge.challenge,
        "number": number,
        "salt": challenge.salt,
        "signature": challenge.signature,
    });
    STANDARD.encode(solution.to_string())
}
