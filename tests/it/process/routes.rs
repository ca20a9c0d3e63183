//! Every public route: its path, its methods, who may come. The table is held
//! against the sources and against the service, so that a new route is sent
//! rubbish too.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::{Captures, Regex};
use zhengming::http::templates::template_of;

use super::child::Server;
use super::house::{GATEWAY_TOKEN, House};
use super::people::People;
use super::wire::request;

#[derive(Debug, Clone, Copy)]
pub enum Who {
    Anyone,
    Holder,
    Claimant,
    Provider,
    Operator,
    Moderator,
    Gateway,
}

use Who::{Anyone, Claimant, Gateway, Holder, Moderator, Operator, Provider};

/// `{}` stands for what differs: a number, an id.
pub const ROUTES: &[(&str, &[(&str, Who)])] = &[
    // Pages: a browser's cookies say who comes.
    ("/", &[("GET", Anyone), ("POST", Anyone)]),
    ("/code", &[("GET", Anyone), ("POST", Anyone)]),
    ("/file", &[("GET", Anyone), ("POST", Anyone)]),
    ("/d/{}", &[("GET", Anyone)]),
    ("/d/{}/evidence", &[("POST", Anyone)]),
    ("/d/{}/withdraw", &[("POST", Anyone)]),
    ("/d/{}/appeal", &[("POST", Anyone)]),
    ("/d/{}/receipt", &[("GET", Anyone)]),
    ("/filings", &[("GET", Anyone), ("POST", Anyone)]),
    ("/filings/{}", &[("GET", Anyone)]),
    ("/console", &[("GET", Anyone)]),
    ("/console/login", &[("GET", Anyone), ("POST", Anyone)]),
    ("/console/logout", &[("POST", Anyone)]),
    ("/stats", &[("GET", Anyone)]),
    ("/receipt", &[("GET", Anyone), ("POST", Anyone)]),
    ("/console/next", &[("POST", Anyone)]),
    ("/console/disputes/{}", &[("GET", Anyone)]),
    ("/console/disputes/{}/decision", &[("POST", Anyone)]),
    ("/console/disputes/{}/release", &[("POST", Anyone)]),
    ("/console/disputes/{}/documents/{}", &[("GET", Anyone)]),
    ("/console/providers", &[("GET", Anyone)]),
    ("/console/providers/{}", &[("GET", Anyone)]),
    ("/console/gateways", &[("GET", Anyone)]),
    ("/console/keys", &[("GET", Anyone), ("POST", Anyone)]),
    ("/console/keys/{}/rotate", &[("POST", Anyone)]),
    ("/console/keys/{}/revoke", &[("POST", Anyone)]),
    ("/console/team", &[("GET", Anyone), ("POST", Anyone)]),
    ("/console/team/{}", &[("POST", Anyone)]),
    ("/console/me", &[("GET", Anyone), ("POST", Anyone)]),
    ("/console/queue", &[("GET", Anyone)]),
    ("/console/signatures", &[("GET", Anyone)]),
    ("/console/signatures/look", &[("POST", Anyone)]),
    ("/console/signatures/reversals/{}", &[("GET", Anyone), ("POST", Anyone)]),
    ("/console/signatures/reversals/{}/discard", &[("POST", Anyone)]),
    ("/console/signatures/batches/{}/release", &[("POST", Anyone)]),
    ("/console/signatures/batches/{}/discard", &[("POST", Anyone)]),
    ("/console/audit", &[("GET", Anyone)]),
    ("/console/audit/export", &[("GET", Anyone)]),
    ("/docs", &[("GET", Anyone)]),
    ("/docs/{}", &[("GET", Anyone)]),
    ("/docs/api/{}", &[("GET", Anyone)]),
    ("/assets/{}", &[("GET", Anyone)]),
    ("/openapi.json", &[("GET", Anyone)]),
    ("/v1/challenge", &[("GET", Anyone)]),
    ("/v1/verifications", &[("POST", Anyone)]),
    ("/v1/verifications/{}", &[("GET", Anyone)]),
    ("/v1/verifications/{}/confirm", &[("POST", Anyone)]),
    ("/v1/sms/inbound", &[("GET", Gateway), ("POST", Gateway)]),
    // By GET the seal that went out with a message opens it.
    ("/v1/sms/delivery", &[("GET", Anyone), ("POST", Gateway)]),
    ("/v1/labels", &[("GET", Holder), ("POST", Provider)]),
    ("/v1/disputes", &[("GET", Holder), ("POST", Holder)]),
    ("/v1/disputes/{}", &[("GET", Claimant)]),
    ("/v1/disputes/{}/withdraw", &[("POST", Claimant)]),
    ("/v1/disputes/{}/appeal", &[("POST", Claimant)]),
    ("/v1/disputes/{}/evidence", &[("POST", Claimant)]),
    ("/v1/disputes/{}/receipt", &[("GET", Claimant)]),
    ("/v1/filings", &[("POST", Holder)]),
    ("/v1/filings/{}", &[("GET", Holder)]),
    ("/v1/tenures", &[("POST", Operator)]),
    ("/v1/moderation/session", &[("POST", Anyone)]),
    ("/v1/moderation/queue", &[("GET", Moderator)]),
    ("/v1/moderation/queue/cases", &[("GET", Moderator)]),
    ("/v1/moderation/next", &[("POST", Moderator)]),
    ("/v1/moderation/disputes/{}", &[("GET", Moderator)]),
    ("/v1/moderation/disputes/{}/documents/{}", &[("GET", Moderator)]),
    ("/v1/moderation/disputes/{}/decision", &[("POST", Moderator)]),
    ("/v1/moderation/disputes/{}/release", &[("POST", Moderator)]),
    ("/v1/moderation/corrections/{}/revert", &[("POST", Moderator)]),
    ("/v1/moderation/reversals", &[("GET", Moderator)]),
    ("/v1/moderation/reversals/{}", &[("GET", Moderator)]),
    ("/v1/moderation/reversals/{}/discard", &[("POST", Moderator)]),
    ("/v1/moderation/numbers/{}/corrections", &[("GET", Moderator)]),
    ("/v1/moderation/batches", &[("GET", Moderator)]),
    ("/v1/moderation/batches/{}/release", &[("POST", Moderator)]),
    ("/v1/moderation/batches/{}/discard", &[("POST", Moderator)]),
    ("/v1/moderation/audit", &[("GET", Moderator)]),
    ("/v1/moderation/audit/search", &[("GET", Moderator)]),
    ("/v1/moderation/providers", &[("GET", Moderator)]),
    ("/v1/moderation/regressed", &[("GET", Moderator)]),
    ("/v1/moderation/gateways", &[("GET", Moderator)]),
    ("/feed/v1/corrections", &[("GET", Provider)]),
    ("/feed/v1/corrections/{}", &[("GET", Provider)]),
    ("/feed/v1/snapshot", &[("GET", Provider)]),
    ("/feed/v1/snapshots/{}", &[("GET", Provider)]),
    ("/feed/v1/ack", &[("PUT", Provider)]),
    ("/feed/v1/regressed", &[("GET", Provider)]),
    ("/feed/v1/checkpoint", &[("GET", Anyone)]),
    ("/feed/v1/key", &[("GET", Anyone)]),
    ("/feed/v1/tile/*", &[("GET", Anyone)]),
    ("/feed/v1/logs", &[("GET", Anyone)]),
    ("/feed/v1/logs/{}/*", &[("GET", Anyone)]),
    ("/feed/v1/events", &[("GET", Provider)]),
    ("/number-recycling/v0.2/check", &[("POST", Provider)]),
];

