//! Value types and their parsers, tenure arithmetic, the dispute's state
//! machine, the policy and its numbers, corrections, working days, refusals.
//!
//! Absent: async, input and output, clocks, randomness, logging, words of
//! HTTP or SQL, and anything whose order depends on hashing.

pub mod calendar;
pub mod catalog;
pub mod cluster;
pub mod control;
pub mod correction;
pub mod day;
pub mod dispute;
pub mod document;
pub mod effort;
pub mod evidence;
pub mod figures;
pub mod hex;
pub mod id;
pub mod label;
pub mod language;
pub mod lines;
pub mod listed;
pub mod name;
pub mod number;
pub mod number_file;
pub mod numbering;
pub mod opened;
pub mod phrase;
pub mod plain;
pub mod policy;
pub mod probing;
pub mod progress;
pub mod recycling;
pub mod reference;
pub mod refusal;
pub mod rules;
pub mod tenure;
#[cfg(test)]
mod testkit;
pub mod uscc;
pub mod webhook;
pub mod window;
