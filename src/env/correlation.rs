//! Which request all this is for: the id under which its answer, its commits,
//! the tasks that follow from it, the questions to operators and the publication
//! of what it came to are found in the log.
//!
//! It goes along with the work, as a span does, and not through every argument:
//! nothing is decided by it. What goes on later has it kept with its task.

use tokio::task_local;
use uuid::Uuid;

task_local! {
    static REQUEST_ID: Option<Uuid>;
}

/// Of the work at hand; `None` for what the service does of itself.
pub fn current() -> Option<Uuid> {
    REQUEST_ID.try_with(|id| *id).ok().flatten()
}

/// Does work for a request.
pub async fn with<T>(id: Option<Uuid>, work: impl Future<Output = T>) -> T {
    REQUEST_ID.scope(id, work).await
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_has_its_own_and_no_others() {
        let id = |nth| Some(Uuid::from_u128(nth));
        assert_eq!(current(), None);
        let inner = with(id(1), async {
            let inner = with(id(2), async { current() }).await;
            (inner, current(), tokio::spawn(async { current() }).await.unwrap())
        });
        assert_eq!(inner.await, (id(2), id(1), None));
        assert_eq!(current(), None);
    }
}
