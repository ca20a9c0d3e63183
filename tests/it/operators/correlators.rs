//! Under which name an operator is asked.

use super::wire::Door;
use super::{Ends, NEW_HOLDER, NUMBER, TIMEOUT_MS, clock, ends, knows, world};
use crate::support::day;

/// Every request of a world has it.
const REQUEST_ID: &str = "00000000-0000-0000-0000-000000000007";

/// The worker runs in no request: what it knows was kept with the task.
#[tokio::test]
async fn it_begins_with_the_id_of_the_request_that_filed_and_is_each_exchanges_own() {
    let clock = clock();
    let door = Door::open(&clock, day("2000-01-01")).await;
    let world = world(&clock, vec![door.asked("cmcc", true, TIMEOUT_MS)]).await;
    knows(&door, &world, NUMBER, NEW_HOLDER);
    let dispute = world.holder(NUMBER).await.files_reassigned("2025-03").await;
    world.work().await;
    let correlators = door.correlators();
    assert_eq!(correlators.len(), 3, "{correlators:?}");
    for (nth, correlator) in correlators.iter().enumerate() {
        let own = correlator.strip_prefix(REQUEST_ID).and_then(|rest| rest.strip_prefix('.'));
        assert_eq!(own.map(str::len), Some(8), "{correlator}");
        assert!(!correlators[..nth].contains(correlator), "{correlators:?}");
    }
    ends(&world, &dispute, NUMBER, Ends::VoidBefore("2025-01-30")).await;
}
