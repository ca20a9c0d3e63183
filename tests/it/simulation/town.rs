//! A town: the service over a store that outlives it, a clock, truthful
//! operators, and what its people remember of what they were told.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use tempfile::TempDir;
use zhengming::casework::documents::Vault;
use zhengming::casework::ports::{Message, Operator, Reply, Sms, Unavailable};
use zhengming::casework::secret::Secret;
use zhengming::casework::staging::Staging;
use zhengming::casework::{AskedOperator, Casework, Parts, Settings};
use zhengming::domain::day::plus_days;
use zhengming::domain::evidence::{Answer, Question};
use zhengming::domain::id::DisputeId;
use zhengming::domain::number::Number;
use zhengming::domain::reference::Reference;
use zhengming::env::clock::{Clock, MockClock};
use zhengming::env::entropy::SeededEntropy;
use zhengming::gateway::webhook::{WEBHOOK_TIMEOUT, WebhookPost};

use super::checks::Seen;
use super::deeds::Repeatable;
use super::disk::{Disk, How, Opened};
use super::life::{Life, day_of, told_day};
use super::op::{Mood, Op, Scene};

pub const FILINGS_MAX: u32 = 4;

pub struct Town {
    pub clock: MockClock,
    pub disk: Arc<Disk>,
    pub casework: Casework,
    pub lives: Arc<Vec<Life>>,
    pub truthful: bool,
    pub outbox: Arc<Outbox>,
    pub mood: Arc<Mutex<Mood>>,
    pub tokens: Vec<Token>,
    pub cases: Vec<Case>,
    pub last: Option<Repeatable>,
    /// How many filings and uploads had a key.
    pub keys: usize,
    pub seen: Seen,
    cut: Option<(u32, How)>,
    process: Arc<Opened>,
    parts: Frame,
    staging: TempDir,
}

/// A proof of control that somebody keeps.
#[derive(Debug, Clone)]
pub struct Token {
    pub number: usize,
    pub holder: usize,
    pub proved_at: Timestamp,
    pub expires_at: Timestamp,
    pub text: String,
}

/// A dispute that somebody was told of.
#[derive(Debug, Clone)]
pub struct Case {
    pub number: usize,
    pub id: DisputeId,
    pub proved_at: Timestamp,
    pub token: String,
    pub withdrawn: bool,
}

/// What every process of the service is made of.
struct Frame {
    reference: Arc<Reference>,
    entropy: Arc<SeededEntropy>,
    settings: Settings,
    operators: Vec<AskedOperator>,
}

#[derive(Debug, Default)]
pub struct Outbox {
    pub sent: Mutex<Vec<Message>>,
    pub broken: Mutex<bool>,
}

#[async_trait]
impl Sms for Outbox {
    async fn send(&self, message: &Message) -> Result<(), Unavailable> {
        if *self.broken.lock().unwrap() {
            return Err(down());
        }
        self.sent.lock().unwrap().push(message.clone());
        Ok(())
    }
}

/// Knows the truth, and says what its mood lets it.
#[derive(Debug)]
struct Knowing {
    id: &'static str,
    follows_ports: bool,
    lives: Arc<Vec<Life>>,
    mood: Arc<Mutex<Mood>>,
    clock: MockClock,
}

#[async_trait]
impl Operator for Knowing {
    async fn ask(&self, number: Number, question: &Question, _: &str) -> Result<Reply, Unavailable> {
        let lag = match *self.mood.lock().unwrap() {
            Mood::Down => return Err(down()),
            Mood::Clueless => return Ok(Reply { answer: Answer::Unknown, detail: None }),
            Mood::Prompt => 0,
            Mood::Lagging(days) => days,
        };
        let now = self.clock.now();
        let seen = told_day(now).min(plus_days(day_of(now), -lag));
        let life = &self.lives[index_of(number)];
        Ok(Reply { answer: life.answer(self.id, self.follows_ports, question, seen), detail: None })
    }
}

fn down() -> Unavailable {
    Unavailable { why: "down".to_owned(), retry_after_s: None, alarm: false }
}

const FIRST_DIGITS: u64 = 8_613_800_138_000;

pub fn number_of(index: usize) -> Number {
    Number::from_digits(FIRST_DIGITS + index as u64).unwrap()
}

fn index_of(number: Number) -> usize {
    usize::try_from(number.digits() - FIRST_DIGITS).unwrap()
}

pub fn secret() -> Secret {
    Secret::new([7; 32])
}

