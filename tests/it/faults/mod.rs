//! What must not happen while everything else goes wrong: an answer that is
//! not true, and an acknowledged write that is gone.
//!
//! Each trial is short here and long in `tests/trials`, which prints what they
//! tell as a table.

mod clocks;
mod damage;
mod descriptors;
mod full;
mod killed;
mod partners;
mod questions;
mod slow;
mod stranger;
