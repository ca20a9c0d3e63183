//! Holders and moderators, by what they do.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use zhengming::casework::actors::Owner;
use zhengming::store::{Grant, Role};

use super::client::Answer;
use super::world::World;

/// Of all moderators.
pub const PASSWORD: &str = "correct horse battery";

/// Somebody with a telephone, and with a token once control is proved.
pub struct Holder<'a> {
    world: &'a World,
    pub token: String,
}

/// A provider's machine, with its key.
pub struct Provider<'a> {
    world: &'a World,
    pub key: String,
}

/// A dispute as its claimant has it.
pub struct Dispute<'a> {
    world: &'a World,
    pub id: String,
    pub token: String,
}

pub struct Moderator<'a> {
    world: &'a World,
    pub token: String,
}

impl World {
    /// Has the number in hand, and proves it.
    pub async fn holder(&self, number: &str) -> Holder<'_> {
        let started = self.asks_for_code(number).await.ok(201);
        self.work().await;
        let confirmed = self.confirms(&started.text("id"), &self.last_code(number)).await.ok(200);
        assert_eq!(confirmed["number"], number);
        Holder { world: self, token: confirmed.text("token") }
    }

    pub async fn asks_for_code(&self, number: &str) -> Answer {
        let body = json!({ "number": number, "method": "sms_code" });
        self.client.post("/v1/verifications", "", &body).await
    }

    pub async fn confirms(&self, id: &str, code: &str) -> Answer {
        let path = format!("/v1/verifications/{id}/confirm");
        self.client.post(&path, "", &json!({ "code": code })).await
    }

    /// The code in the last message that has one.
    pub fn last_code(&self, number: &str) -> String {
        let messages = self.messages_to(number);
        let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit());
        let words =
            |text: &String| text.split(|c: char| !c.is_ascii_digit()).find(is_code).map(str::to_owned);
        let code = messages.iter().rev().find_map(words);
        code.expect("a code was sent")
    }

    /// A new moderator, logged in.
    pub async fn moderator(&self, name: &str, role: Role) -> Moderator<'_> {
        let (owner, id) = (Owner::at_the_command_line(), name.parse().unwrap());
        self.casework.add_moderator(owner, &id, role, PASSWORD).await.unwrap();
        let session = self.logs_in(name, PASSWORD, &self.totp(name).await).await.ok(200);
        Moderator { world: self, token: session.text("token") }
    }

    pub async fn totp(&self, name: &str) -> String {
        self.casework.totp_now(Owner::at_the_command_line(), &name.parse().unwrap()).await.unwrap()
    }

    pub async fn logs_in(&self, name: &str, password: &str, totp: &str) -> Answer {
        let body = json!({ "name": name, "password": password, "totp": totp });
        self.client.post("/v1/moderation/session", "", &body).await
    }
}

impl World {
    /// A provider with a new key.
    pub async fn provider(&self, id: &str) -> Provider<'_> {
        let (owner, grant) = (Owner::at_the_command_line(), Grant::Provider(id.parse().unwrap()));
        let (_, key) = self.casework.issue_key(owner, grant, id).await.unwrap();
        Provider { world: self, key }
    }
}

impl Provider<'_> {
    pub async fn uploads(&self, label: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        let fields = [("authorization", bearer.as_str()), ("content-type", "application/x-ndjson")];
        let line = format!("{label}\n").into_bytes();
        self.world.client.send(Method::POST, "/v1/labels", &fields, Some(line)).await.ok(200)
    }

    /// Has come to the end of the log; `more` goes into the body.
    pub async fn acknowledges(&self, stage: &str, more: &Value) -> Answer {
        let feed = &self.world.service.feed;
        let size = feed.publish().await.unwrap();
        let root = STANDARD.encode(feed.root_at(size).unwrap().unwrap());
        let mut body = json!({ "size": size, "root": root, "stage": stage });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let bearer = format!("Bearer {}", self.key);
        let fields = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = body.to_string().into_bytes();
        self.world.client.send(Method::PUT, "/feed/v1/ack", &fields, Some(body)).await.ok(200)
    }
}

impl<'a> Holder<'a> {
    pub async fn sees(&self) -> Answer {
        self.world.client.get("/v1/labels", &self.token).await
    }

    /// Sends a filing under a key of its own.
    pub async fn sends(&self, body: &Value) -> Answer {
        // What was taken has changed something, so that the next key is new.
        let key = format!("filing-{}", self.world.changes());
        self.sends_with_key(&key, body).await
    }

    pub async fn sends_with_key(&self, key: &str, body: &Value) -> Answer {
        let fields = [("idempotency-key", key)];
        self.world.client.post_with("/v1/disputes", &self.token, &fields, body).await
    }

