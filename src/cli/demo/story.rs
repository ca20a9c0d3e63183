//! The story: a number is released and corrected before anybody asks; another
//! holder disputes hers with a month; the operator answers, the correction is
//! published, providers' mirrors verify, take and acknowledge it, and she keeps
//! the receipt.

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cli::Failed;
use crate::cli::demo::caller::Caller;
use crate::cli::demo::partner::{self, Partner};
use crate::cli::demo::stand_in::StandInOperator;
use crate::cli::demo::{Credentials, OUTBOX};
use crate::cli::house::World;
use crate::domain::hex::hex;
use crate::feed::note::NoteVerifier;
use crate::feed::receipt::Receipt;

pub const HOLDERS_NUMBER: &str = "+8613800138001";
const RELEASED_NUMBER: &str = "+8618900138002";
const HOLDERS_MONTH: &str = "2025-03";
/// D = 2025-03-31 + 29 days, E = D - 90: all before E + 1 day is void.
const HOLDERS_VOID_BEFORE: &str = "2025-01-30";

/// Where she keeps it.
pub const RECEIPT: &str = "receipt.tlog-proof";

const CSV: &str = "text/csv";
const NDJSON: &str = "application/x-ndjson";

macro_rules! fixture {
    ($path:literal) => {
        include_str!(concat!("../../../fixtures/demo/", $path))
    };
}

const LABELS: [(&str, &str, &str); 5] = [
    ("tencent", CSV, fixture!("labels/tencent.csv")),
    ("baidu", NDJSON, fixture!("labels/baidu.ndjson")),
    ("dianhuabang", CSV, fixture!("labels/dianhuabang.csv")),
    ("harmonyos", NDJSON, fixture!("labels/harmonyos.ndjson")),
    ("qihoo360", CSV, fixture!("labels/qihoo360.csv")),
];
const TENURES: [(&str, &str, &str); 2] =
    [("cmcc", CSV, fixture!("tenures/cmcc.csv")), ("ctcc", NDJSON, fixture!("tenures/ctcc.ndjson"))];

/// How long the demo waits for what the worker does by itself.
const PATIENCE_MS: u64 = 10_000;
const LOOK_EVERY_MS: u64 = 20;

struct Story<'a> {
    caller: Caller,
    base: &'a str,
    /// The service's, and ours.
    folder: &'a Path,
    operator: &'a StandInOperator,
    credentials: &'a Credentials,
    world: &'a World,
    step_began: jiff::Timestamp,
    filed_at: jiff::Timestamp,
}

pub async fn play(
    base: &str,
    folder: &Path,
    operator: &StandInOperator,
    credentials: &Credentials,
    world: &World,
) -> Result<(), Failed> {
    let step_began = world.clock.now();
    let mut story = Story {
        caller: Caller::new(base)?,
        base,
        folder,
        operator,
        credentials,
        world,
        step_began,
        filed_at: step_began,
    };
    story.load().await?;
    story.release().await?;
    let token = story.prove_control().await?;
    story.see_labels(&token).await?;
    let (path, dispute_token) = story.file(&token).await?;
    story.decided(&path, &dispute_token).await?;
    story.mirror_and_acknowledge(&path, &dispute_token).await?;
    story.take_receipt(&path, &dispute_token).await
}

