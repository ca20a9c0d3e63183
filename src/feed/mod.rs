//! The feed: the log of corrections as providers see it.
//!
//! Absent: deciding what is corrected, writing entries (they come with their
//! decision's commit), words of HTTP, who may ask.

pub mod render;
pub mod tree;
