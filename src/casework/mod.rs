//! Use cases: load, decide purely, commit once, follow up.

pub mod ports;
