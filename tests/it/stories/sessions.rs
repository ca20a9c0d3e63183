//! Moderators at the door: logging in, guessing, and the end of a session.

use serde_json::json;
use zhengming::casework::actors::Owner;
use zhengming::http::limits::LimitsConfig;
use zhengming::store::Role;

use crate::support::{PASSWORD, Setup, World, seconds};

#[tokio::test]
async fn name_password_and_code_are_all_needed() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Senior).await;
    assert!(alice.token.starts_with("zms_"));
    alice.get("queue").await.ok(200);

    // The code that has logged in once does not do so again.
    let before = world.changes();
    let used = world.totp("alice").await;
    world.logs_in("alice", PASSWORD, &used).await.refused(401, "login_wrong");
    world.advance(seconds(30));
    let code = world.totp("alice").await;
    let other = if code == "000000" { "000001" } else { "000000" };
    world.logs_in("alice", PASSWORD, other).await.refused(401, "login_wrong");
    world.logs_in("alice", "wrong password", &code).await.refused(401, "login_wrong");
    world.logs_in("nobody", PASSWORD, &code).await.refused(401, "login_wrong");
    world.logs_in("No Body!", PASSWORD, &code).await.refused(401, "login_wrong");
    world.logs_in("alice", &"x".repeat(5_000), &code).await.refused(401, "login_wrong");
    assert_eq!(world.changes(), before);

    let session = world.logs_in("alice", PASSWORD, &code).await.ok(200);
    assert_eq!(
        (&session["role"], &session["expires_at"]),
        (&json!("senior"), &json!("2026-11-23T15:00:30Z"))
    );
    assert_eq!(session.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn sessions_end() {
    let world = World::new().await;
    let alice = world.moderator("alice", Role::Moderator).await;
    let bob = world.moderator("bob", Role::Moderator).await;
    let owner = Owner::at_the_command_line();
    world.casework.disable_moderator(owner, &"bob".parse().unwrap()).await.unwrap();
    bob.get("queue").await.refused(401, "unauthenticated");
    world.advance(seconds(12 * 3_600));
    alice.get("queue").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn guessing_passwords_is_slow() {
    let limits = LimitsConfig { logins_per_address_per_minute: 2, ..Setup::default().limits };
    let world = World::with(Setup { limits, ..Setup::default() }).await;
    for _ in 0..2 {
        world.logs_in("alice", PASSWORD, "000000").await.refused(401, "login_wrong");
    }
    let refused = world.logs_in("alice", PASSWORD, "000000").await.refused(429, "too_many_requests");
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(world.changes(), 0);
}

#[tokio::test]
async fn an_account_is_guessed_slowly_from_anywhere() {
    let limits = LimitsConfig { logins_per_account_per_hour: 2, ..Setup::default().limits };
    let world = World::with(Setup { limits, ..Setup::default() }).await;
    world.moderator("alice", Role::Moderator).await;
    // Whether or not there is such an account. Alice logged in once.
    for (name, left) in [("alice", 1), ("nobody", 2)] {
        for _ in 0..left {
            world.logs_in(name, "guess", "000000").await.refused(401, "login_wrong");
        }
        world.logs_in(name, "guess", "000000").await.refused(429, "too_many_requests");
    }
    world.logs_in("carol", "guess", "000000").await.refused(401, "login_wrong");
    world.logs_in("No Body!", "guess", "000000").await.refused(401, "login_wrong");
}

#[tokio::test]
async fn no_route_opens_without_a_session() {
    let world = World::new().await;
    let holder = world.holder("+8613800138000").await;
    let before = world.changes();
    let id = "0197f3a2-7e1c-7cc3-98c4-dc0c0c07398f";
    for path in ["queue", "batches", "audit", &format!("disputes/{id}")] {
        let path = format!("/v1/moderation/{path}");
        for token in ["", holder.token.as_str(), "zms_AAAA"] {
            world.client.get(&path, token).await.refused(401, "unauthenticated");
        }
    }
    for path in [
        "next".to_owned(),
        format!("disputes/{id}/decision"),
        format!("disputes/{id}/release"),
        "corrections/0/revert".to_owned(),
        format!("batches/{id}/release"),
        format!("batches/{id}/discard"),
    ] {
        let path = format!("/v1/moderation/{path}");
        world.client.post(&path, &holder.token, &json!({})).await.refused(401, "unauthenticated");
    }
    assert_eq!(world.changes(), before);
}
