//! From codes to answers: each code has an example and an answer of its own,
//! and a call's codes become its answers, one for each status.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{BUILT_IN, object, reference, text};
use crate::http::docs::problems::problems;

const MEDIA_TYPE: &str = "application/problem+json";

pub(super) fn add_components(document: &mut Value) {
    let components = &mut document["components"];
    components["schemas"]["ProblemCode"] = json!({
        "description": "Stable: programs may rely on it.",
        "enum": problems().keys().collect::<Vec<_>>(),
    });
    for (code, told) in problems() {
        components["examples"][code] = json!({ "summary": told.en[0], "value": told.example(code) });
        components["responses"][code] = answer(told.status, &BTreeSet::from([code.as_str()]));
    }
}

/// In the place of `x-problems`. Of `x-problems-only` the common ones are no
/// part; where the call has an answer of that status, this is another form.
pub(super) fn spell_out(operation: &mut Value, everywhere: &Value, sets: &Value) {
    let own = object(operation).remove("x-problems");
    let only = object(operation).remove("x-problems-only");
    let listed = [own.as_ref().map(|_| everywhere), own.as_ref(), only.as_ref()];
    let mut by_status: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
    for code in listed.into_iter().flatten().flat_map(|listed| codes(listed, sets)) {
        let (code, told) = problems().get_key_value(&code).expect(BUILT_IN);
        by_status.entry(told.status).or_default().insert(code);
    }
    let responses = object(&mut operation["responses"]);
    for (status, codes) in by_status {
        match responses.get_mut(&status.to_string()) {
            Some(known) => {
                known["content"][MEDIA_TYPE] = answer(status, &codes)["content"][MEDIA_TYPE].take();
            }
            None if codes.len() == 1 => {
                let code = codes.first().expect("there is one");
                responses.insert(status.to_string(), reference("responses", code));
            }
            None => _ = responses.insert(status.to_string(), answer(status, &codes)),
        }
    }
}

fn codes(listed: &Value, sets: &Value) -> Vec<String> {
    let listed = listed.as_array().expect(BUILT_IN).iter().map(text);
    let spelled = listed.flat_map(|name| match name.strip_prefix('@') {
        Some(set) => sets[set].as_array().expect(BUILT_IN).iter().map(text).collect(),
        None => vec![name],
    });
    spelled.collect()
}

fn answer(status: u16, codes: &BTreeSet<&str>) -> Value {
    let header = match status {
        401 => Some("WWW-Authenticate"),
        405 => Some("Allow"),
        416 => Some("Content-Range"),
        429 | 503 => Some("Retry-After"),
        _ => None,
    };
    let headers = header.map_or_else(|| json!({}), |name| json!({ name: reference("headers", name) }));
    let examples: BTreeMap<_, _> = codes.iter().map(|code| (code, reference("examples", code))).collect();
    let listed: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
    json!({
        "description": listed.join(", "),
        "headers": headers,
        "content": { MEDIA_TYPE: {
            "schema": {
                "$ref": "#/components/schemas/Problem",
                "properties": { "status": { "const": status }, "code": { "enum": codes } },
            },
            "examples": examples,
        } },
    })
}
