//! An engine's end: told once to whoever watches, and to every caller from
//! then on.

use std::sync::OnceLock;

use tokio::sync::watch;

use crate::store::StoreError;

/// The first error, from which there is no way back in this process.
#[derive(Debug)]
pub struct Failure {
    why: OnceLock<String>,
    failed: watch::Sender<bool>,
}

impl Failure {
    pub fn new() -> Self {
        Self { why: OnceLock::new(), failed: watch::Sender::new(false) }
    }

    /// Becomes true with the first error.
    pub fn failed(&self) -> watch::Receiver<bool> {
        self.failed.subscribe()
    }

    /// The first reason is the one that is told from then on.
    pub fn fail(&self, why: String) -> StoreError {
        let why = self.why.get_or_init(|| why);
        self.failed.send_replace(true);
        StoreError::Fatal(why.clone())
    }

    pub fn note(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Fatal(why) => self.fail(why),
            no => no,
        }
    }

    pub fn check(&self) -> Result<(), StoreError> {
        match self.why.get() {
            None => Ok(()),
            Some(why) => Err(StoreError::Fatal(why.clone())),
        }
    }
}