    /// Files, and the worker does what it can.
    pub async fn files(&self, body: Value) -> Dispute<'a> {
        let filed = self.sends(&body).await.ok(201);
        assert_eq!(filed["status"], "checking");
        self.world.work().await;
        self.world.dispute(&filed)
    }

    pub async fn files_reassigned(&self, opened: &str) -> Dispute<'a> {
        self.files(json!({ "reason": "reassigned", "opened": opened, "labels": [] })).await
    }
}

impl World {
    /// What an answer with an id and a token opens.
    pub fn dispute(&self, filed: &Answer) -> Dispute<'_> {
        Dispute { world: self, id: filed.text("id"), token: filed.text("token") }
    }
}

impl<'a> Dispute<'a> {
    /// Its claimant proves control of the number once more.
    pub async fn with_fresh_token(&self) -> Dispute<'a> {
        let number = self.look().await.ok(200).text("number");
        let holder = self.world.holder(&number).await;
        let mine = self.world.client.get("/v1/disputes", &holder.token).await.ok(200);
        let found = mine["disputes"].as_array().unwrap().iter().find(|one| one["id"] == self.id.as_str());
        let token = found.unwrap()["token"].as_str().unwrap().to_owned();
        Dispute { world: self.world, id: self.id.clone(), token }
    }

    pub async fn look(&self) -> Answer {
        self.world.client.get(&format!("/v1/disputes/{}", self.id), &self.token).await
    }

    /// The view, which has this status.
    pub async fn is(&self, status: &str) -> Answer {
        let view = self.look().await.ok(200);
        assert_eq!(view["status"], status, "{}", view.body);
        view
    }

    pub async fn refused_with(&self, code: &str) -> Answer {
        let view = self.is("refused").await;
        assert_eq!(view["refusal"]["code"], code);
        assert!(view["refusal"]["text"].as_str().unwrap().len() > 20);
        assert_eq!(view["correction"], Value::Null);
        view
    }

    pub async fn withdraws(&self) -> Answer {
        self.world.client.post(&format!("/v1/disputes/{}/withdraw", self.id), &self.token, &json!({})).await
    }

    pub async fn appeals(&self, text: &str) -> Answer {
        let path = format!("/v1/disputes/{}/appeal", self.id);
        self.world.client.post(&path, &self.token, &json!({ "text": text })).await
    }

    /// Hands in files, all in one request.
    pub async fn hands_in(&self, files: &[&[u8]]) -> Answer {
        self.sends_evidence("multipart/form-data; boundary=limit", parts("file", files)).await
    }

    pub async fn sends_evidence(&self, media_type: &str, body: Vec<u8>) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let fields = [("authorization", bearer.as_str()), ("content-type", media_type)];
        let path = format!("/v1/disputes/{}/evidence", self.id);
        self.world.client.send(Method::POST, &path, &fields, Some(body)).await
    }

    /// Waits for a moderator, for this reason.
    pub async fn in_review_for(&self, flag: &str, moderator: &Moderator<'_>) -> Answer {
        self.is("in_review").await;
        let case = moderator.takes_next().await.ok(200);
        assert_eq!((case["id"].as_str(), &case["flags"]), (Some(self.id.as_str()), &json!([flag])));
        case
    }
}

/// Parts of a form, with a name and a type that lie.
pub fn parts(name: &str, files: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::new();
    for file in files {
        let head = format!(
            "--limit\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"../a.exe\"\r\n\
             Content-Type: text/html\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--limit--\r\n");
    body
}

impl Moderator<'_> {
    /// A document of a dispute.
    pub async fn opens(&self, dispute: &str, document: &str) -> (u16, HeaderMap, Vec<u8>) {
        let path = format!("/v1/moderation/disputes/{dispute}/documents/{document}");
        self.world.client.download(&path, &self.token).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.world.client.get(&format!("/v1/moderation/{path}"), &self.token).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.world.client.post(&format!("/v1/moderation/{path}"), &self.token, body).await
    }

    pub async fn takes_next(&self) -> Answer {
        self.post("next", &json!({})).await
    }

    /// Decides at the version that a case was seen at.
    pub async fn decides(&self, case: &Answer, decision: &str) -> Answer {
        let body = json!({
            "decision": decision,
            "reason_code": "looked_at_it",
            "note": "for colleagues only",
            "public_note": "给您的说明",
            "version": case["version"],
        });
        self.post(&format!("disputes/{}/decision", case.text("id")), &body).await
    }

    /// The version of a case in hand may have moved since it was handed out.
    pub async fn looks_at(&self, id: &str) -> Answer {
        self.get(&format!("disputes/{id}")).await
    }
}
