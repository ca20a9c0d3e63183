//! Whoever has a credential, and disputes in each state that a call is about,
//! so that what is sent is not only refused.

use serde_json::{Value, json};

use super::child::Server;
use super::house::{GATEWAY_TOKEN, House};
use super::people::{People, proof, releases};
use super::wire::{Reply, get, post, request};

/// Beside those that `House` has switched off: quotas that a day of calls
/// would use up, behind which everything is refused.
const LIMITS: [&str; 8] = [
    "CODES_PER_NUMBER_PER_DAY",
    "CLUSTER_FILINGS_PER_30_DAYS",
    "FILINGS_PER_NUMBER_PER_90_DAYS",
    "LABELS_PER_PROVIDER_PER_DAY",
    "LOGINS_PER_ACCOUNT_PER_HOUR",
    "RECYCLING_DATES_PER_NUMBER_PER_DAY",
    "RELEASES_PER_OPERATOR_PER_DAY",
    "SNAPSHOTS_PER_PROVIDER_PER_DAY",
];

/// None of them is an example of the description, so that nobody who sends
/// examples takes a number from its holder.
const SETTLED: &str = "+8613700137001";
const REFUSED: &str = "+8613700137002";
const ASKED: &str = "+8613700137003";
const WITHDRAWN: &str = "+8613700137004";
const FREE: &str = "+8613700137005";
const WAITING: &str = "+8613700137006";

pub struct Cast<'a> {
    pub server: Server,
    house: &'a House,
    people: People,
    /// By the name of a call.
    own: Value,
    holder: String,
    filer: String,
}

impl<'a> Cast<'a> {
    pub fn gather(house: &'a House) -> Self {
        let mut command = house.command("serve");
        for limit in LIMITS {
            command.env(format!("ZHENGMING_LIMITS__{limit}"), "0");
        }
        let server = Server::start(command);
        let people = People::gather(house, &server, WAITING);
        let mut cast =
            Self { server, house, people, own: json!({}), holder: String::new(), filer: String::new() };
        cast.settle();
        cast.decide(REFUSED, "refuse", "appealDispute");
        cast.decide(ASKED, "ask", "handInEvidence");
        let (id, token) = cast.file(WITHDRAWN);
        cast.owns("withdrawDispute", &id, Some(&token));
        cast.holder = proof(house, cast.server.public, FREE).token;
        cast.list();
        cast.name_things();
        cast
    }

    fn call(&self, bearer: &str, path: &str, body: &Value) -> Reply {
        let keyed = post(path, body).bearer(bearer).field("idempotency-key", "cast");
        keyed.at(self.server.public)
    }

    fn owns(&mut self, operation: &str, id: &str, token: Option<&str>) {
        self.own[operation] = json!({ "path": { "id": id }, "token": token });
    }

    fn file(&self, number: &str) -> (String, String) {
        let holder = proof(self.house, self.server.public, number).token;
        let body = json!({ "reason": "reassigned", "opened": "2025-03" });
        let filed = self.call(&holder, "/v1/disputes", &body).ok(201);
        (filed.text("id"), filed.text("token"))
    }

    /// A number that its operator has released, and a dispute that is right.
    fn settle(&mut self) {
        let push = releases([SETTLED.to_owned()], ["2024-01-01", "2024-06-01"]);
        push.bearer(&self.people.operator).at(self.server.public).ok(200);
        let labels = json!({ "number": SETTLED, "kind": "category", "code": "55" }).to_string();
        let upload = request("POST", "/v1/labels").body("application/x-ndjson", labels);
        upload.bearer(&self.people.provider).at(self.server.public).ok(200);
        let holder = proof(self.house, self.server.public, SETTLED).token;
        let body = json!({ "reason": "reassigned", "opened": null });
        let filed = self.call(&holder, "/v1/disputes", &body).ok(201);
        let (id, token) = (filed.text("id"), filed.text("token"));
        self.comes_to(&id, &token, "corrected");
        self.owns("getReceipt", &id, Some(&token));
    }

