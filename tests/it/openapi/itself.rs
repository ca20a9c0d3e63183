//! The description by itself: that it has every route and no other, that its
//! examples are what it says, that nothing is left open by which drift would
//! pass unseen.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use zhengming::casework::control::Method;
use zhengming::domain::control::MessageState;
use zhengming::domain::correction::{EntryReason, NameAction};
use zhengming::domain::dispute::{Flag, Reason, Status};
use zhengming::domain::document::DocumentKind;
use zhengming::domain::evidence::{Answer, Assurance};
use zhengming::domain::label::{Category, LabelKind, Source};
use zhengming::domain::lines::LineError;
use zhengming::domain::progress::Stage;
use zhengming::domain::tenure::TenureEvent;
use zhengming::http::problem::Code;

use super::check::fits;
use super::document::{Operation, Part};
use crate::process::routes::{ROUTES, is_page};

fn components(kind: &str) -> Part {
    Part::root().at("components").at(kind)
}

/// The route of the table that a described path is.
pub fn route_of(path: &str) -> &'static str {
    let spoken = regex::Regex::new(r"\{[a-z]+\}").unwrap().replace_all(path, "{}").into_owned();
    let is_it = |route: &&str| match route.strip_suffix('*') {
        // What stands behind is many paths.
        Some(beginning) => spoken.starts_with(beginning),
        None => spoken == **route,
    };
    ROUTES.iter().map(|(route, _)| *route).find(is_it).unwrap_or_else(|| panic!("{path} is no route"))
}

