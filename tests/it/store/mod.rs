//! The store's promise, kept by every engine.

mod contract;
mod crash;
mod engines;
mod everything;
mod listings;
mod sled;
mod twins;
