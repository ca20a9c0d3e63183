//! How far the log has come, also by the commits of other instances: asked for
//! every little while. `log_size` only grows.

use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::store::postgres::OpenError;
use crate::store::postgres::error::Trouble;
use crate::store::postgres::head::size;

pub async fn start(pool: &Pool, every: Duration) -> Result<(watch::Sender<u64>, DropGuard), OpenError> {
    let known = asked(pool).await.map_err(|trouble| OpenError::Away(format!("{trouble:?}")))?;
    let sender = watch::Sender::new(known);
    let (pool, following, stop) = (pool.clone(), sender.clone(), CancellationToken::new());
    let stopped = stop.clone();
    tokio::spawn(async move {
        while stopped.run_until_cancelled(sleep(every)).await.is_some() {
            // Whoever commits or reads says that the database is away.
            if let Ok(size) = asked(&pool).await {
                grown(&following, size);
            }
        }
    });
    Ok((sender, stop.drop_guard()))
}

pub fn grown(log_size: &watch::Sender<u64>, size: u64) {
    log_size.send_if_modified(|known| {
        let is_more = size > *known;
        *known = size.max(*known);
        is_more
    });
}

async fn asked(pool: &Pool) -> Result<u64, Trouble> {
    let client = pool.get().await?;
    let statement = client.prepare_cached("SELECT log_size FROM store_head WHERE one = 1").await?;
    Ok(size(client.query_one(&statement, &[]).await?.get(0))?)
}
