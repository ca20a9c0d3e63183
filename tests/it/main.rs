//! The integration tests, in one binary so that they link once: each module
//! looks at the service from one side.
#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

mod assets_http;
mod browser;
mod copies;
mod deploy;
mod edge;
mod events_http;
mod failover;
mod faults;
mod feed_http;
mod fuzz;
mod hostile;
mod kannel;
mod openapi;
mod operators;
mod process;
mod public_pages;
mod publishing;
mod schemathesis;
mod simulation;
mod snapshots_http;
mod store;
mod stories;
mod support;
mod tidy;
mod tlog;
mod uploads_http;
mod watching;
mod zms;
