//! Makes a story that fails as short as it can be and still fail.

use std::sync::Arc;

use zhengming::domain::reference::Reference;

use super::op::{Op, Scene};
use super::tell;

type Story = (Scene, Vec<Op>, String);

/// Leaves out ever smaller stretches, until nothing more can be left out.
pub fn shorten(scene: Scene, mut story: Vec<Op>, mut why: String, reference: &Arc<Reference>) -> Story {
    let mut stretch = story.len() / 2;
    while stretch > 0 {
        let mut at = 0;
        let before = story.len();
        while at < story.len() {
            let mut shorter = story.clone();
            shorter.drain(at..(at + stretch).min(story.len()));
            match tell(&scene, &shorter, reference) {
                Err(still) => (story, why) = (shorter, still),
                Ok(_) => at += stretch,
            }
        }
        if story.len() == before || stretch > 1 {
            stretch /= 2;
        }
    }
    (scene, story, why)
}