/// Answers in HTML.
pub fn is_page(path: &str) -> bool {
    ["/code", "/file", "/stats", "/receipt"].contains(&path)
        || path == "/"
        || path.starts_with("/d/")
        || path.starts_with("/filings")
        || path.starts_with("/docs")
        || path.starts_with("/console")
}

impl Who {
    pub fn credential(self, people: &People) -> Option<&str> {
        Some(match self {
            Anyone => return None,
            Holder => &people.holder,
            Claimant => &people.claimant,
            Provider => &people.provider,
            Operator => &people.operator,
            Moderator => &people.moderator,
            Gateway => GATEWAY_TOKEN,
        })
    }
}

/// The path with something real in the place of `{}`.
pub fn filled(path: &str, people: &People) -> String {
    let real = match path {
        _ if path.contains("/verifications/") => &people.verification.0,
        _ if path.contains("/disputes/") || path.starts_with("/d/") => &people.dispute,
        _ if path.starts_with("/docs/api/") => "feed",
        _ if path.starts_with("/docs/") => "problems",
        _ if path.contains("/assets/") => "proof-of-work.js",
        _ if path.contains("/providers/") || path.contains("/team/") => "somebody",
        _ if ["/batches/", "/filings/", "/keys/"].iter().any(|of| path.contains(of)) => {
            "00000000-0000-7000-8000-000000000000"
        }
        _ if path.contains("/feed/v1/corrections/") || path.contains("/numbers/") => "8613800138001",
        _ => "0",
    };
    // Who may have a tile depends on which.
    path.replace("{}", real).replace('*', "0/000.p/1")
}

