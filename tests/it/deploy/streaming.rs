//! Answers that are waited for: nginx holds nothing back.

use super::gate::SOMEBODY;
use super::town::Town;
use crate::process::wire::get;

#[test]
fn events_come_as_they_happen() {
    let town = Town::new();
    let (key, operator) = (town.provider_key(), town.operator_key());
    let mut events = town.gate.begin(SOMEBODY, &get("/feed/v1/events").bearer(&key));
    events.says("HTTP/2 200");
    events.says("event: checkpoint");
    events.says("id: 0");
    for nth in 1..=3 {
        town.release(&operator, nth);
        events.says(&format!("id: {nth}"));
    }
    assert!(events.is_running(), "and more will come");
}

#[test]
fn a_long_poll_ends_when_there_is_a_correction() {
    let town = Town::new();
    let (key, operator) = (town.provider_key(), town.operator_key());
    for nth in 1..=3 {
        let path = format!("/feed/v1/corrections?after={}&wait=30", nth - 1);
        let poll = town.gate.begin(SOMEBODY, &get(&path).bearer(&key));
        town.release(&operator, nth);
        // Less than the patience that was asked for, or curl has lost its own.
        let answer = poll.ended().done();
        assert!(answer.contains(&format!("+86138{nth:08}")), "{answer}");
    }
}
