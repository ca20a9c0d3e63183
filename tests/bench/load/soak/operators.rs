//! Operators: each minute, an upload of who left and who came.

use std::rc::Rc;

use tokio::time::{Instant, sleep_until};

use super::caller::{Call, Caller};
use super::{Soak, mix};
use crate::fill;

/// `cmcc` goes on where the store's first lines end, and `cucc` has numbers of
/// its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Cmcc,
    Cucc,
}

impl Operator {
    pub async fn pushes(self, soak: Rc<Soak>, key: String) {
        let (mut nth, mut due) = (0, Instant::now());
        let mut caller = Caller::new(&soak.place, 2_001_000 + self as u64);
        while due < soak.ends {
            sleep_until(due).await;
            let first = nth * mix::LINES_PER_UPLOAD / 2;
            let lines = |release| self.release(&soak, first + release);
            let body: String = (0..mix::LINES_PER_UPLOAD / 2).map(lines).collect();
            let call = Call::new("POST", "/v1/tenures").body("application/x-ndjson", body).bearer(&key);
            caller.hang_up();
            let call = call.field("idempotency-key", &format!("soak-{nth}"));
            if let Some(heard) = caller.ask("POST /v1/tenures (348 lines)", call).await {
                let taken = heard.json();
                assert_eq!(taken["accepted"], mix::LINES_PER_UPLOAD, "{taken}");
            }
            nth += 1;
            due += mix::period(mix::TENURE_UPLOADS_PER_OPERATOR_PER_HOUR);
        }
    }

    /// Both lines of one.
    fn release(self, soak: &Soak, nth: u64) -> String {
        let number = match self {
            Self::Cmcc => fill::number(soak.corrections + nth),
            Self::Cucc => fill::number(nth) - 800_000_000,
        };
        let line =
            |event, on| format!("{{\"number\":\"+{number}\",\"event\":\"{event}\",\"on\":\"{on}\"}}\n");
        line("disconnected", "2024-11-01") + &line("activated", "2025-03-01")
    }
}
