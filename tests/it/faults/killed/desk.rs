//! A moderator at work, and holders who hand in what they are asked for.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::mpsc::Sender;

use image::ImageFormat;
use serde_json::{Value, json};

use super::filers::prove;
use crate::process::phone::Phone;
use crate::process::wire::{Reply, get, post, request};
use crate::support::{parts, pictures};

/// How far a case has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Filed,
    Asked,
    HandedIn,
    Refused,
}

/// A case whose filing was acknowledged, and what else was.
#[derive(Debug)]
pub struct Case {
    id: String,
    token: String,
    acknowledged: Stage,
}

/// One case after the other, each through all of its stages, until nobody
/// answers any more.
pub fn decide_on(
    address: SocketAddr,
    phone: &Phone,
    moderator: &str,
    round: u64,
    acknowledged: &Sender<()>,
) -> Vec<Case> {
    let mut desk = Desk { address, moderator, cases: BTreeMap::new() };
    for nth in 0.. {
        let number = format!("+86137{round:04}{nth:04}");
        let is_over = desk.is_over_after(phone, &number).is_none();
        let _ = acknowledged.send(());
        if is_over {
            break;
        }
    }
    desk.cases.into_values().collect()
}

struct Desk<'a> {
    address: SocketAddr,
    moderator: &'a str,
    cases: BTreeMap<String, Case>,
}

impl Desk<'_> {
    /// `None`: nobody answers.
    fn is_over_after(&mut self, phone: &Phone, number: &str) -> Option<()> {
        let holder = prove(self.address, phone, number)?;
        let claim = json!({ "reason": "name_mismatch",
            "labels": [{ "provider": "tencent", "name": "老王汽修" }] });
        let file = post("/v1/disputes", &claim).bearer(&holder).field("idempotency-key", "1");
        let filed = file.try_at(self.address).ok()?.ok(201);
        let case = Case { id: filed.text("id"), token: filed.text("token"), acknowledged: Stage::Filed };
        let id = case.id.clone();
        self.cases.insert(id.clone(), case);
        while self.cases[&id].acknowledged < Stage::Refused {
            // What was left in hand by an earlier round comes first.
            let case = self.moderates("next", &json!({}))?;
            if case.status == 200 {
                self.go_on_with(&case.json())?;
            }
        }
        Some(())
    }

    fn go_on_with(&mut self, case: &Value) -> Option<()> {
        let id = case["id"].as_str().expect("a case has an id");
        let has_documents = case["documents"].as_array().is_some_and(|documents| !documents.is_empty());
        let is_ours = self.cases.contains_key(id);
        if has_documents || !is_ours {
            self.decides(case, "refuse")?.ok(200);
            return self.reaches(id, Stage::Refused);
        }
        self.decides(case, "ask")?.ok(200);
        self.reaches(id, Stage::Asked);
        let body = parts("file", &[&pictures::picture(ImageFormat::Png, 7)]);
        let upload = request("POST", &format!("/v1/disputes/{id}/evidence"));
        let upload = upload.body("multipart/form-data; boundary=limit", body).bearer(&self.cases[id].token);
        upload.try_at(self.address).ok()?.ok(201);
        self.reaches(id, Stage::HandedIn)
    }

    fn decides(&self, case: &Value, decision: &str) -> Option<Reply> {
        let id = case["id"].as_str().expect("a case has an id");
        let said = json!({ "decision": decision, "reason_code": "documents", "note": "",
            "public_note": "请看", "version": case["version"] });
        self.moderates(&format!("disputes/{id}/decision"), &said)
    }

    fn moderates(&self, path: &str, body: &Value) -> Option<Reply> {
        post(&format!("/v1/moderation/{path}"), body).bearer(self.moderator).try_at(self.address).ok()
    }

    fn reaches(&mut self, id: &str, stage: Stage) -> Option<()> {
        if let Some(case) = self.cases.get_mut(id) {
            case.acknowledged = stage;
        }
        Some(())
    }
}

impl Case {
    pub fn check(&self, address: SocketAddr) {
        let path = format!("/v1/disputes/{}", self.id);
        let view = get(&path).bearer(&self.token).at(address).ok(200).json();
        let has_documents = view["documents"].as_array().is_some_and(|documents| !documents.is_empty());
        let found = match view["status"].as_str().expect("a status") {
            "refused" => Stage::Refused,
            _ if has_documents => Stage::HandedIn,
            "needs_evidence" => Stage::Asked,
            _ => Stage::Filed,
        };
        assert!(found >= self.acknowledged, "{self:?}, but: {view}");
    }
}
