//! The service as it is deployed: real nginx with the configuration that we
//! ship, before two instances over one PostgreSQL; the unit, as systemd
//! reads it; and the Debian package that it comes in.
//!
//! Absent: a unit that runs (that takes a machine of its own), and what the
//! service answers where nobody stands between (`process`).

mod caching;
mod callers;
mod failing;
mod gate;
mod package;
mod streaming;
mod town;
mod unit;
mod uploads;
