//! What the description says that one may send is sent to the service itself:
//! each example, each field that it names, and one that it does not. And
//! others' eyes on the whole document.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};
use zhengming::http::docs::openapi;

use super::document::{Operation, Part};
use super::itself::{examples, route_of, written};
use crate::process::child::Server;
use crate::process::house::House;
use crate::process::people::People;
use crate::process::routes::{ROUTES, Who, filled};
use crate::process::wire::{Reply, Request, request};

const VALIDATOR: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/python/bin/openapi-spec-validator");

struct Sender<'a> {
    server: &'a Server,
    people: &'a People,
    sent: u64,
}

impl Sender<'_> {
    /// With the credential that the route wants.
    fn sends(&mut self, operation: &Operation, media_type: &str, body: &[u8]) -> Reply {
        self.sent += 1;
        let method = operation.method.to_uppercase();
        let route = route_of(operation.path);
        let (_, methods) = ROUTES.iter().find(|(path, _)| *path == route).unwrap();
        let (_, who): &(&str, Who) = methods.iter().find(|(known, _)| *known == method).unwrap();
        // What a file has no place for stands in the query.
        let query = if media_type == "application/json" { String::new() } else { query(operation) };
        let plain = request(&method, &(filled(route, self.people) + &query));
        let keyed = plain.field("idempotency-key", &format!("example-{}", self.sent));
        let signed: Request = match who.credential(self.people) {
            Some(token) => keyed.bearer(token),
            None => keyed,
        };
        signed.body(media_type, body).at(self.server.public)
    }
}

/// The examples of its parameters.
fn query(operation: &Operation) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    // A list's day belongs to the reason that the example does not have.
    let is_sent = |part: &&Part| part.value["in"] == "query" && part.value["name"] != "opened";
    for part in operation.parameters().iter().filter(is_sent) {
        for (_, example) in examples(part) {
            let value = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            text.append_pair(part.value["name"].as_str().unwrap(), &value);
        }
    }
    format!("?{}", text.finish())
}

fn place(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.path)
}

#[test]
fn every_example_of_a_body_is_taken_for_what_it_is() {
    let house = House::new();
    let server = house.serve();
    let people = People::gather(&house, &server, "+8613800138001");
    let mut sender = Sender { server: &server, people: &people, sent: 0 };
    for operation in Operation::all() {
        // Boundaries are the client's: forms are sent by the stories.
        let bodies = operation.bodies().into_iter().filter(|(kind, _)| kind != "multipart/form-data");
        for (media_type, media) in bodies {
            for (name, example) in examples(&media) {
                let reply = sender.sends(&operation, &media_type, &written(example));
                let is_read = ![400, 415].contains(&reply.status) && reply.status < 500;
                assert!(is_read, "{}: {name}: {reply:?}", place(&operation));
            }
        }
    }
    assert!(sender.sent > 20, "{}", sender.sent);
}

/// The fields that a schema names, in whichever of its forms.
fn fields(schema: &Value, found: &mut BTreeSet<String>) {
    found.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    if let Some(to) = schema["$ref"].as_str() {
        fields(openapi::document().pointer(to.strip_prefix('#').unwrap()).unwrap(), found);
    }
    for forms in ["oneOf", "anyOf", "allOf"] {
        schema[forms].as_array().into_iter().flatten().for_each(|form| fields(form, found));
    }
}

#[test]
fn the_fields_that_are_taken_are_those_that_are_described() {
    let house = House::new();
    let server = house.serve();
    let people = People::gather(&house, &server, "+8613800138001");
    let mut sender = Sender { server: &server, people: &people, sent: 0 };
    for operation in Operation::all() {
        // CAMARA has no word for fields that it does not know.
        let bodies = operation.bodies().into_iter().filter(|(kind, _)| kind == "application/json");
        for (media_type, media) in bodies.filter(|_| !operation.path.starts_with("/number-recycling/")) {
            let mut described = BTreeSet::new();
            fields(media.at("schema").value, &mut described);
            for (_, example) in examples(&media) {
                let mut more = example.clone();
                more["nobody_has_described_this"] = json!(1);
                let reply = sender.sends(&operation, &media_type, more.to_string().as_bytes());
                reply.refused(400, "field_unknown");
                let known = example.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
                assert!(known.is_subset(&described), "{}: {known:?}", place(&operation));
            }
            for field in described {
                // A reason decides which of its fields a filing takes.
                let is_known = examples(&media).into_iter().any(|(_, example)| {
                    let mut one = example.clone();
                    one[field.as_str()] = json!([["of no kind"]]);
                    let reply = sender.sends(&operation, &media_type, one.to_string().as_bytes());
                    reply.json()["code"] != "field_unknown"
                });
                assert!(is_known, "{}: {field} is described and unknown", place(&operation));
            }
        }
    }
}

#[test]
fn others_find_nothing_wrong_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("openapi.json");
    std::fs::write(&path, Part::root().value.to_string()).unwrap();
    let output = Command::new(VALIDATOR).arg(&path).output().expect("it is installed: see tests/all");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}
