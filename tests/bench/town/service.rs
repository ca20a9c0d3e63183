//! The service in the town: the real use cases over a store in memory and a
//! clock that moves when the town says so.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use uuid::Uuid;
use zhengming::casework::actors::{Claimant, ModeratorActor, Owner};
use zhengming::casework::control::{Language, Method};
use zhengming::casework::documents::Vault;
use zhengming::casework::filing::{Filing, Idempotency};
use zhengming::casework::ports::{Message, Sms, Unavailable};
use zhengming::casework::secret::Secret;
use zhengming::casework::staging::Staging;
use zhengming::casework::{AskedOperator, Casework, Error, Parts, Settings};
use zhengming::domain::dispute::Dispute;
use zhengming::domain::id::{DisputeId, ModeratorName, SessionId};
use zhengming::domain::number::Number;
use zhengming::domain::reference::Reference;
use zhengming::domain::refusal::Refusal;
use zhengming::env::clock::{Clock, MockClock};
use zhengming::env::entropy::SeededEntropy;
use zhengming::feed::Feed;
use zhengming::feed::note::NoteSigner;
use zhengming::gateway::webhook::{WEBHOOK_TIMEOUT, WebhookPost};
use zhengming::store::memory::MemoryStore;
use zhengming::store::{Changeset, Listing, Moderator, Role, Session, Store, Task, Versioned};

const SECRET: [u8; 32] = [7; 32];
const LOG_SEED: [u8; 32] = [9; 32];

pub struct Service {
    pub casework: Casework,
    pub store: Arc<MemoryStore>,
    pub clock: MockClock,
    pub feed: Feed,
    outbox: Arc<Outbox>,
    filings: u64,
    _folder: TempDir,
}

/// A gateway that delivers, and remembers how much.
#[derive(Debug, Default)]
struct Outbox(Mutex<u64>);

#[async_trait]
impl Sms for Outbox {
    async fn send(&self, _: &Message) -> Result<(), Unavailable> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Ok(())
    }
}

/// What is varied; else the limits of a configuration that says nothing of them.
fn settings(approvals_per_second_look: u32) -> Settings {
    Settings {
        codes_per_number_per_day: 5,
        filings_per_number_per_90_days: 4,
        cluster_filings_per_30_days: 10,
        sms_per_minute: 0,
        releases_per_operator_per_day: 10_000,
        recycling_dates_per_number_per_day: 3,
        approvals_per_second_look,
        publish_all_releases: false,
        labels_per_provider_per_day: 2_000_000,
        altcha_max_number: 0,
    }
}

