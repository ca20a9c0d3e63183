//! The store's promise, kept by every engine.

mod contract;
mod crash;
pub mod engines;
mod everything;
mod listings;
pub mod sled;
pub mod twins;
