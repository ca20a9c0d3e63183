//! The world as the service finds it: time, chance, signals, the log's
//! subscriber, what is counted, which request work is for, what the system says of
//! the process, files and what they are, threads behind all others, clients that
//! call others.
//!
//! Absent: logic. What needs the hour or a random number takes a `Clock` or
//! an `Entropy` as an argument, so that tests and the demo can bring theirs.

pub mod background;
pub mod calls;
pub mod clock;
pub mod correlation;
pub mod digest;
pub mod entropy;
pub mod files;
pub mod metrics;
pub mod process;
pub mod secret_files;
pub mod signals;
pub mod telemetry;
