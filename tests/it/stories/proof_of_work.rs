//! Proof of work before a code is sent.

use serde_json::{Value, json};
use zhengming::casework::Settings;

use crate::support::{Answer, Setup, World, seconds};

const NUMBER: &str = "+8613800138000";

#[tokio::test]
async fn a_proof_of_work_is_spent_once() {
    let settings = Settings { altcha_max_number: 20, ..Setup::default().settings };
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    world.asks_for_code(NUMBER).await.refused(422, "proof_of_work");
    let challenge = world.client.get("/v1/challenge", "").await.ok(200);
    assert_eq!((&challenge["algorithm"], &challenge["maxnumber"]), (&json!("SHA-256"), &json!(20)));
    let body = json!({ "number": NUMBER, "method": "sms_code", "altcha": solved(&challenge.body) });
    world.client.post("/v1/verifications", "", &body).await.ok(201);
    let before = world.changes();
    world.client.post("/v1/verifications", "", &body).await.refused(422, "proof_of_work");
    assert_eq!(world.changes(), before);
}

#[tokio::test]
async fn proofs_cost_more_the_more_codes_are_asked_for() {
    let settings = Settings { altcha_max_number: 5, sms_per_minute: 8, ..Setup::default().settings };
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let hoarded = world.client.get("/v1/challenge", "").await.ok(200);
    let hoarded_too = world.client.get("/v1/challenge", "").await.ok(200);
    let mut efforts = Vec::new();
    for nth in 0..8 {
        let challenge = world.client.get("/v1/challenge", "").await.ok(200);
        efforts.push(challenge["maxnumber"].as_u64().unwrap());
        world.hands_in(&format!("+861380013800{nth}"), &challenge).await.ok(201);
    }
    assert_eq!(efforts, [5, 5, 10, 10, 20, 20, 40, 40]);
    // Cheap ones that were kept for this are good for two minutes only.
    world.advance(seconds(119));
    world.hands_in(NUMBER, &hoarded).await.ok(201);
    world.advance(seconds(1));
    world.hands_in(NUMBER, &hoarded_too).await.refused(422, "proof_of_work");
    // The load has gone: so has the price, and what was left is good again.
    world.advance(seconds(120));
    assert_eq!(world.client.get("/v1/challenge", "").await.ok(200)["maxnumber"], 5);
    world.hands_in(NUMBER, &hoarded).await.refused(422, "proof_of_work");
    world.hands_in(NUMBER, &hoarded_too).await.ok(201);
}

#[tokio::test]
async fn a_proof_lasts_no_longer_than_was_signed() {
    let settings = Settings { altcha_max_number: 2_000, ..Setup::default().settings };
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    // One whose number has two digits or more.
    let (mut challenge, mut number) = (world.client.get("/v1/challenge", "").await.ok(200), 0);
    while number < 10 {
        challenge = world.client.get("/v1/challenge", "").await.ok(200);
        number = found(&challenge.body);
    }
    world.advance(seconds(599));
    world.hands_in(NUMBER, &challenge).await.ok(201);
    // After the claim is forgotten: the number's first digits put into the
    // salt, where they would prolong it, hash to the same.
    world.advance_days(2);
    world.casework.purge().await.unwrap();
    let salt = challenge["salt"].as_str().unwrap();
    let digits = number.to_string();
    for taken in 1..digits.len() {
        let mut spliced = challenge.body.clone();
        spliced["salt"] = json!(format!("{salt}{}", &digits[..taken]));
        spliced["number"] = json!(digits[taken..].parse::<u64>().unwrap());
        let body = json!({ "number": NUMBER, "method": "sms_code", "altcha": encoded(&spliced) });
        world.client.post("/v1/verifications", "", &body).await.refused(422, "proof_of_work");
    }
}

impl World {
    async fn hands_in(&self, number: &str, challenge: &Answer) -> Answer {
        let body = json!({ "number": number, "method": "sms_code", "altcha": solved(&challenge.body) });
        self.client.post("/v1/verifications", "", &body).await
    }
}

fn found(challenge: &Value) -> u64 {
    use sha2::{Digest, Sha256};
    let (salt, wanted) = (challenge["salt"].as_str().unwrap(), challenge["challenge"].as_str().unwrap());
    let hash = |number: u64| -> String {
        let digest = Sha256::digest(format!("{salt}{number}"));
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    (0..=challenge["maxnumber"].as_u64().unwrap()).find(|number| hash(*number) == wanted).unwrap()
}

fn solved(challenge: &Value) -> String {
    let mut solution = challenge.clone();
    solution["number"] = json!(found(challenge));
    encoded(&solution)
}

fn encoded(solution: &Value) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(solution.to_string())
}
