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

/// Use cases: load, decide purely, commit once, follow up; the worker that
/// gathers evidence. Never: HTTP's types, SQL, rules.
pub mod casework;
/// The composition root: arguments, configuration, wiring, offline verbs, the
/// demo. Never: anything that another room needs.
pub mod cli;
/// Value types and their parsers, tenures, the decision table, the dispute's
/// state machine, corrections, working days, refusals. Never: async, input and
/// output, clocks, randomness, logging.
pub mod domain;
/// Clock, entropy, signals, the log's subscriber, files with keys, threads of the
/// lowest priority, HTTP clients. Never: logic.
pub mod env;
/// The log's bytes, its Merkle tree, pages, snapshots, acknowledgements, lag. Never:
/// deciding what is corrected.
pub mod feed;
/// The world outside: SMS, operators, webhooks. Never: rules.
pub mod gateway;
/// The accept loop, routes, parsing, actors at the door, the one table from
/// refusal to status, limits. Never: rules, storage but through `casework`.
pub mod http;
/// The store's promise in prose, records and their encodings, and the engines
/// that keep it. Never: decisions, clocks.
pub mod store;
