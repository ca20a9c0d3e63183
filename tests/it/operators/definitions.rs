//! CAMARA's definitions, read as they are published: what a question has to
//! look like, and what an answer may look like.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::civil::Date;
use regex::Regex;
use serde_json::{Map, Value};

pub struct Definitions(BTreeMap<String, Operation>);

/// One API's one operation.
pub struct Operation {
    document: Value,
    operation: Value,
}

impl Definitions {
    pub fn published() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/camara");
        let mut operations = BTreeMap::new();
        for file in ["kyc-tenure-v0.2", "number-recycling-v0.2", "kyc-match-v0.4"] {
            let text = fs::read_to_string(folder.join(format!("{file}.yaml"))).unwrap();
            let document: Value = serde_yaml_ng::from_str(&text).unwrap();
            let root = document["servers"][0]["url"].as_str().unwrap().replace("{apiRoot}", "");
            for (path, item) in document["paths"].as_object().unwrap() {
                let operation = item["post"].clone();
                operations
                    .insert(format!("{root}{path}"), Operation { document: document.clone(), operation });
            }
        }
        Self(operations)
    }

    /// Of all operations.
    pub fn scopes(&self) -> Vec<&str> {
        self.0.values().flat_map(Operation::scopes).collect()
    }

    pub fn operation(&self, path: &str) -> Option<&Operation> {
        self.0.get(path)
    }
}

impl Operation {
    /// What a token needs for it.
    pub fn scopes(&self) -> Vec<&str> {
        let openid = self.operation["security"][0]["openId"].as_array().unwrap();
        openid.iter().map(|scope| scope.as_str().unwrap()).collect()
    }

    /// Fields that are not in the definition are misspelt ones.
    pub fn check_question(&self, correlator: Option<&str>, body: &Value) -> Result<(), String> {
        let correlator = correlator.ok_or("no x-correlator")?;
        let parameters = self.operation["parameters"].as_array().unwrap();
        let is_correlator = |one: &&Value| self.resolved(one)["name"] == "x-correlator";
        let parameter = parameters.iter().find(is_correlator).ok_or("no x-correlator is defined")?;
        self.check(&self.resolved(parameter)["schema"], &Value::from(correlator), "x-correlator")?;
        let schema = &self.operation["requestBody"]["content"]["application/json"]["schema"];
        self.check(schema, body, "question")?;
        let known = self.properties(schema);
        let unknown = body.as_object().unwrap().keys().find(|field| !known.contains_key(*field));
        unknown.map_or(Ok(()), |field| Err(format!("question.{field} is not in the definition")))
    }

    /// A status that the definition does not speak of may say what it likes.
    pub fn check_answer(&self, status: u16, body: &Value) -> Result<(), String> {
        let Some(response) = self.operation["responses"].get(status.to_string()) else { return Ok(()) };
        let schema = &self.resolved(response)["content"]["application/json"]["schema"];
        self.check(schema, body, "answer")
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(at) => self.document.pointer(at.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }

    fn properties(&self, schema: &Value) -> Map<String, Value> {
        let schema = self.resolved(schema);
        let mut found = schema["properties"].as_object().cloned().unwrap_or_default();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            found.extend(self.properties(part));
        }
        found
    }

    fn check(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let schema = self.resolved(schema);
        let wrong = |why: &str| Err(format!("{at} is {value}: {why}"));
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.check(part, value, at)?;
        }
        let is_type = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("string") => value.is_string(),
            Some("boolean") => value.is_boolean(),
            Some("integer") => value.is_i64(),
            None => true,
            Some(other) => panic!("type {other} does not occur"),
        };
        if !is_type {
            return wrong("another type is defined");
        }
        if schema["enum"].as_array().is_some_and(|allowed| !allowed.contains(value)) {
            return wrong("it is not one of those defined");
        }
        if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
            && !Regex::new(&pattern.replace("9-_", "9\\-_")).unwrap().is_match(text)
        {
            return wrong("it does not fit the pattern");
        }
        if let ("date", Some(text)) = (schema["format"].as_str().unwrap_or_default(), value.as_str())
            && text.parse::<Date>().map(|day| day.to_string()).ok().as_deref() != Some(text)
        {
            return wrong("it is not a date");
        }
        for field in schema["required"].as_array().into_iter().flatten() {
            if value.get(field.as_str().unwrap()).is_none() {
                return wrong(&format!("{field} is missing"));
            }
        }
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = value.get(field) {
                self.check(schema, value, &format!("{at}.{field}"))?;
            }
        }
        Ok(())
    }
}

#[test]
fn what_is_not_as_defined_is_seen() {
    let definitions = Definitions::published();
    let tenure = definitions.operation("/kyc-tenure/v0.2/check-tenure").unwrap();
    let question = |text: &str| tenure.check_question(Some("c-1"), &serde_json::from_str(text).unwrap());
    let fine = r#"{"phoneNumber":"+8613800138000","tenureDate":"2025-03-01"}"#;
    assert_eq!(question(fine), Ok(()));
    for wrong in [
        r#"{"phoneNumber":"+8613800138000"}"#,
        r#"{"phoneNumber":"13800138000","tenureDate":"2025-03-01"}"#,
        r#"{"phoneNumber":"+8613800138000","tenureDate":"2025-3-1"}"#,
        r#"{"phoneNumber":"+8613800138000","tenureDate":"2025-03-01","tenure_date":"x"}"#,
        r#"{"phoneNumber":8613800138000,"tenureDate":"2025-03-01"}"#,
        "[]",
    ] {
        assert!(question(wrong).is_err(), "{wrong}");
    }
    let body = serde_json::from_str(fine).unwrap();
    assert!(tenure.check_question(None, &body).is_err());
    assert!(tenure.check_question(Some("号"), &body).is_err());
    assert_eq!(tenure.scopes(), ["kyc-tenure:check-tenure"]);

    let answer = |status, text: &str| tenure.check_answer(status, &serde_json::from_str(text).unwrap());
    assert_eq!(answer(200, r#"{"tenureDateCheck":true}"#), Ok(()));
    assert!(answer(200, r#"{"tenureDateCheck":"true"}"#).is_err());
    assert_eq!(answer(404, r#"{"status":404,"code":"IDENTIFIER_NOT_FOUND","message":"m"}"#), Ok(()));
    assert!(answer(404, r#"{"status":404,"code":"GONE","message":"m"}"#).is_err());
    assert!(answer(422, r#"{"code":"SERVICE_NOT_APPLICABLE","message":"m"}"#).is_err());
}