    /// Each look is an answer of the service's.
    fn comes_to(&self, id: &str, token: &str, status: &str) {
        let look = get(&format!("/v1/disputes/{id}")).bearer(token);
        let is_there = |_| look.at(self.server.public).ok(200).text("status") == status;
        assert!((0..20_000).any(is_there), "it never is {status}");
    }

    /// Files, and has a moderator decide; with a token of after that.
    fn decide(&mut self, number: &str, decision: &str, operation: &str) {
        let (id, token) = self.file(number);
        self.comes_to(&id, &token, "in_review");
        let moderator = &self.people.moderator;
        let take = || self.call(moderator, "/v1/moderation/next", &json!({})).ok(200).json();
        let give_back = |case: &Value| {
            let path = format!("/v1/moderation/disputes/{}/release", case["id"].as_str().unwrap());
            self.call(moderator, &path, &json!({})).ok(204);
        };
        // Nobody picks cases; which comes is drawn.
        let case = (0..1_000).map(|_| take()).find(|case| {
            case["id"] == *id || {
                give_back(case);
                false
            }
        });
        let version = &case.expect("it is drawn sometime")["version"];
        let body = json!({ "decision": decision, "reason_code": "looked_at_it", "version": version });
        self.call(moderator, &format!("/v1/moderation/disputes/{id}/decision"), &body).ok(200);
        let holder = proof(self.house, self.server.public, number).token;
        let mine = get("/v1/disputes").bearer(&holder).at(self.server.public).ok(200).json();
        let token = mine["disputes"][0]["token"].as_str().unwrap().to_owned();
        self.owns(operation, &id, Some(&token));
    }

    fn list(&mut self) {
        let enterprise = json!({ "name": "厦门某某科技有限公司", "uscc": "91350211M000100Y46" });
        let body = json!({ "reason": "reassigned", "opened": "2025-03", "enterprise": enterprise,
            "numbers": ["+861062345678"] });
        let filed = self.call(&self.holder, "/v1/filings", &body).ok(201);
        self.filer = filed.text("token");
        self.owns("getList", &filed.text("id"), None);
    }

    /// What there is to ask about.
    fn name_things(&mut self) {
        let start = json!({ "number": FREE, "method": "sms_code" });
        let started = post("/v1/verifications", &start).at(self.server.public).ok(201).text("id");
        for operation in ["getVerification", "confirmVerification"] {
            self.owns(operation, &started, None);
        }
        let waiting = self.people.dispute.clone();
        for operation in ["getDispute", "getCase", "decide", "giveBack", "getDocument"] {
            self.owns(operation, &waiting, None);
        }
        for operation in ["getCorrection", "listStandingCorrections"] {
            self.own[operation] = json!({ "path": { "digits": &SETTLED[1..] } });
        }
        for operation in ["lookAtReversal", "revertCorrection", "discardReversal"] {
            self.own[operation] = json!({ "path": { "seq": 0 } });
        }
        for operation in ["getHashTile", "getEntryBundle"] {
            self.own[operation] = json!({ "path": { "level": 0, "n": "000.p/1" } });
        }
    }

    pub fn people(&self) -> &People {
        &self.people
    }

    /// Id and token of the dispute that this call is about.
    pub fn own(&self, operation: &str) -> (&str, &str) {
        let own = &self.own[operation];
        (own["path"]["id"].as_str().unwrap(), own["token"].as_str().unwrap())
    }

    /// Tokens by the description's names for them, and what each call has of
    /// its own.
    pub fn told(&self) -> Value {
        let People { provider, operator, claimant, moderator, .. } = &self.people;
        json!({
            "tokens": {
                "provider": provider, "operator": operator, "claimant": claimant, "moderator": moderator,
                "holder": self.holder, "filer": self.filer,
                "gateway": GATEWAY_TOKEN, "gatewayBasic": GATEWAY_TOKEN,
            },
            "own": self.own,
        })
    }
}
