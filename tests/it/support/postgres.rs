//! One real PostgreSQL server for all tests of this process, which ends with
//! it; each test has a database of its own.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::OnceCell;
use tokio_postgres::NoTls;
use zhengming::store::postgres::{PostgresOptions, PostgresStore};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/postgres.sh");
/// What new databases are copied from.
const TEMPLATE: &str = "template_zhengming";

pub struct Postgres {
    pub port: u16,
    /// Its input is ours: it ends when we do.
    _server: Child,
}

impl Postgres {
    pub fn start() -> Self {
        // A static is never dropped: the script deletes it.
        let dir = tempfile::tempdir().unwrap().keep();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("sh");
        command.arg(SCRIPT).arg(dir).arg(port.to_string());
        let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "ready\n", "postgresql is installed: see tests/all");
        Self { port, _server: server }
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://zhengming@127.0.0.1:{}/{database}", self.port)
    }

    pub async fn order(&self, sql: &str) {
        let (client, connection) = tokio_postgres::connect(&self.url("postgres"), NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
    }
}

/// The address of a new database with our schema.
pub async fn new_database() -> String {
    static SERVER: OnceCell<Postgres> = OnceCell::const_new();
    static NTH: AtomicU64 = AtomicU64::new(0);
    let server = SERVER.get_or_init(|| async {
        let server = Postgres::start();
        server.order(&format!("CREATE DATABASE {TEMPLATE}")).await;
        drop(PostgresStore::open(&PostgresOptions::new(&server.url(TEMPLATE))).await.unwrap());
        server
    });
    let server = server.await;
    let name = format!("test_{}", NTH.fetch_add(1, Ordering::Relaxed));
    server.order(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}")).await;
    server.url(&name)
}
