//! Moderators: a look at the desk and at the queue, and a case if there is one,
//! decided by turns.

use std::rc::Rc;

use serde_json::json;
use tokio::time::{Instant, sleep_until};
use totp_rs::Totp;
use zhengming::env::clock::{Clock, SystemClock};

use super::caller::{Call, Caller};
use super::{Soak, mix};

pub const PASSWORD: &str = "correct horse battery";

/// `uri` is what an authenticator was given.
pub async fn works(soak: Rc<Soak>, nth: u64, name: String, uri: String) {
    let mut caller = Caller::new(&soak.place, 2_000_000 + nth);
    let now = SystemClock.now().as_second() as u64;
    let totp = Totp::from_url(uri.trim_end()).expect("it is one").generate(now).to_string();
    let log_in = json!({ "name": name, "password": PASSWORD, "totp": totp });
    let call = Call::post("/v1/moderation/session", &log_in);
    let Some(session) = caller.ask("POST /v1/moderation/session", call).await else { return };
    let token = session.text("token");
    let period = mix::period(mix::DESK_ROUNDS_PER_HOUR);
    let mut due = Instant::now() + period.mul_f64(nth as f64 / mix::MODERATORS as f64);
    let mut round = nth;
    while due < soak.ends {
        sleep_until(due).await;
        caller.hang_up();
        // What went wrong is noted; the next round comes.
        let _ = at_the_desk(&mut caller, &token, round).await;
        round += 1;
        due += period;
    }
}

async fn at_the_desk(caller: &mut Caller, token: &str, round: u64) -> Option<()> {
    let page = |path: &str| Call::get(path).field("cookie", &format!("zm_session={token}"));
    caller.ask("GET /console", page("/console")).await?;
    let queue = Call::get("/v1/moderation/queue").bearer(token);
    caller.ask("GET /v1/moderation/queue", queue).await?;
    let next = Call::post("/v1/moderation/next", &json!({})).bearer(token);
    let case = caller.ask("POST /v1/moderation/next", next).await?;
    if case.status == 204 {
        return Some(());
    }
    let (case, id) = (case.json(), case.text("id"));
    caller.ask("GET /console/disputes/{id}", page(&format!("/console/disputes/{id}"))).await?;
    let decision = json!({
        "decision": if round.is_multiple_of(2) { "approve" } else { "refuse" },
        "reason_code": "looked_at_it",
        "public_note": "给您的说明",
        "version": case["version"],
    });
    let path = format!("/v1/moderation/disputes/{id}/decision");
    caller
        .ask("POST /v1/moderation/disputes/{id}/decision", Call::post(&path, &decision).bearer(token))
        .await?;
    Some(())
}
