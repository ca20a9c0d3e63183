//! What an error of the database means for whoever called.

use std::error::Error;

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

use crate::store::StoreError;

/// How a statement or a transaction went wrong.
#[derive(Debug)]
pub enum Trouble {
    /// Two transactions were in each other's way; the same again may go well.
    Conflict,
    /// No no of the database's to the changeset: it cannot answer now.
    Away(String),
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<PoolError> for Trouble {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            PoolError::Timeout(_) => Self::Away("no connection is free".to_owned()),
            other => Self::Store(StoreError::Fatal(format!("postgres: {other}"))),
        }
    }
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(state) = error.code() else {
            // No answer at all: the connection broke, or was never made.
            return Self::Away(format!("postgres: {error}"));
        };
        if *state == SqlState::T_R_SERIALIZATION_FAILURE || *state == SqlState::T_R_DEADLOCK_DETECTED {
            return Self::Conflict;
        }
        let said = error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string);
        let said = format!("postgres: {said} ({})", state.code());
        if is_away(state) { Self::Away(said) } else { Self::Store(StoreError::Fatal(said)) }
    }
}

/// With its causes, which have the reason.
pub fn said(error: &PoolError) -> String {
    let mut error: &dyn Error = match error {
        PoolError::Backend(error) => error,
        other => other,
    };
    let mut said = error.to_string();
    while let Some(cause) = error.source() {
        said = format!("{said}: {cause}");
        error = cause;
    }
    said
}

/// Connections (08), resources (53), an operator's doing such as a shutdown
/// (57), a server that only reads, as a standby does before it is promoted, and
/// a transaction that was ended because this process stood still in it.
fn is_away(state: &SqlState) -> bool {
    let class = &state.code()[..2];
    ["08", "53", "57"].contains(&class)
        || *state == SqlState::READ_ONLY_SQL_TRANSACTION
        || *state == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
}

impl Trouble {
    /// Outside of a transaction that could be tried again.
    pub fn into_store_error(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Conflict => StoreError::Busy("transactions keep being in each other's way"),
            Self::Away(why) => {
                tracing::warn!(%why, "the database cannot be asked");
                StoreError::Busy("the database cannot be asked")
            }
        }
    }
}