impl Story<'_> {
    /// One line for a step, with the time it took.
    fn told(&mut self, what: &str) {
        let now = self.world.clock.now();
        println!("  {:>5} ms  {what}", now.duration_since(self.step_began).as_millis());
        self.step_began = now;
    }

    async fn load(&mut self) -> Result<(), Failed> {
        for (provider, media_type, body) in LABELS {
            let key = key_of(&self.credentials.providers, provider)?;
            let answer = self.caller.post("/v1/labels").bearer(key).body(media_type, body);
            let tally = answer.wants(StatusCode::OK).await?.json()?;
            nothing_rejected(provider, &tally)?;
            self.told(&format!("{provider} uploads what it shows: {} labels", tally["accepted"]));
        }
        for (operator, media_type, body) in TENURES {
            let key = key_of(&self.credentials.operators, operator)?;
            let answer = self.caller.post("/v1/tenures").bearer(key).body(media_type, body);
            let tally = answer.wants(StatusCode::OK).await?.json()?;
            nothing_rejected(operator, &tally)?;
            let (lines, corrections) = (&tally["accepted"], &tally["corrections"]);
            self.told(&format!(
                "{operator} pushes {lines} tenure lines; numbers corrected unasked: {corrections}"
            ));
        }
        Ok(())
    }

    /// A number at rest goes to a new subscriber today.
    async fn release(&mut self) -> Result<(), Failed> {
        let today = shanghai()?.to_datetime(self.world.clock.now()).date();
        let line = json!({"number": RELEASED_NUMBER, "event": "activated", "on": today}).to_string();
        let key = key_of(&self.credentials.operators, "ctcc")?;
        let answer = self.caller.post("/v1/tenures").bearer(key).body(NDJSON, line + "\n");
        let tally = answer.wants(StatusCode::OK).await?.json()?;
        holds(tally["corrections"] == 1, "the release is corrected before the answer")?;
        let path = format!("/feed/v1/corrections/{}", RELEASED_NUMBER.trim_start_matches('+'));
        let key = key_of(&self.credentials.providers, "tencent")?;
        let entry = self.published(&path, key).await?;
        holds(entry["reason"] == "released", "the feed says that the number was released")?;
        holds(entry["void_before"] == json!(today), "marks from before today are void")?;
        self.told(&format!(
            "{RELEASED_NUMBER} is released: marks from before {today} are void, nobody had to ask"
        ));
        Ok(())
    }

    async fn prove_control(&mut self) -> Result<String, Failed> {
        let challenge = self.caller.get("/v1/challenge").wants(StatusCode::OK).await?.json()?;
        let altcha = solve(&challenge)?;
        let body = json!({"number": HOLDERS_NUMBER, "method": "sms_code", "altcha": altcha});
        let started = self.caller.post("/v1/verifications").json(&body);
        let started = started.wants(StatusCode::CREATED).await?.json()?;
        let code = self.code_from_outbox().await?;
        let id = text(&started, "id")?;
        let confirm =
            self.caller.post(&format!("/v1/verifications/{id}/confirm")).json(&json!({"code": code}));
        let confirmed = confirm.wants(StatusCode::OK).await?.json()?;
        self.told(&format!(
            "another holder proves that {HOLDERS_NUMBER} is in her hands: no name, no ID number"
        ));
        text(&confirmed, "token").map(str::to_owned)
    }

    /// The code, out of the outbox that stands in for her phone.
    async fn code_from_outbox(&self) -> Result<String, Failed> {
        self.patiently("the code arrives", async || {
            let sent = tokio::fs::read_to_string(self.folder.join(OUTBOX)).await.unwrap_or_default();
            let messages = sent.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let text = messages.into_iter().find(|message| message["to"] == HOLDERS_NUMBER);
            let text = text.and_then(|message| message["text"].as_str().map(str::to_owned))?;
            let codes = text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 6);
            codes.map(|code| Ok(code.to_owned()))
        })
        .await
    }

    async fn see_labels(&mut self, token: &str) -> Result<(), Failed> {
        let mine = self.caller.get("/v1/labels").bearer(token).wants(StatusCode::OK).await?.json()?;
        let labels = mine["labels"].as_array().map(Vec::as_slice).unwrap_or_default();
        holds(labels.len() == 5, "she sees five labels")?;
        let shown: Vec<String> = labels
            .iter()
            .map(|label| format!("{} {}", plain(&label["provider_name"]), plain(&label["text"])))
            .collect();
        self.told(&format!("she sees what is shown about her number: {}", shown.join(", ")));
        Ok(())
    }

    async fn file(&mut self, token: &str) -> Result<(String, String), Failed> {
        let labels = json!([
            {"provider": "tencent", "category": "express"},
            {"provider": "baidu", "category": "express"},
            {"provider": "dianhuabang", "name": "迅达快递同安驿站"},
        ]);
        let body = json!({"reason": "reassigned", "opened": HOLDERS_MONTH, "labels": labels});
        self.filed_at = self.world.clock.now();
        let filing = self.caller.post("/v1/disputes").bearer(token).header("idempotency-key", "demo-1");
        let filed = filing.json(&body).wants(StatusCode::CREATED).await?;
        let location = filed.headers.get("location").and_then(|value| value.to_str().ok());
        let path = location.ok_or_else(|| Failed::because("a filing has a Location"))?.to_owned();
        let filed = filed.json()?;
        self.told(&format!(
            "she files: \"mine since about {HOLDERS_MONTH}\"; an answer is due by {}",
            plain(&filed["due_on"])
        ));
        Ok((path, text(&filed, "token")?.to_owned()))
    }

    async fn decided(&mut self, path: &str, token: &str) -> Result<(), Failed> {
        let dispute = self
            .patiently("the dispute is decided", async || match self.dispute(path, token).await {
                Ok(dispute) if dispute["status"] == "checking" => None,
                // Decided, and not published before the next checkpoint.
                Ok(dispute) if dispute["status"] == "corrected" && dispute["correction"].is_null() => None,
                decided => Some(decided),
            })
            .await?;
        holds(dispute["status"] == "corrected", "the dispute is decided by rule")?;
        holds(dispute["correction"]["void_before"] == HOLDERS_VOID_BEFORE, "void_before is E + 1 day")?;
        let asked = self.operator.asked_count();
        holds(asked == 3, "the operator was asked three questions")?;
        self.told(&format!(
            "the operator answers {asked} yes/no questions; published: marks from before {HOLDERS_VOID_BEFORE} are void"
        ));
        let took = self.world.clock.now().duration_since(self.filed_at);
        println!("            from filing to publication: {} ms", took.as_millis());
        Ok(())
    }

    /// Everybody else takes the key from the owner, once; here it is fetched.
    async fn verifier(&self) -> Result<NoteVerifier, Failed> {
        let line = self.caller.get("/feed/v1/key").wants(StatusCode::OK).await?.body;
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.parse().map_err(|error| Failed::new("the log's key", &error))
    }

    async fn mirror_and_acknowledge(&mut self, path: &str, token: &str) -> Result<(), Failed> {
        let verifier = self.verifier().await?;
        for (provider, format) in partner::FORMATS {
            let key = key_of(&self.credentials.providers, provider)?;
            let partner = Partner::new(self.folder.join("mirrors").join(provider), format);
            let round = partner.catch_up(self.base, key, verifier.clone()).await?;
            holds(round.is_acknowledged, "the service knows how far the mirror is")?;
            let void_before = partner.void_before(HOLDERS_NUMBER)?;
            holds(void_before.as_deref() == Some(HOLDERS_VOID_BEFORE), "the mirrored correction is hers")?;
            self.told(&format!(
                "{provider} mirrors {} entries into {}: signature and root verified, acknowledged",
                round.new,
                partner.file_name()
            ));
        }
        let dispute = self.dispute(path, token).await?;
        let providers = dispute["providers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let serving = providers.iter().filter(|provider| provider["status"] == "serving").count();
        holds(!providers.is_empty() && serving == providers.len(), "every provider serves her correction")?;
        self.told(&format!("her dispute shows \"serving\" at all {serving} providers"));
        Ok(())
    }

    /// What she keeps proves, to anybody and offline, that it was published.
    async fn take_receipt(&mut self, path: &str, token: &str) -> Result<(), Failed> {
        let answer = self.caller.get(&format!("{path}/receipt")).bearer(token).wants(StatusCode::OK).await?;
        let receipt: Receipt = String::from_utf8_lossy(&answer.body)
            .parse()
            .map_err(|error| Failed::new("the receipt", &error))?;
        let verified = receipt.verify(&self.verifier().await?);
        let (entry, checkpoint) = verified.map_err(|error| Failed::new("the receipt", &error))?;
        holds(entry.number.to_string() == HOLDERS_NUMBER, "the receipt is for her number")?;
        let kept = self.folder.join(RECEIPT);
        std::fs::write(&kept, &answer.body).map_err(|error| Failed::new("the receipt", &error))?;
        self.told(&format!(
            "her receipt verifies: entry {} of the {} under the signed checkpoint",
            receipt.index, checkpoint.size
        ));
        Ok(())
    }

    /// A correction is there with the next checkpoint.
    async fn published(&self, path: &str, key: &str) -> Result<Value, Failed> {
        self.patiently("the correction is published", async || {
            // 404 until then.
            let answer = self.caller.get(path).bearer(key).wants(StatusCode::OK).await.ok()?;
            Some(answer.json())
        })
        .await
    }

    async fn dispute(&self, path: &str, token: &str) -> Result<Value, Failed> {
        self.caller.get(path).bearer(token).wants(StatusCode::OK).await?.json()
    }

    async fn patiently<T>(
        &self,
        what: &str,
        mut look: impl AsyncFnMut() -> Option<Result<T, Failed>>,
    ) -> Result<T, Failed> {
        for _ in 0..PATIENCE_MS / LOOK_EVERY_MS {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
        }
        Err(Failed::because(&format!("did not happen within {PATIENCE_MS} ms: {what}")))
    }
}

