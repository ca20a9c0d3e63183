//! What is measured: filings by the real use cases, written down once, so that
//! the store alone can be given the very changesets that a filing commits.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::watch;
use zhengming::casework::Casework;
use zhengming::casework::actors::Owner;
use zhengming::casework::control::{Language, Method};
use zhengming::casework::filing::{Filing, Idempotency, Saying};
use zhengming::domain::dispute::DisputedLabel;
use zhengming::domain::number::Number;
use zhengming::env::clock::{Clock, SystemClock};
use zhengming::store::memory::MemoryStore;
use zhengming::store::{
    AuditLine, CHANGES_PER_SET_MAX, Changeset, Cursor, Everything, Key, Listing, Page, Put, Receipt, Record,
    Store, StoreError, Versioned,
};

use crate::house::casework;

/// For which the peer takes a proof of control.
const TOKEN_S: u64 = 3_000;

/// A holder's filing as a page would send it.
const BODY: &str = concat!(
    r#"{"reason":"reassigned","opened":"2025-03","labels":[{"provider":"tencent","category":"express"}],"#,
    r#""note":"三月新办的号码，一直被标记为快递送餐。"}"#
);

/// The same filings in three forms, each for a number of its own.
#[derive(Debug)]
pub struct Script {
    /// Makes the records of holders who have proved control; not measured.
    pub preparations: Vec<Changeset>,
    /// What each filing commits.
    pub filings: Vec<Changeset>,
    /// What each filing's client sends.
    pub requests: Vec<Vec<u8>>,
}

impl Script {
    /// Plays as many filings over a store in memory and writes them down.
    pub async fn record(filings: usize, dir: &Path) -> Self {
        let recorder = Arc::new(Recorder::default());
        let casework = casework(recorder.clone(), dir);
        let tokens = proved(&casework, filings).await;
        let preparations = as_made_at_once(&recorder.take());
        for (nth, token) in tokens.iter().enumerate() {
            let holder = casework.holder(token).await.expect("the token is fresh");
            let idempotency = Idempotency { key: key(nth), body_digest: [0; 32] };
            casework
                .file(&holder, filing(), &idempotency, None)
                .await
                .expect("it is the number's first filing");
        }
        Self { preparations, filings: recorder.take(), requests: requests(&tokens) }
    }

    /// The same without what each filing commits.
    pub async fn of_requests(filings: usize, dir: &Path) -> Self {
        let recorder = Arc::new(Recorder::default());
        let tokens = proved(&casework(recorder.clone(), dir), filings).await;
        let preparations = as_made_at_once(&recorder.take());
        Self { preparations, filings: Vec::new(), requests: requests(&tokens) }
    }
}

/// Tokens of holders who have proved control.
async fn proved(casework: &Casework, holders: usize) -> Vec<String> {
    let mut tokens = Vec::new();
    for nth in 0..holders {
        let number = number(nth);
        let started = casework.start_verification(number, Method::SmsCode, Language::Zh, None).await;
        let id = started.expect("mobiles receive codes").id;
        let code = casework.code_for(Owner::at_the_command_line(), id);
        let confirmed = casework.confirm_verification(id, &code).await;
        tokens.push(confirmed.expect("the code is the right one").token);
    }
    tokens
}

fn requests(tokens: &[String]) -> Vec<Vec<u8>> {
    tokens.iter().enumerate().map(|(nth, token)| request(nth, token)).collect()
}

/// The records that these changesets leave, in as few changesets as hold them:
/// versions are a store's own, so what replaced a record cannot be said again.
fn as_made_at_once(changesets: &[Changeset]) -> Vec<Changeset> {
    let puts = changesets.iter().flat_map(|changeset| &changeset.puts);
    let last: BTreeMap<Key, &Record> = puts.map(|put| (put.record.key(), &put.record)).collect();
    let puts: Vec<Put> =
        last.into_values().map(|record| Put { record: record.clone(), expected: 0 }).collect();
    let chunks = puts.chunks(CHANGES_PER_SET_MAX);
    chunks.map(|puts| Changeset { puts: puts.to_vec(), ..Changeset::default() }).collect()
}

/// Mobile numbers in no order, as holders come: the factor has no divisor in
/// common with the count of numbers behind a prefix.
fn number(nth: usize) -> Number {
    let behind_prefix = (nth as u64 * 61_803_399) % 100_000_000;
    Number::from_digits(8_613_800_000_000 + behind_prefix).expect("thirteen digits")
}

fn key(nth: usize) -> String {
    format!("0197f3a2-7e1c-7cc3-98c4-{nth:012}")
}

/// What `BODY` says.
fn filing() -> Filing {
    let label = DisputedLabel {
        provider: "tencent".parse().expect("a slug"),
        category: Some("express".parse().expect("a category")),
        name: None,
    };
    Filing {
        says: Saying::Reassigned { opened: Some("2025-03".parse().expect("a month")) },
        labels: vec![label],
        note: Some("三月新办的号码，一直被标记为快递送餐。".to_owned()),
        contact: None,
    }
}

fn request(nth: usize, token: &str) -> Vec<u8> {
    let (key, length) = (key(nth), BODY.len());
    format!(
        "POST /v1/disputes HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\
         Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{BODY}"
    )
    .into_bytes()
}

/// The same for the peer, with a token as it makes them.
pub fn peers_request(nth: usize) -> Vec<u8> {
    let expires_at = SystemClock.now().as_second() as u64 + TOKEN_S;
    let sealed = [number(nth).digits().to_be_bytes(), expires_at.to_be_bytes()].concat();
    let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).expect("a key of any length");
    mac.update(&sealed);
    let token = URL_SAFE_NO_PAD.encode([&sealed[..], &mac.finalize().into_bytes()].concat());
    request(nth, &format!("zmv_{token}"))
}

/// Remembers what is committed.
#[derive(Debug, Default)]
struct Recorder {
    store: MemoryStore,
    committed: Mutex<Vec<Changeset>>,
}

impl Recorder {
    fn take(&self) -> Vec<Changeset> {
        std::mem::take(&mut self.committed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Store for Recorder {
    async fn get(&self, key: &Key) -> Result<Option<Versioned<Record>>, StoreError> {
        self.store.get(key).await
    }

    async fn list(
        &self,
        listing: &Listing,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.store.list(listing, after, limit).await
    }

    async fn log(&self, after: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.store.log(after, limit).await
    }

    fn log_size(&self) -> watch::Receiver<u64> {
        self.store.log_size()
    }

    async fn newest_entry(&self, number: Number) -> Result<Option<u64>, StoreError> {
        self.store.newest_entry(number).await
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditLine>, StoreError> {
        self.store.audit(after, limit).await
    }

    async fn everything(&self) -> Result<Box<dyn Everything>, StoreError> {
        self.store.everything().await
    }

    async fn commit(&self, changeset: Changeset) -> Result<Receipt, StoreError> {
        let receipt = self.store.commit(changeset.clone()).await?;
        self.committed.lock().unwrap_or_else(PoisonError::into_inner).push(changeset);
        Ok(receipt)
    }
}
