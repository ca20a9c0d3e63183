//! The integration tests, one binary: each module looks at the service from
//! one side.
#![allow(clippy::unwrap_used)]

mod edge;
