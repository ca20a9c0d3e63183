//! 正名 Zhengming: the number-marking (号码标记) correction service.
//!
//! A correction is a dated fact about a number: "this number has had a new
//! subscriber since then; marks that rest on earlier reports are void".
//!
//! The rooms, and what may name what (an arrow reads "may name"; everything
//! may name `domain`, `domain` names no other room):
//!
//! ```text
//!             cli   composition root: the only room that sees everything
//!              |
//!    +---------+---------+-------------+
//!   http      feed     gateway     store::{memory, sled}
//!    |          |         |             |
//!  casework ----+---------+             v               v
//!    |   \                          store (port)      env
//!    v    +--------------------------> ^
//!  domain <----------------------------+
//! ```
//!
//! Two sideways arrows only: `http` names `feed` (it serves its bytes), and
//! `gateway` names `casework::ports` (the traits that it implements).
//! `tests/it/tidy.rs` guards these arrows.

pub mod casework;
pub mod cli;
pub mod domain;
pub mod env;
pub mod feed;
pub mod gateway;
pub mod http;
pub mod store;
