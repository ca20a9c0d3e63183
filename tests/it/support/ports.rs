//! Ports for programs that cannot choose one themselves. They lie below those
//! that the system gives out, so that nobody is given one meanwhile.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

const FIRST: u32 = 15_000;
const COUNT: u32 = 17_000;

static TAKEN: AtomicU32 = AtomicU32::new(0);

/// One that nobody has, and that is not given twice.
pub fn free() -> u16 {
    // Another run of the tests begins elsewhere.
    let begin = std::process::id().wrapping_mul(7_919);
    let mut ports = std::iter::repeat_with(|| {
        let nth = begin.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed));
        u16::try_from(FIRST + nth % COUNT).unwrap()
    });
    ports.by_ref().take(COUNT as usize).find(|port| TcpListener::bind(("0.0.0.0", *port)).is_ok()).unwrap()
}
