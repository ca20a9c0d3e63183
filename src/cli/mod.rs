//! The composition root: arguments, configuration, wiring, offline verbs.
//!
//! Absent: anything that another room needs.

pub mod args;
pub mod config;
pub mod demo;