fn key_of<'a>(keys: &'a [(&str, String)], id: &str) -> Result<&'a str, Failed> {
    let found = keys.iter().find(|(known, _)| *known == id);
    found.map(|(_, key)| key.as_str()).ok_or_else(|| Failed::because(&format!("the demo has no key of {id}")))
}

fn nothing_rejected(who: &str, tally: &Value) -> Result<(), Failed> {
    holds(tally["rejected"] == 0, &format!("no line of {who} is rejected: {tally}"))
}

fn holds(held: bool, what: &str) -> Result<(), Failed> {
    if held { Ok(()) } else { Err(Failed::because(&format!("this did not hold: {what}"))) }
}

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str, Failed> {
    value[field].as_str().ok_or_else(|| Failed::because(&format!("the answer has no {field}")))
}

fn plain(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

fn shanghai() -> Result<TimeZone, Failed> {
    TimeZone::get("Asia/Shanghai").map_err(|error| Failed::new("the time zone", &error))
}

/// What the page's script does for a visitor: finds the number.
fn solve(challenge: &Value) -> Result<String, Failed> {
    let (salt, target) = (text(challenge, "salt")?, text(challenge, "challenge")?);
    let most = challenge["maxnumber"].as_u64().unwrap_or(0);
    let hash = |number: &u64| hex(&Sha256::digest(format!("{salt}{number}")));
    let number = (0..=most).find(|number| hash(number) == target);
    let number = number.ok_or_else(|| Failed::because("the challenge has no solution"))?;
    let solution = json!({
        "algorithm": challenge["algorithm"],
        "challenge": target,
        "number": number,
        "salt": salt,
        "signature": challenge["signature"],
    });
    Ok(STANDARD.encode(solution.to_string()))
}