#[test]
fn it_has_every_route_that_is_no_page_and_no_other() {
    let operations = Operation::all();
    let described: BTreeSet<(&str, String)> =
        operations.iter().map(|one| (route_of(one.path), one.method.to_uppercase())).collect();
    let machines = ROUTES.iter().filter(|(route, _)| !is_page(route) && !route.starts_with("/assets/"));
    let table: BTreeSet<(&str, String)> = machines
        .flat_map(|(route, methods)| methods.iter().map(|(method, _)| (*route, (*method).to_owned())))
        .collect();
    assert_eq!(described, table);
    let names: BTreeSet<&str> =
        operations.iter().map(|one| one.part.value["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), operations.len(), "each has a name of its own");
    for operation in &operations {
        for told in ["summary", "description", "tags", "security"] {
            assert!(operation.part.get(told).is_some(), "{} {}: {told}", operation.method, operation.path);
        }
        let in_path = operation.parameters().into_iter().filter(|part| part.value["in"] == "path");
        let in_path: BTreeSet<String> =
            in_path.map(|part| format!("{{{}}}", part.value["name"].as_str().unwrap())).collect();
        let named = operation.path.split('/').filter(|segment| segment.starts_with('{')).map(str::to_owned);
        assert_eq!(in_path, named.collect(), "{}", operation.path);
    }
}

/// The bytes that an example stands for.
pub fn written(example: &Value) -> Vec<u8> {
    example.as_str().map_or_else(|| example.to_string().into_bytes(), |text| text.as_bytes().to_vec())
}

/// Of a media type, a header or a parameter, with their names.
pub fn examples(of: &Part) -> Vec<(String, &'static Value)> {
    let named = of.get("examples").map_or(Vec::new(), |examples| examples.parts());
    let named = named.into_iter().map(|(name, example)| (name, example.at("value").value));
    let one = of.value.get("example").map(|example| ("example".to_owned(), example));
    named.chain(one).collect()
}

fn bytes_alone(media: &Part) -> bool {
    media.value["schema"] == json!({ "description": "Bytes." })
        || media.value["schema"]["description"] == "Bytes: 32 for each hash."
}

#[test]
fn every_body_has_an_example_that_is_what_it_says() {
    for operation in Operation::all() {
        let place = format!("{} {}", operation.method, operation.path);
        let answers = operation.part.at("responses").parts();
        let answered = answers.iter().filter_map(|(_, answer)| answer.get("content"));
        let bodies = answered.flat_map(|content| content.parts()).chain(operation.bodies());
        for (media_type, media) in bodies {
            let examples = examples(&media);
            let is_itself = operation.path == "/openapi.json";
            assert_eq!(
                examples.is_empty(),
                bytes_alone(&media) || (is_itself && media_type == "application/json"),
                "{place}: {media_type}"
            );
            for (name, example) in examples {
                let fits = match media_type.as_str() {
                    "multipart/form-data" => media.at("schema").objects_to(example).map_or(Ok(()), Err),
                    _ => fits(&media_type, &media, &written(example)),
                };
                assert_eq!(fits, Ok(()), "{place}: {}: {name}", media.pointer);
            }
        }
    }
}

#[test]
fn examples_of_parameters_and_fields_are_what_they_say() {
    let parameters = Operation::all().into_iter().flat_map(|operation| operation.parameters());
    let headers = components("headers").parts().into_iter().map(|(_, header)| header);
    for part in parameters.chain(headers) {
        for (_, example) in examples(&part) {
            assert_eq!(part.at("schema").objects_to(example), None, "{}", part.pointer);
        }
    }
    for (name, schema) in components("schemas").parts() {
        for example in schema.value["examples"].as_array().into_iter().flatten() {
            assert_eq!(schema.objects_to(example), None, "{name}");
        }
    }
}

/// Calls back for each object below that could be a schema.
fn every_schema(value: &Value, pointer: &str, look: &mut impl FnMut(&Value, &str)) {
    if value["type"] == "object" || value.get("properties").is_some() {
        look(value, pointer);
    }
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, value) in inner.iter().filter(|(name, _)| !["example", "examples"].contains(&name.as_str())) {
        every_schema(value, &format!("{pointer}/{name}"), look);
    }
}

#[test]
fn no_object_is_open() {
    let mut seen = 0;
    every_schema(Part::root().value, "", &mut |schema, pointer| {
        // Beside a reference only what is narrower stands; the service's own
        // description is OpenAPI's to describe.
        let is_narrower = schema.get("$ref").is_some();
        let is_itself = pointer.starts_with("/paths//openapi.json/");
        let closed = [&schema["additionalProperties"], &schema["unevaluatedProperties"]];
        let is_closed = closed.iter().any(|it| **it == false) || closed.iter().any(|it| it.is_object());
        assert!(is_closed || is_narrower || is_itself, "{pointer} takes any field");
        seen += 1;
    });
    assert!(seen > 80, "{seen}");
}

/// The words that a type is written as: serde lists them when it is told another.
fn words<T: DeserializeOwned>() -> BTreeSet<String> {
    let error = serde_json::from_value::<T>(json!("?")).err().unwrap().to_string();
    let (_, expected) = error.split_once("expected ").unwrap();
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn words_are_those_of_the_service() {
    let described = |name: &str| -> BTreeSet<String> {
        let listed = components("schemas").at(name).value["enum"].as_array().unwrap().clone();
        listed.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(described("Method"), words::<Method>());
    assert_eq!(described("Delivery"), words::<MessageState>());
    assert_eq!(described("EntryReason"), words::<EntryReason>());
    assert_eq!(described("NameAction"), words::<NameAction>());
    assert_eq!(described("Flag"), words::<Flag>());
    assert_eq!(described("Reason"), words::<Reason>());
    assert_eq!(described("DisputeStatus"), words::<Status>());
    assert_eq!(described("Answer"), words::<Answer>());
    assert_eq!(described("Assurance"), words::<Assurance>());
    assert_eq!(described("LabelKind"), words::<LabelKind>());
    assert_eq!(described("Source"), words::<Source>());
    assert_eq!(described("LineCode"), words::<LineError>());
    assert_eq!(described("Stage"), words::<Stage>());
    assert_eq!(described("TenureEvent"), words::<TenureEvent>());
    assert_eq!(described("DocumentKind"), words::<DocumentKind>());
    let categories: BTreeSet<String> = Category::ALL.iter().map(|one| one.as_str().to_owned()).collect();
    assert_eq!(described("Category"), categories);
}

#[test]
fn every_code_is_described_and_no_other() {
    let codes: BTreeSet<String> = Code::all().into_iter().map(str::to_owned).collect();
    for kind in ["examples", "responses"] {
        let described = components(kind).parts().into_iter().map(|(name, _)| name);
        let is_code = |name: &String| name.starts_with(|c: char| c.is_ascii_lowercase());
        assert_eq!(described.filter(is_code).collect::<BTreeSet<_>>(), codes, "{kind}");
    }
    let mut answered: BTreeSet<String> = BTreeSet::new();
    for operation in Operation::all() {
        for (_, answer) in operation.part.at("responses").parts() {
            let media = answer.get("content").and_then(|content| content.get("application/problem+json"));
            answered.extend(media.iter().flat_map(examples).map(|(code, _)| code));
        }
    }
    // These belong to no call: they are the pages', and one is every path's.
    let of_pages = ["form_stale", "no_correction", "not_confirmed", "session_ended"];
    answered.extend(of_pages.into_iter().chain(["method_not_allowed"]).map(str::to_owned));
    // Sent by name: a call that has one code of a status refers to its answer.
    assert_eq!(answered, codes);
}
