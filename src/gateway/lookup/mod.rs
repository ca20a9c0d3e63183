//! Providers that can be asked what they show for a number now.
//!
//! Absent: what a label means (a look-up answers with lines as of an upload),
//! how long to wait, when to ask again.

pub mod baidu;
pub mod http;

#[cfg(test)]
mod tests;

use crate::casework::ports::{NoAnswer, Unavailable};
use crate::gateway::exchange::{Received, alarm, later};

/// Two labels are a few hundred bytes.
const RESPONSE_BYTES_MAX: usize = 64 * 1024;

/// The body of an answer, where it is one.
fn body(received: &Received) -> Result<&[u8], NoAnswer> {
    match received.status.as_u16() {
        200 => Ok(&received.body),
        status @ (408 | 429 | 500..) => {
            let retry_after_s = received.retry_after_s;
            Err(Unavailable { retry_after_s, ..later(status.to_string()) }.into())
        }
        // Our key, our request or our address is wrong.
        status => Err(alarm(status.to_string()).into()),
    }
}