impl Town {
    /// 23 November 2026, 11 o'clock in Shanghai.
    pub fn new(scene: &Scene, reference: &Arc<Reference>) -> Self {
        let clock = MockClock::at("2026-11-23T03:00:00Z".parse().unwrap());
        let lives: Vec<Life> =
            scene.lives.iter().enumerate().map(|(number, life)| Life::new(number, life)).collect();
        let (lives, mood) = (Arc::new(lives), Arc::new(Mutex::new(Mood::Prompt)));
        let operators = ["cmcc", "cucc"].map(|id| {
            let (lives, mood, clock) = (lives.clone(), mood.clone(), clock.clone());
            let follows_ports = scene.follows_ports;
            let api = Arc::new(Knowing { id, follows_ports, lives, mood, clock });
            AskedOperator { id: id.parse().unwrap(), follows_ports, api }
        });
        let parts = Frame {
            reference: reference.clone(),
            entropy: Arc::new(SeededEntropy::new(1)),
            settings: settings(scene),
            operators: operators.into(),
        };
        let (disk, outbox) = (Arc::new(Disk::default()), Arc::new(Outbox::default()));
        let staging = tempfile::tempdir().unwrap();
        let process = disk.opened();
        let casework = parts.casework(&process, &clock, &outbox, &staging);
        Self {
            clock,
            disk,
            casework,
            lives,
            truthful: scene.truthful,
            outbox,
            mood,
            tokens: Vec::new(),
            cases: Vec::new(),
            last: None,
            keys: 0,
            seen: Seen::default(),
            cut: None,
            process,
            parts,
            staging,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// One thing happens; then everything that was promised must hold.
    pub async fn step(&mut self, op: Op) -> Result<(), String> {
        match op {
            Op::Cut { calls, how } => self.cut = Some((calls, how)),
            Op::Crash => self.restart().await,
            op => self.maybe_cut(op).await?,
        }
        self.check().await
    }

    async fn maybe_cut(&mut self, op: Op) -> Result<(), String> {
        let Some((calls, how)) = self.cut.take() else {
            return self.act(op).await;
        };
        let bell = self.disk.arm(calls, how);
        let outcome = tokio::select! {
            biased;
            () = bell.notified() => None,
            outcome = self.act(op) => Some(outcome),
        };
        self.disk.disarm();
        if outcome.is_none() && how != How::CallerGone {
            self.restart().await;
        }
        self.settle().await;
        outcome.unwrap_or(Ok(()))
    }

    /// The process is killed, and another one starts.
    async fn restart(&mut self) {
        self.process.kill();
        std::fs::write(self.staging.path().join(format!("{}.part", uuid::Uuid::nil())), "half").unwrap();
        self.process = self.disk.opened();
        self.casework = self.parts.casework(&self.process, &self.clock, &self.outbox, &self.staging);
        self.casework.take_up_uploads().await.unwrap();
    }

    /// Waits for what goes on without its caller.
    async fn settle(&self) {
        let metrics = tokio::runtime::Handle::current().metrics();
        while metrics.num_alive_tasks() > self.disk.hanging() {
            tokio::task::yield_now().await;
        }
    }

    /// Names of what is staged.
    pub fn staged(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.staging.path()).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Frame {
    fn casework(
        &self,
        process: &Arc<Opened>,
        clock: &MockClock,
        outbox: &Arc<Outbox>,
        staging: &TempDir,
    ) -> Casework {
        Casework::new(Parts {
            store: process.clone(),
            clock: Arc::new(clock.clone()),
            entropy: self.entropy.clone(),
            secret: secret(),
            reference: self.reference.clone(),
            settings: self.settings.clone(),
            sms: outbox.clone(),
            operators: self.operators.clone(),
            lookups: Vec::new(),
            webhooks: Arc::new(WebhookPost::new(false, WEBHOOK_TIMEOUT)),
            staging: Staging::open(staging.path()).unwrap(),
            vault: Vault::open(&staging.path().join("documents")).unwrap(),
        })
    }
}

fn settings(scene: &Scene) -> Settings {
    Settings {
        codes_per_number_per_day: 5,
        filings_per_number_per_90_days: FILINGS_MAX,
        cluster_filings_per_30_days: 2,
        sms_per_minute: 0,
        releases_per_operator_per_day: scene.releases_per_operator_per_day,
        recycling_dates_per_number_per_day: 3,
        approvals_per_second_look: 0,
        publish_all_releases: scene.publish_all_releases,
        labels_per_provider_per_day: 0,
        altcha_max_number: 0,
    }
}
