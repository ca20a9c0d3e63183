//! The service, its clock and its operator.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use jiff::civil::Date;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;
use zhengming::casework::documents::Vault;
use zhengming::casework::lookups::AskedProvider;
use zhengming::casework::ports::{Message, Sms, Unavailable};
use zhengming::casework::secret::Secret;
use zhengming::casework::staging::Staging;
use zhengming::casework::texting::Texting;
use zhengming::casework::{AskedOperator, Casework, Parts, Settings};
use zhengming::cli::demo::stand_in::{Contract, StandInConfig, StandInOperator};
use zhengming::domain::number::Number;
use zhengming::domain::reference::Reference;
use zhengming::env::clock::{Clock, Elapsed, MockClock};
use zhengming::env::entropy::SeededEntropy;
use zhengming::env::metrics::Registry;
use zhengming::feed::Feed;
use zhengming::feed::snapshot::Snapshots;
use zhengming::gateway::Now;
use zhengming::gateway::camara::{Camara, CamaraConfig};
use zhengming::gateway::webhook::{WEBHOOK_TIMEOUT, WebhookPost};
use zhengming::http::accept::{AcceptLimits, Server};
use zhengming::http::client::TrustedProxies;
use zhengming::http::limits::{Limits, LimitsConfig};
use zhengming::http::meters::RequestMeters;
use zhengming::http::pages::PageSettings;
use zhengming::http::service::{Service, routes};

use super::client::Client;
use super::service::{settings, signer};
use super::store::WatchedStore;

/// What a story may want otherwise.
pub struct Setup {
    /// The operator's answers see through ports.
    pub follows_ports: bool,
    pub settings: Settings,
    pub limits: LimitsConfig,
    /// Takes what holders send.
    pub texting: bool,
    /// Providers that are asked what they show.
    pub lookups: Vec<AskedProvider>,
    /// Another's, for what comes after a restart.
    pub store: Arc<WatchedStore>,
    pub clock: MockClock,
    /// Whose APIs are asked; else cmcc's.
    pub operators: Option<Vec<AskedOperator>>,
}

/// What the SMS gateway shows when it hands over what holders send, and to
/// which number that is.
pub const GATEWAY_TOKEN: &str = "gateway-0123456789abcdef";
pub const ACCESS_NUMBER: &str = "10690000";

/// What messages point to.
pub const PUBLIC_URL: &str = "https://labels.example.org";

impl Default for Setup {
    fn default() -> Self {
        let limits = LimitsConfig {
            requests_per_address_per_second: 0,
            verifications_per_address_per_hour: 0,
            logins_per_address_per_minute: 0,
            ..LimitsConfig::default()
        };
        let clock = MockClock::at("2026-11-23T03:00:00Z".parse().unwrap());
        let settings = settings();
        let (lookups, store, operators) = (Vec::new(), Arc::default(), None);
        Self { follows_ports: true, settings, limits, texting: true, lookups, store, clock, operators }
    }
}

pub struct World {
    pub clock: MockClock,
    pub casework: Casework,
    pub client: Client,
    /// cmcc: serves 138… and answers over CAMARA.
    pub cmcc: StandInOperator,
    pub service: Arc<Service>,
    pub store: Arc<WatchedStore>,
    outbox: Arc<RecordingSms>,
    data: TempDir,
    _stop: DropGuard,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    /// 23 November 2026, 11 o'clock in Shanghai, a Monday.
    pub async fn with(setup: Setup) -> Self {
        let Setup { clock, store, .. } = setup;
        let outbox = Arc::new(RecordingSms::default());
        let staging = tempfile::tempdir().unwrap();
        let (cmcc, api) = operator(&clock).await;
        let asked = AskedOperator {
            id: "cmcc".parse().unwrap(),
            follows_ports: setup.follows_ports,
            api: Arc::new(api),
        };
        let casework = Casework::new(Parts {
            store: store.clone(),
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(SeededEntropy::new(1)),
            secret: Secret::new([7; 32]),
            reference: Arc::new(Reference::built_in()),
            settings: setup.settings,
            sms: outbox.clone(),
            operators: setup.operators.unwrap_or_else(|| vec![asked]),
            lookups: setup.lookups,
            webhooks: Arc::new(WebhookPost::new(false, WEBHOOK_TIMEOUT)),
            staging: Staging::open(staging.path()).unwrap(),
            vault: Vault::open(&staging.path().join("documents")).unwrap(),
        });
        let casework = match setup.texting {
            true => casework.with_texting(Texting::new(ACCESS_NUMBER.to_owned(), GATEWAY_TOKEN)),
            false => casework,
        };
        let casework = casework.with_public_url(PUBLIC_URL.to_owned());
        let feed = Feed::open(store.clone(), staging.path(), signer()).await.unwrap();
        let service = Arc::new(Service {
            casework: casework.clone(),
            snapshots: Snapshots::of(&feed, &staging.path().join("snapshots"), 0).await.unwrap(),
            feed,
            limits: Limits::new(&setup.limits, &elapsed(&clock)),
            pages: PageSettings { secure: false },
            requests: RequestMeters::default(),
            metrics: Registry::default().into(),
        });
        let stop = CancellationToken::new();
        let address = serve(&service, &stop).await;
        let client = Client::new(address, service.clone());
        let _stop = stop.drop_guard();
        Self { clock, casework, client, cmcc, service, store, outbox, data: staging, _stop }
    }

