//! PostgreSQL's own way to take many rows.

use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::SinkExt;
use tokio_postgres::NoTls;

use crate::fill::number;
use crate::postgres::new_database;

/// As many lines as rows, into a table with a key and an index; durable when it returns.
pub async fn lines(lines: u64) -> Duration {
    let (client, connection) = tokio_postgres::connect(&new_database().await, NoTls).await.expect("it runs");
    tokio::spawn(connection);
    let table = "CREATE TABLE tenure_lines (number bigint, on_day date, event text, by text, at timestamptz, \
                 PRIMARY KEY (number, on_day, event)); CREATE INDEX ON tenure_lines (at)";
    client.batch_execute(table).await.expect("a new table");
    let began = Instant::now();
    let sink = client.copy_in("COPY tenure_lines FROM STDIN").await.expect("it takes rows");
    let mut sink = pin!(sink);
    for first in (0..lines).step_by(1_000) {
        let rows = (first..lines.min(first + 1_000)).map(|nth| {
            let (event, on) = if nth.is_multiple_of(2) {
                ("disconnected", "2024-11-01")
            } else {
                ("activated", "2025-03-01")
            };
            format!("{}\t{on}\t{event}\tcmcc\t2026-11-30 00:00:00+00\n", number(nth / 2))
        });
        sink.send(Bytes::from(rows.collect::<String>())).await.expect("it takes rows");
    }
    assert_eq!(sink.finish().await.expect("it takes rows"), lines);
    began.elapsed()
}
