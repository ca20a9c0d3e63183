//! The service as it is deployed: the unit, as systemd reads it.
//!
//! Absent: a unit that runs; that takes a machine of its own.

mod unit;
