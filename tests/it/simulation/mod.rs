//! A town of random people, over the real use cases: they prove, file, lie,
//! mark, push and decide, processes are killed under them, and after every
//! step all that the service promises is compared with the store and with the
//! truth.
//!
//! A story that fails is made shorter and printed as the list that tells it
//! again; once the bug is fixed, that list is kept in `reproductions`.
//!
//! `ZHENGMING_SIMULATION_RUNS` tells more stories than usual,
//! `ZHENGMING_SIMULATION_SEED` others.

mod case_checks;
mod checks;
mod deeds;
mod disk;
mod life;
mod moderators;
mod op;
mod reproductions;
mod shorten;
mod town;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use zhengming::domain::correction::EntryReason;
use zhengming::domain::reference::Reference;

use crate::support::dice::Dice;
use op::{Op, Scene};
use town::Town;

const RUNS: u64 = 200;
const STEPS: usize = 60;

#[test]
fn no_story_breaks_a_promise() {
    let runs = from_environment("ZHENGMING_SIMULATION_RUNS").unwrap_or(RUNS);
    let first = from_environment("ZHENGMING_SIMULATION_SEED").unwrap_or(1);
    let reference = Arc::new(Reference::built_in());
    for seed in first..first + runs {
        let mut dice = Dice::new(seed);
        let scene = Scene::draw(&mut dice);
        let story = op::draw_story(&mut dice, STEPS);
        if let Err(why) = tell(&scene, &story, &reference) {
            let (scene, story, why) = shorten::shorten(scene, story, why, &reference);
            panic!("seed {seed}: {why}\n{scene:?}\n&{story:?}");
        }
    }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Tells a story, up to where a promise is broken, or to the end; says then
/// why each entry of the log was written.
fn tell(scene: &Scene, story: &[Op], reference: &Arc<Reference>) -> Result<Vec<EntryReason>, String> {
    let telling = AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut town = Town::new(scene, reference);
            for (at, op) in story.iter().enumerate() {
                town.step(*op).await.map_err(|why| format!("after {}, {op:?}: {why}", at + 1))?;
            }
            Ok(town.seen.entries.iter().map(|entry| entry.reason).collect())
        })
    });
    catch_unwind(telling).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.or(panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default())
    })
}