/// As written in the sources: `"v1" / "disputes" / DisputeId`.
fn path_of(written: &str) -> String {
    let segment = |segment: &str| match segment.trim().trim_end_matches(',') {
        ".." => "*".to_owned(),
        word => word.strip_prefix('"').map_or("{}", |word| word.trim_end_matches('"')).to_owned(),
    };
    written.split(" / ").map(|written| format!("/{}", segment(written))).collect()
}

fn in_sources(folder: &Path, found: &mut BTreeSet<String>) {
    let pattern = Regex::new(r"(?m)^[^/\n]*warp::path!\(([^)]*)\)").unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // The admin listener is not public.
        if path.is_dir() && !path.ends_with("admin") {
            in_sources(&path, found);
        } else if path.is_file() {
            let text = fs::read_to_string(&path).unwrap();
            found.extend(pattern.captures_iter(&text).map(|written| path_of(&written[1])));
        }
    }
}

#[test]
fn the_table_has_every_route_of_the_sources() {
    let mut found = BTreeSet::new();
    in_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http"), &mut found);
    // It is written as the path's end.
    found.insert("/".to_owned());
    let table: BTreeSet<String> = ROUTES.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(table, found);
}

/// Else its requests would be counted as others' are.
#[test]
fn each_route_is_counted_under_its_own_template() {
    let names = Regex::new(r"\{\*?\w+\}").unwrap();
    for (path, _) in ROUTES {
        let template = template_of(&path.replace("{}", "0").replace('*', "0/000.p/1"));
        let plain =
            names.replace_all(template, |name: &Captures<'_>| if name[0].contains('*') { "*" } else { "{}" });
        assert_eq!(plain, *path);
    }
}

#[test]
fn the_table_has_every_method_of_the_service() {
    let house = House::new();
    let server: Server = house.serve();
    let people = People::gather(&house, &server, "+8613800138001");
    for (path, methods) in ROUTES {
        let options = request("OPTIONS", &filled(path, &people)).at(server.public).ok(204);
        let allowed = options.field("allow").unwrap();
        let own = allowed.split(", ").filter(|method| !["HEAD", "OPTIONS"].contains(method));
        let table = methods.iter().map(|(method, _)| *method);
        assert_eq!(own.collect::<BTreeSet<_>>(), table.collect(), "{path}");
    }
}
