//! The edge: the accept loop, what every route shares (the call, limits,
//! problems, bodies, negotiation, the request log), and the routes.
//!
//! Absent: rules, storage other than through `casework`, names of adapters,
//! TLS and HTTP/2 (the reverse proxy's).

pub mod client;
pub mod limits;
pub mod negotiate;
pub mod problem;
