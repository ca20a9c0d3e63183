//! What several rooms' tests use.

pub mod audit;
pub mod dice;
pub mod records;
pub mod service;
