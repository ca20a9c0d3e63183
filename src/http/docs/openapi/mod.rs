//! The description of the API, OpenAPI 3.1: written by hand in parts, one for
//! each room of routes, and put together when it is first asked for.
//!
//! Four things are not written out at each call, but by name: problems are
//! listed by their codes under `x-problems` (`@` names a set of them), what any
//! call may meet and every answer carries stands once in `base.json`, and the
//! version is the crate's.
//!
//! Everything here may panic on a part that is wrong. The parts are built in,
//! and the tests read them first.

mod problems;

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

const PARTS: &[&str] = &[
    include_str!("about.json"),
    include_str!("control.json"),
    include_str!("disputes.json"),
    include_str!("feed.json"),
    include_str!("labels.json"),
    include_str!("lists.json"),
    include_str!("log.json"),
    include_str!("moderation.json"),
    include_str!("oversight.json"),
    include_str!("recycling.json"),
    include_str!("sms.json"),
    include_str!("tenures.json"),
];

const METHODS: [&str; 3] = ["get", "post", "put"];
const BUILT_IN: &str = "the parts are built in, and the tests read them";

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = parse(include_str!("base.json"));
    for part in PARTS {
        merge(&mut document, parse(part));
    }
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    let everywhere = take(&mut document, "x-everywhere");
    let sets = take(&mut document, "x-sets");
    problems::add_components(&mut document);
    for operation in operations_mut(&mut document) {
        problems::spell_out(operation, &everywhere["problems"], &sets);
    }
    add_headers(&mut document, &everywhere["headers"]);
    document
});

/// The whole of it.
pub fn document() -> &'static Value {
    &DOCUMENT
}

fn parse(part: &str) -> Value {
    serde_json::from_str(part).expect(BUILT_IN)
}

/// Adds what a part has; nothing is said twice.
fn merge(whole: &mut Value, part: Value) {
    for (name, value) in into_object(part) {
        match object(whole).get_mut(&name) {
            Some(known) if known.is_object() && value.is_object() => merge(known, value),
            Some(_) => panic!("{name} is there already"),
            None => _ = object(whole).insert(name, value),
        }
    }
}

fn operations_mut(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = object(&mut document["paths"]).values_mut();
    let operations = paths.flat_map(|path| object(path).iter_mut());
    operations.filter(|(name, _)| METHODS.contains(&name.as_str())).map(|(_, operation)| operation)
}

/// Every answer carries these.
fn add_headers(document: &mut Value, names: &Value) {
    let names: Vec<String> = names.as_array().expect(BUILT_IN).iter().map(text).collect();
    let add = |response: &mut Value| {
        if response.get("$ref").is_none() {
            let headers = object(response).entry("headers").or_insert_with(|| json!({}));
            for name in &names {
                headers[name] = reference("headers", name);
            }
        }
    };
    object(&mut document["components"]["responses"]).values_mut().for_each(add);
    operations_mut(document)
        .flat_map(|operation| object(&mut operation["responses"]).values_mut())
        .for_each(add);
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

fn take(value: &mut Value, name: &str) -> Value {
    object(value).remove(name).expect(BUILT_IN)
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    value.as_object_mut().expect(BUILT_IN)
}

fn into_object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => panic!("{BUILT_IN}"),
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect(BUILT_IN).to_owned()
}
