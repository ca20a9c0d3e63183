//! A clock that jumps by hours, forward and back, under a running service:
//! everybody goes on, and what was acknowledged stays.

use super::killed::filers::{Filing, prove};
use super::killed::log::Log;
use super::killed::pushers::Batch;
use crate::process::child::Server;
use crate::process::clock::Clock;
use crate::process::house::{House, only_word};
use crate::process::wire::get;
use crate::support::dice::Dice;
use crate::support::trial;

const HOUR_S: i64 = 3_600;
const JUMP_HOURS_MAX: i64 = 30;

fn serve(clock: &Clock) -> Server {
    let mut command = clock.command("serve");
    command.env("ZHENGMING_LIMITS__RELEASES_PER_OPERATOR_PER_DAY", "10000000");
    Server::start(command)
}

#[test]
fn a_clock_that_jumps_loses_nothing_and_stops_nobody() {
    let jumps = trial::rounds(4, 200);
    let mut dice = Dice::new(trial::seed(5));
    let house = House::new();
    let provider = only_word(&house.run("key issue provider tencent --name 腾讯", "").done(), "zmp_");
    let operator = only_word(&house.run("key issue operator cmcc --name 移动", "").done(), "zmo_");
    let clock = Clock::of(&house);
    let server = serve(&clock);
    let address = server.public;
    let mut batches = Vec::new();
    for nth in 0..jumps {
        let hours = i64::try_from(dice.roll(2 * JUMP_HOURS_MAX as u64 + 1)).unwrap() - JUMP_HOURS_MAX;
        clock.is_off_by(hours * HOUR_S);
        let number = format!("+86139{nth:08}");
        let token = prove(address, &house.phone, &number).expect("it answers");
        let mut filing = Filing::new(number, token, format!("jump-{nth}"));
        let filed = filing.send(address).expect("it answers").ok(201);
        let view = get(&format!("/v1/disputes/{}", filed.text("id"))).bearer(&filed.text("token"));
        view.at(address).ok(200);
        let mut batch = Batch::new(nth);
        let told = batch.push(&operator, address).expect("it answers").ok(200);
        assert_eq!(told.json()["corrections"], 300);
        batches.push(batch);
        // Published, whatever the time is said to be.
        Log { address, provider: &provider }.beyond((nth + 1) * 300 - 1);
    }
    for batch in &batches {
        assert_eq!(batch.repeated(&operator, address).json()["corrections"], 300);
    }
    server.stopped().done();
    // At the right time again.
    clock.is_off_by(0);
    let server = serve(&clock);
    let page = get(&format!("/feed/v1/corrections?after={}", jumps * 300)).bearer(&provider);
    page.at(server.public).ok(200);
    server.stopped().done();
    assert!(house.run("store check", "").done().contains("Everything is in order"));
    let came = "everybody went on, nothing lost";
    trial::tell("a clock that jumps by up to 30 hours, both ways", jumps, came);
}
