//! A request body that must keep coming.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::Deadline;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The client stopped sending in the middle of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no more of the body came in time")]
pub struct Stalled;

/// Fails with [`Stalled`] when no piece comes for `idle` while one is awaited,
/// and tells the deadline of every piece that does.
pub(super) struct Guarded<B = Incoming> {
    body: B,
    idle: Duration,
    /// Runs only while a piece is awaited.
    timer: Option<Pin<Box<Sleep>>>,
    is_waiting: bool,
    deadline: Deadline,
}

impl<B> Guarded<B> {
    pub(super) fn new(body: B, idle: Duration, deadline: Deadline) -> Self {
        Self { body, idle, timer: None, is_waiting: false, deadline }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let idle = self.idle;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(idle)));
        if !self.is_waiting {
            self.is_waiting = true;
            timer.as_mut().reset(Instant::now() + idle);
        }
        timer.as_mut().poll(cx)
    }
}

impl<B> Body for Guarded<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Cause>,
{
    type Data = Bytes;
    type Error = Cause;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cause>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.is_waiting = false;
            self.deadline.body_came();
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        self.deadline.body_awaited();
        self.poll_timer(cx).map(|()| Some(Err(Stalled.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
