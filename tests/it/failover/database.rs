//! A PostgreSQL server and its synchronous standby.

use std::io::{BufRead, BufReader, Lines, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tokio_postgres::NoTls;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/failover/pair.sh");

/// Both end with it.
pub struct Pair {
    ports: [u16; 2],
    orders: Option<ChildStdin>,
    said: Lines<BufReader<ChildStdout>>,
    script: Child,
}

impl Pair {
    pub fn start() -> Self {
        // The script deletes it.
        let dir = tempfile::tempdir().unwrap().keep();
        let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
        let mut command = Command::new("sh");
        command.arg(SCRIPT).arg(dir).args(ports.map(|port| port.to_string()));
        let mut script = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(script.stdout.take().unwrap()).lines();
        let mut pair = Self { ports, orders: script.stdin.take(), said, script };
        pair.hears("ready");
        pair
    }

    /// Whichever of them takes writes.
    pub fn url(&self) -> String {
        let [first, second] = self.ports;
        format!(
            "postgres://zhengming@127.0.0.1:{first},127.0.0.1:{second}/zhengming?target_session_attrs=read-write"
        )
    }

    /// SIGKILL, and nobody takes its place yet.
    pub fn dies(&mut self) {
        self.does("kill");
    }

    pub fn is_promoted(&mut self) {
        self.does("promote");
    }

    /// The first column of the only row.
    pub async fn count(&self, sql: &str) -> i64 {
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let row = client.query_one(sql, &[]).await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
        row.get(0)
    }

    fn does(&mut self, order: &str) {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
        self.hears(order);
    }

    fn hears(&mut self, word: &str) {
        let said = self.said.next().expect("postgresql is installed: see tests/all").unwrap();
        assert_eq!(said, word);
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.script.wait();
    }
}
