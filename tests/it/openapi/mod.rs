//! `/openapi.json` and the service say the same. Each test of any room whose
//! client comes through `exchange` or `hold` is one of these tests too.

mod check;
mod document;
mod itself;
mod requests;

pub use check::{Seen, exchange, hold};
