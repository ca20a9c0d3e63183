//! The edge: the accept loop, what every route shares (the call, limits,
//! problems, bodies, negotiation, the request log), and the routes.
//!
//! How a route is built, from outside in: path and end (typed warp filters),
//! then `call::call`, then `by_method!` over async
//! functions that take a `Call` and return an
//! `Answer`. A warp rejection means "not my route" and
//! nothing else.
//!
//! Absent: rules, storage other than through `casework`, names of adapters,
//! TLS and HTTP/2 (the reverse proxy's).

// First, for its `by_method!` is in scope of what follows.
#[macro_use]
pub mod call;

pub mod accept;
pub mod admin;
pub mod assets;
pub mod body;
pub mod client;
pub mod docs;
pub mod feed;
pub mod holders;
pub mod limits;
pub mod meters;
pub mod moderation;
pub mod multipart;
pub mod negotiate;
pub mod pages;
pub mod problem;
mod query;
pub mod range;
pub mod recycling;
mod regressed;
mod reply;
mod request_log;
pub mod service;
pub mod sms;
pub mod templates;
mod text;
pub mod uploads;
pub mod words;