impl Service {
    pub async fn open(
        clock: &MockClock,
        seed: u64,
        operators: Vec<AskedOperator>,
        approvals_per_second_look: u32,
    ) -> Self {
        let store = Arc::new(MemoryStore::new());
        let folder = folder();
        let outbox = Arc::new(Outbox::default());
        let casework = Casework::new(Parts {
            store: store.clone(),
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(SeededEntropy::new(seed)),
            secret: Secret::new(SECRET),
            reference: Arc::new(Reference::built_in()),
            settings: settings(approvals_per_second_look),
            sms: outbox.clone(),
            operators,
            lookups: Vec::new(),
            webhooks: Arc::new(WebhookPost::new(false, WEBHOOK_TIMEOUT)),
            staging: Staging::open(&folder.path().join("staging")).expect("the folder is ours"),
            vault: Vault::open(&folder.path().join("documents")).expect("the folder is ours"),
        });
        let signer = NoteSigner::new("town.example/log", &LOG_SEED).expect("the name is a name");
        let feed = Feed::open(store.clone(), &folder.path().join("log"), signer).await;
        let feed = feed.expect("an empty log can be opened");
        Self { casework, store, clock: clock.clone(), feed, outbox, filings: 0, _folder: folder }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn wait(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    pub fn messages(&self) -> u64 {
        *self.outbox.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When there is next something to do.
    pub async fn next_task_at(&self) -> Option<Timestamp> {
        let listing = Listing::TasksDue { until: Timestamp::MAX };
        let (tasks, _) = self.store().page::<Task>(&listing, None, 1).await.expect("memory is read");
        tasks.first().map(|task| task.value.run_at)
    }

    pub async fn work_off(&self) {
        self.casework.work_off().await.expect("memory does not fail");
    }

    /// Whoever has the telephone in hand asks for a code, reads it and types it.
    pub async fn prove(&self, number: Number) -> Result<String, Refusal> {
        let started = self.casework.start_verification(number, Method::SmsCode, Language::Zh, None).await;
        let started = refused(started)?;
        self.work_off().await;
        self.wait(25);
        let code = self.casework.code_for(Owner::at_the_command_line(), started.id);
        refused(self.casework.confirm_verification(started.id, &code).await).map(|confirmed| confirmed.token)
    }

    /// Proves control and files.
    pub async fn file(&mut self, number: Number, filing: &Filing, from: &str) -> Result<DisputeId, Refusal> {
        let token = self.prove(number).await?;
        let holder = refused(self.casework.holder(&token).await)?;
        self.wait(60);
        self.filings += 1;
        let key = format!("filing-{}", self.filings);
        let idempotency = Idempotency { body_digest: Sha256::digest(&key).into(), key };
        let filed = self.casework.file(&holder, filing.clone(), &idempotency, Some(from)).await;
        let filed = refused(filed)?;
        self.work_off().await;
        Ok(filed.id)
    }

    /// The dispute as whoever filed it comes back to it, with fresh control.
    async fn claimant(&self, number: Number, id: DisputeId) -> Result<Claimant, Refusal> {
        let token = self.prove(number).await?;
        let holder = refused(self.casework.holder(&token).await)?;
        let token = refused(self.casework.token_of(&holder, id).await)?.ok_or(Refusal::NotFound)?;
        refused(self.casework.claimant(&token, id).await)
    }

    pub async fn appeal(&self, number: Number, id: DisputeId) -> Result<(), Refusal> {
        let claimant = self.claimant(number, id).await?;
        refused(self.casework.appeal(&claimant, "请再核实").await)?;
        self.work_off().await;
        Ok(())
    }

    pub async fn hand_in(&self, number: Number, id: DisputeId, document: &[u8]) -> Result<(), Refusal> {
        let claimant = self.claimant(number, id).await?;
        let mut receiving = refused(self.casework.receive_documents(&claimant).await)?;
        refused(receiving.begin_document())?;
        refused(receiving.push(document.to_vec()).await)?;
        refused(receiving.finish().await)?;
        Ok(())
    }

    pub async fn dispute(&self, id: DisputeId) -> Dispute {
        let found = self.store().load::<Dispute>(&id).await.expect("memory is read");
        found.expect("disputes are kept").value
    }

    /// A moderator who has logged in: the password's hash is slow on purpose,
    /// so the session is put where a log-in puts it.
    pub async fn moderator(&self, nth: usize, name: &str) -> ModeratorActor {
        let id = SessionId(Uuid::from_u128(nth as u128 + 1));
        let found = self.store().load::<Session>(&id).await.expect("memory is read");
        if found.as_ref().is_none_or(|found| found.value.expires_at <= self.now()) {
            let name: ModeratorName = name.parse().expect("a name");
            let mut changes = Changeset::default();
            if self.store().load::<Moderator>(&name).await.expect("memory is read").is_none() {
                changes.put_new(Moderator::new(name.clone(), Role::Senior, String::new()));
            }
            let expires_at = self.now() + SignedDuration::from_hours(12);
            let version = found.map_or(0, |found| found.version);
            let session =
                Session { id, totp_generation: 0, moderator: name, started_at: self.now(), expires_at };
            changes.put(Versioned { version, value: session });
            self.store().commit(changes).await.expect("memory is written");
        }
        let token = Secret::new(SECRET).session_token(id);
        self.casework.moderator(&token).await.expect("the session was just made")
    }

    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }
}

/// A no is part of the story; anything else ends it.
pub fn refused<T>(told: Result<T, Error>) -> Result<T, Refusal> {
    match told {
        Ok(told) => Ok(told),
        Err(Error::Refused(refusal)) => Err(refusal),
        Err(error) => panic!("the service fails: {error}"),
    }
}

/// In memory where that can be had: a checkpoint is synced each time.
fn folder() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let made = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    made.expect("a folder for this run")
}
