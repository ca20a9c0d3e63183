//! The console at a desk.

use zhengming::http::limits::LimitsConfig;
use zhengming::store::Role;

use super::person::Person;
use crate::support::{PASSWORD, Setup, World, seconds};

impl Person<'_> {
    /// As a moderator whom the world knows, with the password that all have.
    pub async fn logs_in(&self, name: &str) {
        self.opens("/console/login").await;
        self.fills_in_login(name).await;
        self.presses("登录").await;
    }

    pub async fn fills_in_login(&self, name: &str) {
        // A code is good once, and the last may be of this half minute.
        self.world.clock.advance(seconds(30));
        self.sets("name", name).await;
        self.types("password", PASSWORD).await;
        self.types("totp", &self.world.totp(name).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_does_not_keep_out_who_was_in_before() {
    let limits = LimitsConfig { logins_per_account_per_hour: 2, ..Setup::default().limits };
    let world = World::with(Setup { limits, ..Setup::default() }).await;
    world.moderator("alice", Role::Moderator).await;
    let alice = Person::at_a_desk(&world, "zh-CN", "console-known").await;
    alice.logs_in("alice").await;
    alice.reads("等待审核").await;
    alice.presses("退出").await;
    alice.reads("审核员登录").await;
    world.logs_in("alice", "guess", "000000").await.refused(429, "too_many_requests");
    let elsewhere = Person::at_a_desk(&world, "zh-CN", "console-elsewhere").await;
    elsewhere.logs_in("alice").await;
    elsewhere.reads("操作太频繁了").await;
    alice.logs_in("alice").await;
    alice.reads("等待审核").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_logs_in_wrong_learns_nothing() {
    let world = World::with(Setup::default()).await;
    world.moderator("alice", Role::Moderator).await;
    let person = Person::at_a_desk(&world, "zh-CN", "console-login").await;
    person.opens("/console").await;
    person.reads("审核员登录").await;
    person.shoots("1-asked").await;
    for (name, password) in [("nobody", PASSWORD), ("alice", "not her password"), ("alice", PASSWORD)] {
        person.opens("/console/login").await;
        person.types("password", password).await;
        person.types("totp", "000000").await;
        person.sets("name", name).await;
        person.presses("登录").await;
        person.reads("用户名、密码或动态验证码不对").await;
    }
    person.shoots("2-wrong").await;
    person.logs_in("alice").await;
    person.reads("等待审核").await;
    person.shoots("3-in").await;
    person.presses("退出").await;
    person.reads("审核员登录").await;
    person.opens("/console").await;
    person.reads("审核员登录").await;
}
