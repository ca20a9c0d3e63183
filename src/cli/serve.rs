//! `zhengming serve`: the house, its two listeners, its worker and whoever
//! tells webhooks, until a signal or a failed store ends it.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::Failed;
use crate::cli::config::Config;
use crate::cli::first_run::Found;
use crate::cli::house::{House, World};
use crate::env::entropy::uuid_v7;
use crate::env::files;
use crate::feed::snapshot::Rhythm;
use crate::http::accept::{AcceptLimits, RequestIds, Server};
use crate::http::client::TrustedProxies;
use crate::http::service::App;
use crate::http::{admin, service};

/// How often rates forget callers that have gone.
const PURGE_EVERY_S: u64 = 60;
/// Connections that wait to be let in. Beyond it the kernel answers nothing,
/// and whoever calls tries again after a second, then two, then four.
const BACKLOG: u32 = 4_096;
/// Files and connections that are open for nobody in particular: the store's,
/// the log's, those to other houses, and who waits at the admin listener.
const DESCRIPTORS_KEPT: u64 = 320;
/// A caller's connection, and the file that it uploads or downloads.
const DESCRIPTORS_PER_CALLER: u64 = 2;
/// Fewer are no service.
const CONNECTIONS_MIN: usize = 16;
/// The admin listener is for the owner, a supervisor and a scraper.
const ADMIN_CONNECTIONS_MAX: usize = 64;

/// A service that listens.
#[derive(Debug)]
pub struct Running {
    pub app: App,
    pub public: SocketAddr,
    pub admin: SocketAddr,
    tasks: JoinSet<Result<(), Failed>>,
    stop: CancellationToken,
    /// Held to the end.
    _lock: Option<File>,
}

impl Running {
    /// Binds both listeners and starts everything; `stop` drains and ends it.
    pub async fn start(config: &Config, world: &World, stop: &CancellationToken) -> Result<Self, Failed> {
        let connections_max = places(config.limits.connections_max, files::descriptors_max())?;
        let House { app, mut store_failed, lock } = House::build(config, world).await?;
        let taken_up = app.casework.take_up_uploads().await;
        taken_up.map_err(|error| Failed::new("uploads from before", &error))?;
        let swept = app.casework.sweep_documents().await;
        swept.map_err(|error| Failed::new("documents from before", &error))?;
        let public = bind(config.listen)?;
        let admin = bind(config.admin_listen)?;
        let mut running = Self {
            app: app.clone(),
            public: address(&public)?,
            admin: address(&admin)?,
            tasks: JoinSet::new(),
            stop: stop.clone(),
            _lock: lock,
        };
        let proxies = TrustedProxies::new(config.trusted_proxies.clone());
        let limits = AcceptLimits { connections_max, ..AcceptLimits::default() };
        let server = Server::new(limits, proxies, request_ids(world), service::routes(&app))
            .counted(&app.requests, "public");
        running.serve(server, public);
        let limits = AcceptLimits { connections_max: ADMIN_CONNECTIONS_MAX, ..AcceptLimits::default() };
        let server = Server::new(limits, TrustedProxies::default(), request_ids(world), admin::routes(&app))
            .counted(&app.requests, "admin");
        running.serve(server, admin);

        let (publisher, stopped) = (app.clone(), stop.clone());
        let interval = Duration::from_millis(config.feed.checkpoint_interval_ms);
        running.tasks.spawn(async move {
            let published = publisher.feed.publish_until(&stopped, interval).await;
            published.map_err(|error| Failed::new("the publisher", &error))
        });
        running.keep_snapshots(config, world);
        let (worker, stopped) = (app.clone(), stop.clone());
        running.tasks.spawn(async move {
            worker.casework.work(&stopped).await.map_err(|error| Failed::new("the worker", &error))
        });
        let (teller, stopped) = (app.clone(), stop.clone());
        running.tasks.spawn(async move {
            let told = teller.casework.tell_webhooks(teller.feed.published(), &stopped).await;
            told.map_err(|error| Failed::new("telling webhooks", &error))
        });
        let (follower, stopped) = (app.clone(), stop.clone());
        running.tasks.spawn(async move {
            follower.casework.follow_publication(follower.feed.published(), &stopped).await;
            Ok(())
        });
        let stopped = stop.clone();
        running.tasks.spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => Ok(()),
                Ok(_) = store_failed.wait_for(|failed| *failed) => Err(Failed::because("the store has failed")),
            }
        });
        let stopped = stop.clone();
        running.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = stopped.cancelled() => return Ok(()),
                    () = tokio::time::sleep(Duration::from_secs(PURGE_EVERY_S)) => app.limits.purge(),
                }
            }
        });
        Ok(running)
    }

    fn keep_snapshots(&mut self, config: &Config, world: &World) {
        let (app, stop, clock) = (self.app.clone(), self.stop.clone(), world.clock.clone());
        let rhythm = Rhythm {
            snapshot_interval_s: config.feed.snapshot_interval_s,
            keep_entries_days: config.feed.keep_entries_days,
        };
        self.tasks.spawn(async move {
            app.snapshots.snapshot_until(&app.feed, clock.as_ref(), &rhythm, &stop).await;
            Ok(())
        });
    }

    fn serve(&mut self, server: Server, listener: TcpListener) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let drained = server.serve(listener, stop).await;
            if drained.cut > 0 {
                tracing::warn!(requests = drained.cut, "cut at the drain deadline");
            }
            Ok(())
        });
    }

    /// Waits for the end. The first part that fails takes the others with it.
    pub async fn ended(mut self) -> Result<(), Failed> {
        let mut outcome = Ok(());
        while let Some(part) = self.tasks.join_next().await {
            let part = part.unwrap_or_else(|error| Err(Failed::new("a part of the service", &error)));
            if let Err(failed) = part {
                self.stop.cancel();
                outcome = outcome.and(Err(failed));
            }
        }
        outcome
    }
}