    /// Where documents lie.
    pub fn documents_dir(&self) -> PathBuf {
        self.data.path().join("documents")
    }

    /// Another process over the same store and folder, perhaps with another key.
    pub fn restarted(&self, secret: [u8; 32]) -> Casework {
        Casework::new(Parts {
            store: self.store.clone(),
            clock: Arc::new(self.clock.clone()),
            entropy: Arc::new(SeededEntropy::new(2)),
            secret: Secret::new(secret),
            reference: Arc::new(Reference::built_in()),
            settings: settings(),
            sms: self.outbox.clone(),
            operators: Vec::new(),
            lookups: Vec::new(),
            webhooks: Arc::new(WebhookPost::new(false, WEBHOOK_TIMEOUT)),
            staging: Staging::open(self.data.path()).unwrap(),
            vault: Vault::open(&self.documents_dir()).unwrap(),
        })
    }

    pub fn advance(&self, by: SignedDuration) {
        self.clock.advance(by);
    }

    pub fn advance_days(&self, days: i64) {
        self.advance(SignedDuration::from_hours(24 * days));
    }

    /// What the publisher does every second.
    pub async fn publish(&self) {
        self.service.feed.publish().await.unwrap();
    }

    /// Does everything that is due now.
    pub async fn work(&self) {
        self.casework.work_off().await.unwrap();
    }

    /// The SMS gateway never answers from now on.
    pub fn gateway_stands_still(&self) {
        self.outbox.stands_still.store(true, Ordering::SeqCst);
    }

    /// What was changed last is read before it is durable.
    pub fn hold_flush(&self) {
        self.store.hold_flush();
    }

    /// How many times anything was changed.
    pub fn changes(&self) -> u64 {
        self.store.changes()
    }

    /// Messages to a number, oldest first.
    pub fn messages_to(&self, number: &str) -> Vec<String> {
        self.sent_to(number).into_iter().map(|message| message.text).collect()
    }

    /// The same as the gateway has them.
    pub fn sent_to(&self, number: &str) -> Vec<Message> {
        let number = self.number(number);
        let sent = self.outbox.sent.lock().unwrap();
        sent.iter().filter(|message| message.to == number).cloned().collect()
    }

    pub fn number(&self, text: &str) -> Number {
        self.casework.reference().numbering.parse(text).unwrap()
    }

    /// The contracts that cmcc's API answers from: holder, first day, and the
    /// day on which it was cancelled.
    pub fn cmcc_knows(&self, number: &str, contracts: &[(&str, &str, Option<&str>)]) {
        let contracts = contracts.iter().map(|(holder, from, until)| Contract {
            holder: (*holder).to_owned(),
            name: (*holder).to_owned(),
            uscc: None,
            from: day(from),
            until: until.map(day),
        });
        self.cmcc.set(self.number(number), contracts.collect());
    }

    /// The usual tale: somebody had the number, it rested, and since 15 March
    /// 2025 it is another's.
    pub fn cmcc_knows_new_holder(&self, number: &str) {
        self.cmcc_knows(
            number,
            &[("former", "2019-05-01", Some("2024-12-01")), ("present", "2025-03-15", None)],
        );
    }
}

pub fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

async fn operator(clock: &MockClock) -> (StandInOperator, Camara) {
    let time = clock.clone();
    let now: Now = Arc::new(move || time.now());
    let config = StandInConfig {
        client_id: "zhengming".into(),
        client_secret: "secret".into(),
        token_life_s: 3_600,
        records_from: day("2000-01-01"),
        now: now.clone(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let operator = StandInOperator::start(listener, config).unwrap();
    let config = CamaraConfig {
        base_url: operator.base_url(),
        token_url: operator.token_url(),
        client_id: "zhengming".into(),
        client_secret: "secret".into(),
        timeout_ms: 10_000,
        response_bytes_max: 65_536,
    };
    (operator, Camara::new(&config, now).unwrap())
}

async fn serve(service: &Arc<Service>, stop: &CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let ids = Arc::new(|| Uuid::from_u128(7));
    let server = Server::new(AcceptLimits::default(), TrustedProxies::default(), ids, routes(service));
    tokio::spawn(server.serve(listener, stop.clone()));
    address
}

fn elapsed(clock: &MockClock) -> Elapsed {
    let (clock, start) = (clock.clone(), clock.now());
    Elapsed::new(move || clock.now().duration_since(start).unsigned_abs())
}

#[derive(Debug, Default)]
struct RecordingSms {
    sent: Mutex<Vec<Message>>,
    stands_still: AtomicBool,
}

#[async_trait]
impl Sms for RecordingSms {
    async fn send(&self, message: &Message) -> Result<(), Unavailable> {
        if self.stands_still.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.sent.lock().unwrap().push(message.clone());
        Ok(())
    }
}
