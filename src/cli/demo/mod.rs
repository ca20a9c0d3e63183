//! The demo: a service of its own in a temporary folder, and the main job
//! played over HTTP in front of the reader, each step one line with its time.

mod caller;
mod partner;
pub mod stand_in;
mod story;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use jiff::civil::date;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::casework::actors::Owner;
use crate::casework::owner::{Order, Outcome};
use crate::cli::Failed;
use crate::cli::config::{
    Config, OperatorApi, OperatorConfig, OperatorGateway, SecretFile, SmsGateway, StoreUrl,
};
use crate::cli::house::World;
use crate::cli::serve::Running;
use crate::domain::reference::Reference;
use crate::env::secret_files;
use crate::http::service::App;
use crate::store::{Grant, Role};
use stand_in::{Contract, StandInConfig, StandInOperator};

/// Where messages to holders arrive.
const OUTBOX: &str = "outbox.ndjson";
const CLIENT_ID: &str = "zhengming-demo";
const CLIENT_SECRET: &str = "only-for-the-demo";
const TOKEN_LIFE_S: u64 = 300;
const MODERATOR: &str = "shenhe";
const MODERATOR_PASSWORD: &str = "demo only, thrown away";

/// What each audience gets to try things with.
struct Credentials {
    pub providers: Vec<(&'static str, String)>,
    pub operators: Vec<(&'static str, String)>,
    pub moderator_uri: String,
}

pub async fn demo(listen: SocketAddr, once: bool, world: &World) -> Result<(), Failed> {
    let folder = tempfile::Builder::new().prefix("zhengming-demo-").tempdir();
    let folder = folder.map_err(|error| Failed::new("a temporary folder", &error))?;
    let operator = start_operator(world).await?;
    let config = config(listen, folder.path(), &operator)?;
    let stop = CancellationToken::new();
    crate::env::signals::cancel_on_signal(stop.clone()).map_err(|error| Failed::new("signals", &error))?;
    let running = Running::start(&config, world, &stop).await?;
    println!("正名 Zhengming demo: http://{} (data in {})\n", running.public, folder.path().display());

    let credentials = credentials(&running.app).await?;
    let base = format!("http://{}", running.public);
    let told = story::play(&base, folder.path(), &operator, &credentials, world).await;
    if once || told.is_err() {
        stop.cancel();
        running.ended().await?;
        return told;
    }
    print_credentials(&base, &running, folder.path(), &credentials);
    running.ended().await
}

/// An operator with the two contracts that the story is about: a courier's,
/// given up in November 2024, and the present holder's, since March 2025.
async fn start_operator(world: &World) -> Result<StandInOperator, Failed> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.map_err(|error| Failed::new("the stand-in operator", &error))?;
    let clock = world.clock.clone();
    let config = StandInConfig {
        client_id: CLIENT_ID.to_owned(),
        client_secret: CLIENT_SECRET.to_owned(),
        token_life_s: TOKEN_LIFE_S,
        records_from: date(2010, 1, 1),
        now: Arc::new(move || clock.now()),
    };
    let operator = StandInOperator::start(listener, config);
    let operator = operator.map_err(|error| Failed::new("the stand-in operator", &error))?;
    let number = Reference::built_in().numbering.parse(story::HOLDERS_NUMBER);
    let number = number.map_err(|error| Failed::new("the holder's number", &error))?;
    let contract = |holder: &str, from, until| Contract {
        holder: holder.to_owned(),
        name: holder.to_owned(),
        uscc: None,
        from,
        until,
    };
    operator.set(
        number,
        vec![
            contract("the courier", date(2021, 6, 1), Some(date(2024, 11, 20))),
            contract("the present holder", date(2025, 3, 12), None),
        ],
    );
    Ok(operator)
}

fn config(listen: SocketAddr, folder: &Path, operator: &StandInOperator) -> Result<Config, Failed> {
    let secret_file = folder.join("operator-secret");
    secret_files::write_text(&secret_file, CLIENT_SECRET)
        .map_err(|error| Failed::new("the demo's folder", &error))?;
    let parse = |id: &str| id.parse().expect("the demo's operator ids are slugs");
    let camara = OperatorApi {
        base_url: operator.base_url(),
        token_url: operator.token_url(),
        client_id: CLIENT_ID.to_owned(),
        client_secret_file: SecretFile {
            path: secret_file,
            key: "client_secret_file".to_owned(),
            place: "the demo".to_owned(),
        },
        timeout_ms: 3_000,
    };
    Ok(Config {
        listen,
        admin_listen: (Ipv4Addr::LOCALHOST, 0).into(),
        public_url: format!("http://{listen}"),
        data_dir: folder.to_owned(),
        store: StoreUrl::Sled(folder.join("db")),
        sms: crate::cli::config::SmsConfig {
            gateway: SmsGateway::Outbox { outbox_file: folder.join(OUTBOX) },
            ..Config::default().sms
        },
        operators: vec![
            OperatorConfig {
                id: parse("cmcc"),
                name: "中国移动".to_owned(),
                gateway: OperatorGateway::Camara(camara),
                follows_ports: true,
            },
            OperatorConfig {
                id: parse("ctcc"),
                name: "中国电信".to_owned(),
                gateway: OperatorGateway::Ledger,
                follows_ports: false,
            },
        ],
        ..Config::default()
    })
}

async fn credentials(app: &App) -> Result<Credentials, Failed> {
    let owner = Owner::at_the_command_line();
    let issue = async |grant: Grant, name: &str| {
        let order = Order::IssueKey { grant, name: name.to_owned() };
        match app.casework.carry_out(owner.clone(), order).await {
            Ok(Outcome::Key { key, .. }) => Ok(key),
            Ok(_) => Err(Failed::because("a key was ordered and something else came")),
            Err(error) => Err(Failed::new("a key", &error)),
        }
    };
    let mut providers = Vec::new();
    for id in ["tencent", "baidu", "dianhuabang", "harmonyos", "qihoo360"] {
        let provider = id.parse().expect("the demo's provider ids are slugs");
        providers.push((id, issue(Grant::Provider(provider), id).await?));
    }
    let mut operators = Vec::new();
    for id in ["cmcc", "ctcc"] {
        let operator = id.parse().expect("the demo's operator ids are slugs");
        operators.push((id, issue(Grant::Operator(operator), id).await?));
    }
    let name = MODERATOR.parse().expect("the demo's moderator has a slug for a name");
    let order = Order::AddModerator { name, role: Role::Admin, password: MODERATOR_PASSWORD.to_owned() };
    match app.casework.carry_out(owner.clone(), order).await {
        Ok(Outcome::OtpauthUri(moderator_uri)) => Ok(Credentials { providers, operators, moderator_uri }),
        Ok(_) => Err(Failed::because("a moderator was ordered and something else came")),
        Err(error) => Err(Failed::new("a moderator", &error)),
    }
}

fn print_credentials(base: &str, running: &Running, folder: &Path, credentials: &Credentials) {
    println!("\nStill serving; end with Ctrl-C, and everything is thrown away.\n");
    println!("  holders      {base}/   codes arrive in {}/{OUTBOX}", folder.display());
    for (id, key) in &credentials.providers {
        println!("  provider     {id:<12} {key}");
    }
    for (id, key) in &credentials.operators {
        println!("  operator     {id:<12} {key}");
    }
    println!("  moderator    {MODERATOR:<12} password \"{MODERATOR_PASSWORD}\"");
    println!("               {}", credentials.moderator_uri);
    println!("  admin        http://{}/readyz", running.admin);
    let verifier = running.app.feed.verifier();
    println!("\n  the log's key (providers take it from you, once):\n\n      {verifier}\n");
    println!("  zhengming mirror --url {base} --key-file KEY --out DIR --verifier '{verifier}'");
    let receipt = folder.join(story::RECEIPT);
    println!("  zhengming feed verify-receipt {} --verifier '{verifier}'", receipt.display());
}
