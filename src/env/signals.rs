//! How the shell and the supervisor tell the process to end.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels the token on the first SIGTERM or SIGINT.
///
/// From then on later ones do nothing: whoever holds the token drains within
/// a deadline of its own.
pub fn cancel_on_signal(token: CancellationToken) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            () = token.cancelled() => return,
        };
        tracing::info!(signal = name, "asked to end; draining");
        token.cancel();
    });
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::process::Command;

    use super::*;

    #[tokio::test]
    async fn sigterm_cancels_the_token() {
        let token = CancellationToken::new();
        cancel_on_signal(token.clone()).unwrap();
        assert!(!token.is_cancelled());
        // $PPID is this process, which now has a handler.
        let sent = Command::new("sh").args(["-c", "kill -TERM $PPID"]).status().unwrap();
        assert!(sent.success());
        token.cancelled().await;
    }
}
