//! An hour of mixed traffic in ten minutes, and what it leaves: memory and
//! descriptors that do not grow, disputes that are all there, and a log that
//! adds up.

mod caller;
mod checks;
mod gauges;
mod holders;
mod mix;
mod moderators;
mod operators;
mod phones;
mod providers;
mod record;

use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::date;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::{JoinSet, LocalSet, spawn_local};
use tokio::time::Instant;
use zhengming::cli::demo::stand_in::{StandInConfig, StandInOperator};
use zhengming::env::clock::{Clock, SystemClock};

use self::caller::Place;
use self::gauges::Gauges;
use self::operators::Operator;
use self::phones::Phones;
use self::providers::Provider;
use self::record::Record;
use crate::Size;
use crate::fill::filled;
use crate::program::{Program, Serving, free_address, keep};

const CORRECTIONS: u64 = 1_000_000;
const TRIAL_CORRECTIONS: u64 = 2_000;
/// Longer than anybody keeps a connection.
const QUIET_WITHIN: Duration = Duration::from_secs(100);
/// Of the service's listener for text messages' reports, and of the operator's
/// API.
const SMS_TOKEN: &str = "gateway-0123456789abcdef";
const CLIENT_ID: &str = "bench";
const CLIENT_SECRET: &str = "only-for-the-bench";

/// Limits are the default ones; those of a minute and of a day let through as
/// many times more as time is faster. All callers have addresses of their own;
/// the audit afterwards takes thousands of tiles from one.
const CONFIG: &str = r#"
admin_listen = "{admin}"
disk_free_bytes_min = 0
data_dir = "data"
store = "sled:data/db"
trusted_proxies = ["127.0.0.1"]

[feed]
publish_releases = "all"

[sms]
gateway = "http"
url = "http://{sms}/send"
hmac_key_file = "sms.key"
inbound_token_file = "sms.token"

[[operators]]
id = "ctcc"
gateway = "camara"
base_url = "{operator}"
token_url = "{token}"
client_id = "bench"
client_secret_file = "ctcc.secret"
follows_ports = true

[limits]
requests_per_address_per_second = 100000
sms_per_minute = 3600
releases_per_operator_per_day = 1500000
"#;

/// What everybody in it knows.
struct Soak {
    place: Rc<Place>,
    phones: Rc<Phones>,
    operator: StandInOperator,
    ends: Instant,
    corrections: u64,
    /// Of the log, as far as anybody has seen.
    size: Cell<u64>,
    filed: RefCell<Vec<Filed>>,
}

/// A dispute that was answered for.
#[derive(Debug, Clone)]
struct Filed {
    id: String,
    token: String,
}

/// Keys and accounts.
struct Credentials {
    providers: Vec<String>,
    operators: Vec<(Operator, String)>,
    /// Names, and what their authenticators were given.
    moderators: Vec<(String, String)>,
}

pub fn measure(size: &Size) -> String {
    let corrections = if size.is_bench { CORRECTIONS } else { TRIAL_CORRECTIONS };
    // Proofs of work are done on threads of their own.
    let runtime = Runtime::new().expect("a runtime");
    let mix = mix::table(size.lasts.as_secs(), corrections);
    format!("{mix}\n{}", LocalSet::new().block_on(&runtime, play(size, corrections)))
}

async fn play(size: &Size, corrections: u64) -> String {
    let there = filled(corrections);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let sms = listener.local_addr().expect("it is bound");
    let operator = stand_in().await;
    let program = configured(there.folder.path(), sms, &operator);
    let serving = program.serve(None);
    let credentials = credentials(&program);
    let place = Rc::new(Place { address: serving.address, record: Record::default() });
    let phones = Rc::new(Phones::default());
    spawn_local(phones::serve(phones.clone(), listener, place.clone(), SMS_TOKEN.to_owned()));
    let gauges = Gauges::idle(&serving);
    let soak = Rc::new(Soak {
        place,
        phones,
        operator,
        ends: Instant::now() + size.lasts,
        corrections,
        size: Cell::new(corrections),
        filed: RefCell::default(),
    });
    let gauges = everybody(&soak, credentials, gauges, &serving, size).await;
    let checks = checks::after(&soak, &program, &serving, there.folder.path()).await;
    let quiet = if size.is_bench { QUIET_WITHIN } else { Duration::ZERO };
    let gauges = gauges.idle_again(&serving, soak.size.get(), quiet).await;
    format!("{}\n{}\n{}", soak.place.record.table(), gauges.table(), checks.table(size, &gauges))
}

/// Until all have ended.
async fn everybody(
    soak: &Rc<Soak>,
    credentials: Credentials,
    gauges: Gauges,
    serving: &Serving,
    size: &Size,
) -> Gauges {
    let mut people = JoinSet::new();
    people.spawn_local(holders::come(soak.clone()));
    for (nth, key) in (0..).zip(&credentials.providers) {
        people.spawn_local(Provider::new(soak, nth, key).follows());
        people.spawn_local(Provider::new(soak, nth, key).looks_up());
    }
    people.spawn_local(providers::upload_labels(soak.clone(), Rc::new(credentials.providers)));
    for (operator, key) in credentials.operators {
        people.spawn_local(operator.pushes(soak.clone(), key));
    }
    for (nth, (name, uri)) in (0..).zip(credentials.moderators) {
        people.spawn_local(moderators::works(soak.clone(), nth, name, uri));
    }
    let gauges = gauges.watch(serving, soak, size.lasts).await;
    while let Some(ended) = people.join_next().await {
        ended.expect("nobody panics");
    }
    gauges
}

async fn stand_in() -> StandInOperator {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let config = StandInConfig {
        client_id: CLIENT_ID.to_owned(),
        client_secret: CLIENT_SECRET.to_owned(),
        token_life_s: 300,
        records_from: date(2010, 1, 1),
        now: Arc::new(|| SystemClock.now()),
    };
    StandInOperator::start(listener, config).expect("it listens")
}

fn configured(dir: &Path, sms: SocketAddr, operator: &StandInOperator) -> Program {
    for (name, secret) in
        [("sms.key", CLIENT_SECRET), ("sms.token", SMS_TOKEN), ("ctcc.secret", CLIENT_SECRET)]
    {
        keep(&dir.join(name), secret);
    }
    let config = CONFIG
        .replace("{admin}", &free_address().to_string())
        .replace("{sms}", &sms.to_string())
        .replace("{operator}", &operator.base_url())
        .replace("{token}", &operator.token_url());
    Program::configured(dir, &config)
}

/// Made while it serves.
fn credentials(program: &Program) -> Credentials {
    const KNOWN: [&str; 4] = ["tencent", "baidu", "dianhuabang", "sogou"];
    let name = |nth: u64| KNOWN.get(nth as usize).map_or(format!("provider-{nth}"), |id| (*id).to_owned());
    let providers = (0..mix::PROVIDERS).map(|nth| program.issue_key(&format!("provider {}", name(nth))));
    let operators = [(Operator::Cmcc, "cmcc"), (Operator::Cucc, "cucc")];
    let operators = operators.map(|(operator, id)| (operator, program.issue_key(&format!("operator {id}"))));
    let moderators = (0..mix::MODERATORS).map(|nth| {
        let name = format!("moderator-{nth}");
        let add = format!("moderator add {name} --role moderator --password-stdin");
        let uri = program.says(&add, moderators::PASSWORD);
        (name, uri)
    });
    Credentials {
        providers: providers.collect(),
        operators: operators.into(),
        moderators: moderators.collect(),
    }
}
