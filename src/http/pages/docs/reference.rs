//! The API's description, call by call, as a page shows it.

use serde_json::Value;

use crate::http::docs::openapi;

const METHODS: [&str; 3] = ["get", "post", "put"];
/// Of an example; the whole is in the description.
const EXAMPLE_CHARS_MAX: usize = 1_500;

/// One call.
pub(super) struct Called {
    pub id: &'static str,
    pub method: String,
    pub path: &'static str,
    pub summary: &'static str,
    pub description: Vec<Piece>,
    /// Whose credential it wants.
    pub keys: Vec<&'static str>,
    pub parameters: Vec<Parameter>,
    pub bodies: Vec<Body>,
    pub answers: Vec<Answered>,
}

pub(super) struct Parameter {
    pub name: &'static str,
    pub place: &'static str,
    pub required: bool,
    pub description: Vec<Piece>,
}

pub(super) struct Body {
    pub media_type: &'static str,
    pub example: String,
}

pub(super) struct Answered {
    pub status: &'static str,
    pub description: Vec<Piece>,
    pub example: Option<String>,
    /// Codes of problems, each with its place on the problems' page.
    pub codes: Vec<&'static str>,
}

/// Text, or what stands between backticks.
pub(super) enum Piece {
    Text(&'static str),
    Code(&'static str),
}

pub(super) fn tags() -> impl Iterator<Item = (&'static str, &'static str)> {
    list(&openapi::document()["tags"]).map(|tag| (text(&tag["name"]), text(&tag["description"])))
}

pub(super) fn calls(tag: &str) -> Vec<Called> {
    let paths = openapi::document()["paths"].as_object().into_iter().flatten();
    let of_path = |(path, item): (&'static String, &'static Value)| {
        METHODS.iter().filter_map(move |method| {
            let operation = item.get(method)?;
            let is_it = list(&operation["tags"]).any(|found| found == tag);
            is_it.then(|| Called::of(method, path, item, operation))
        })
    };
    paths.flat_map(of_path).collect()
}

impl Called {
    fn of(method: &str, path: &'static str, item: &'static Value, operation: &'static Value) -> Self {
        let parameters = list(&item["parameters"]).chain(list(&operation["parameters"]));
        let keys = list(&operation["security"]).filter_map(|one| one.as_object()).flat_map(|one| one.keys());
        let bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
        let answers = operation["responses"].as_object().into_iter().flatten();
        Self {
            id: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path,
            summary: text(&operation["summary"]),
            description: pieces(text(&operation["description"])),
            keys: keys.map(String::as_str).collect(),
            parameters: parameters.map(|parameter| Parameter::of(resolved(parameter))).collect(),
            bodies: bodies
                .map(|(media_type, media)| Body { media_type, example: example(media).unwrap_or_default() })
                .collect(),
            answers: answers.map(|(status, answer)| Answered::of(status, resolved(answer))).collect(),
        }
    }
}

impl Parameter {
    fn of(parameter: &'static Value) -> Self {
        Self {
            name: text(&parameter["name"]),
            place: text(&parameter["in"]),
            required: parameter["required"] == true,
            description: pieces(text(&parameter["description"])),
        }
    }
}

impl Answered {
    fn of(status: &'static str, answer: &'static Value) -> Self {
        let content = answer["content"].as_object();
        let problem = &answer["content"]["application/problem+json"];
        let codes = problem["examples"].as_object().into_iter().flatten();
        let other = content.into_iter().flatten().find(|(kind, _)| *kind != "application/problem+json");
        Self {
            status,
            description: pieces(text(&answer["description"])),
            example: other.and_then(|(_, media)| example(media)),
            codes: codes.map(|(code, _)| code.as_str()).collect(),
        }
    }
}

/// The first example of a media type, as it is written.
fn example(media: &'static Value) -> Option<String> {
    let named = media["examples"].as_object().and_then(|examples| examples.values().next());
    let value = media.get("example").or_else(|| Some(&resolved(named?)["value"]))?;
    let written = match value {
        Value::String(text) => text.clone(),
        value => serde_json::to_string_pretty(value).unwrap_or_default(),
    };
    let is_long = written.chars().count() > EXAMPLE_CHARS_MAX;
    let shown: String = written.chars().take(EXAMPLE_CHARS_MAX).collect();
    Some(if is_long { format!("{shown}\n…") } else { shown })
}

/// What stands behind a reference.
fn resolved(value: &'static Value) -> &'static Value {
    let to = value["$ref"].as_str().and_then(|to| to.strip_prefix('#'));
    to.and_then(|to| openapi::document().pointer(to)).unwrap_or(value)
}

fn pieces(text: &'static str) -> Vec<Piece> {
    let split = text.split('`').enumerate();
    split.map(|(nth, piece)| if nth % 2 == 0 { Piece::Text(piece) } else { Piece::Code(piece) }).collect()
}

fn list(value: &'static Value) -> impl Iterator<Item = &'static Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &'static Value) -> &'static str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_every_tag_is_shown_once() {
        let shown: Vec<&str> = tags().flat_map(|(tag, _)| calls(tag)).map(|call| call.id).collect();
        let paths = openapi::document()["paths"].as_object().into_iter().flatten();
        let described = paths.flat_map(|(_, item)| METHODS.iter().filter_map(|method| item.get(method)));
        assert_eq!(shown.len(), described.count());
        for call in tags().flat_map(|(tag, _)| calls(tag)) {
            assert!(!call.summary.is_empty() && !call.answers.is_empty(), "{}", call.id);
        }
    }
}
