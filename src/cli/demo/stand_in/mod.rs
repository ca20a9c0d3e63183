//! A small operator that speaks CAMARA, for the demo and for tests: a table of
//! subscriptions behind a token endpoint and the three APIs, on a loopback
//! socket, answering as the definitions say.
//!
//! Absent: tokens that name a subscriber (three-legged ones), match
//! attributes other than name and document, and contract types.

mod desk;
mod records;
mod server;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::StatusCode;
use jiff::civil::Date;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::domain::number::Number;
use crate::domain::uscc::Uscc;
use crate::gateway::Now;
use desk::Desk;

/// One subscriber's contract for a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Who it is: a holder that comes back has the same id again.
    pub holder: String,
    pub name: String,
    pub uscc: Option<Uscc>,
    /// The day it was signed, the first one that it covers.
    pub from: Date,
    /// The day it was cancelled, the first one that it no longer covers.
    pub until: Option<Date>,
}

pub struct StandInConfig {
    pub client_id: String,
    pub client_secret: String,
    pub token_life_s: u64,
    /// Dates before this day are out of range: nobody kept records then.
    pub records_from: Date,
    pub now: Now,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    Tenure,
    Recycling,
    Match,
}

/// A well-formed question about a number, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub api: Api,
    pub number: Number,
    /// Tenure and recycling ask for a day.
    pub day: Option<Date>,
    pub correlator: Option<String>,
}

/// The running operator. Dropped, it answers what is under way and closes.
pub struct StandInOperator {
    address: SocketAddr,
    desk: Arc<Desk>,
    _stop: DropGuard,
}

impl StandInOperator {
    /// Serves on a loopback listener, within the present runtime.
    pub fn start(listener: TcpListener, config: StandInConfig) -> io::Result<Self> {
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            let why = "the stand-in operator serves on loopback addresses only";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let desk = Arc::new(Desk::new(config));
        let stop = CancellationToken::new();
        tokio::spawn(server::serve(listener, Arc::clone(&desk), stop.clone()));
        Ok(Self { address, desk, _stop: stop.drop_guard() })
    }

    /// CAMARA's `apiRoot`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn token_url(&self) -> String {
        format!("{}{}", self.base_url(), server::TOKEN_PATH)
    }

    /// All contracts that a number ever had; none makes it unknown.
    pub fn set(&self, number: Number, history: Vec<Contract>) {
        self.desk.set(number, history);
    }

    /// From now on every question about the number gets this status.
    pub fn answer_with_status(&self, number: Number, status: StatusCode) {
        self.desk.fail(number, Some(status));
    }

    /// Ends `answer_with_status`.
    pub fn answer_again(&self, number: Number) {
        self.desk.fail(number, None);
    }

    /// Tokens that are out stop working.
    pub fn revoke_tokens(&self) {
        self.desk.revoke_tokens();
    }

    /// How often it was asked since it started.
    pub fn asked_count(&self) -> u64 {
        self.desk.asked_count()
    }

    /// What it was asked, oldest first; the newest thousand.
    pub fn asked(&self) -> Vec<Asked> {
        self.desk.asked()
    }
}

impl fmt::Debug for StandInConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandInConfig").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for StandInOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandInOperator").field("address", &self.address).finish_non_exhaustive()
    }
}