/// `named`: the configuration's file, where one was named.
pub async fn serve(config: &Config, named: Option<&Path>, world: &World) -> Result<(), Failed> {
    let stop = CancellationToken::new();
    crate::env::signals::cancel_on_signal(stop.clone()).map_err(|error| Failed::new("signals", &error))?;
    let found = Found::look(config);
    let running = Running::start(config, world, &stop).await?;
    found.tell(config, named, running.public);
    tracing::info!(listen = %running.public, admin_listen = %running.admin, "serving");
    running.ended().await?;
    tracing::info!("ended");
    Ok(())
}

/// How many callers there may be at once: as many as wanted (0: any number),
/// unless they would take the descriptors that the store needs.
fn places(wanted: u32, descriptors: u64) -> Result<usize, Failed> {
    let wanted = if wanted == 0 { Semaphore::MAX_PERMITS } else { wanted as usize };
    let possible = descriptors.saturating_sub(DESCRIPTORS_KEPT) / DESCRIPTORS_PER_CALLER;
    let possible = usize::try_from(possible).unwrap_or(usize::MAX);
    if possible < wanted.min(CONNECTIONS_MIN) {
        let why = format!("the process may have only {descriptors} files and connections open at once");
        return Err(Failed::because(&why).hint("raise that: LimitNOFILE in the unit, `ulimit -n` in a shell"));
    }
    if possible < wanted && wanted < Semaphore::MAX_PERMITS {
        tracing::warn!(
            connections_max = possible,
            descriptors,
            "fewer callers at once than connections_max says"
        );
    }
    Ok(wanted.min(possible))
}

fn bind(address: SocketAddr) -> Result<TcpListener, Failed> {
    let bound = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // Restarted at once, it need not wait for its former connections.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bound().map_err(|error| Failed::new(&format!("listening on {address}"), &error))
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Failed> {
    listener.local_addr().map_err(|error| Failed::new("a listener", &error))
}

fn request_ids(world: &World) -> RequestIds {
    let world = world.clone();
    Arc::new(move || uuid_v7(world.clock.as_ref(), world.entropy.as_ref()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn callers_leave_the_store_its_descriptors() {
        assert_eq!(places(10_000, 20_480).unwrap(), 10_000);
        assert_eq!(places(10_000, 1_024).unwrap(), 352);
        assert_eq!(places(0, 1_024).unwrap(), 352);
        assert_eq!(places(0, u64::MAX).unwrap(), Semaphore::MAX_PERMITS);
        assert_eq!(places(4, 328).unwrap(), 4);
        for descriptors in [0, 64, 320, 351] {
            let why = places(10_000, descriptors).unwrap_err().to_string();
            assert!(why.contains("LimitNOFILE"), "{why}");
        }
    }
}
