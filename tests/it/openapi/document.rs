//! The description, and what of it is meant by a request.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::{Registry, Validator};
use regex::Regex;
use serde_json::{Value, json};
use zhengming::http::docs::openapi;

pub const METHODS: [&str; 3] = ["get", "post", "put"];
const URI: &str = "urn:zhengming:openapi";

/// A part of the description, and where it stands (RFC 6901).
#[derive(Debug, Clone)]
pub struct Part {
    pub pointer: String,
    pub value: &'static Value,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Operation {
    pub path: &'static str,
    pub method: &'static str,
    pub part: Part,
    of_path: Part,
}

impl Part {
    pub fn root() -> Self {
        Self { pointer: String::new(), value: openapi::document() }
    }

    /// What is there under the name, behind whatever refers to it.
    pub fn get(&self, name: &str) -> Option<Self> {
        let pointer = format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"));
        let value = match self.value {
            Value::Array(items) => items.get(name.parse::<usize>().ok()?)?,
            value => value.get(name)?,
        };
        Some(Self { pointer, value }.resolved())
    }

    pub fn at(&self, name: &str) -> Self {
        self.get(name).unwrap_or_else(|| panic!("no {name} at {}", self.pointer))
    }

    /// Everything in it by name.
    pub fn parts(&self) -> Vec<(String, Self)> {
        let names: Vec<String> = match self.value {
            Value::Array(items) => (0..items.len()).map(|at| at.to_string()).collect(),
            value => value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect(),
        };
        names.into_iter().map(|name| (name.clone(), self.at(&name))).collect()
    }

    /// References of schemas are the validator's, with what stands beside them.
    fn resolved(self) -> Self {
        let Some(to) = self.value["$ref"].as_str().filter(|to| !to.contains("/schemas/")) else {
            return self;
        };
        let pointer = to.strip_prefix('#').unwrap().to_owned();
        let value = openapi::document().pointer(&pointer).unwrap_or_else(|| panic!("nothing at {to}"));
        Self { pointer, value }.resolved()
    }

    /// As a schema: why the value is not what it says.
    pub fn objects_to(&self, value: &Value) -> Option<String> {
        let validator = validator(&self.pointer);
        let said: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        (!said.is_empty()).then(|| said.join("; "))
    }
}

impl Operation {
    pub fn all() -> Vec<Self> {
        let paths = Part::root().at("paths").parts();
        let of_path = |(path, of_path): (String, Part)| {
            let path: &'static str = String::leak(path);
            METHODS.iter().filter_map(move |method| {
                let part = of_path.get(method)?;
                Some(Self { path, method, part, of_path: of_path.clone() })
            })
        };
        paths.into_iter().flat_map(of_path).collect()
    }

    /// Parameters of it and of its path.
    pub fn parameters(&self) -> Vec<Part> {
        let own = [&self.of_path, &self.part].map(|part| part.get("parameters"));
        own.iter().flatten().flat_map(Part::parts).map(|(_, part)| part).collect()
    }

    pub fn has_query(&self, name: &str) -> bool {
        let is_it = |part: &Part| part.value["in"] == "query" && part.value["name"] == name;
        let schemes = Part::root().at("components").at("securitySchemes");
        let own = self.part.value["security"].as_array().into_iter().flatten();
        let mut own = own.flat_map(|one| one.as_object().unwrap().keys());
        self.parameters().iter().any(is_it) || own.any(|scheme| is_it(&schemes.at(scheme)))
    }

    pub fn response(&self, status: u16) -> Option<Part> {
        self.part.at("responses").get(&status.to_string())
    }

    /// The bodies that it takes, by media type.
    pub fn bodies(&self) -> Vec<(String, Part)> {
        self.part.get("requestBody").map_or(Vec::new(), |body| body.at("content").parts())
    }
}

/// The calls of a path, or none where it is not described.
pub fn at_path(path: &str) -> Option<&'static [Operation]> {
    static PATHS: LazyLock<Vec<(Regex, Vec<Operation>)>> = LazyLock::new(by_path);
    PATHS.iter().find(|(shape, _)| shape.is_match(path)).map(|(_, operations)| operations.as_slice())
}

/// Those with fewer parameters come first: they are meant where both fit.
fn by_path() -> Vec<(Regex, Vec<Operation>)> {
    let mut operations = Operation::all();
    operations.sort_by_key(|operation| (operation.path.matches('{').count(), operation.path));
    let mut paths: Vec<(Regex, Vec<Operation>)> = Vec::new();
    for group in operations.chunk_by(|one, other| one.path == other.path) {
        let mut shape = regex::escape(group[0].path);
        for parameter in group[0].parameters() {
            let name = regex::escape(&format!("{{{}}}", parameter.value["name"].as_str().unwrap()));
            let takes = if parameter.value["x-segments"] == true { ".+" } else { "[^/]+" };
            shape = shape.replace(&name, takes);
        }
        paths.push((Regex::new(&format!("^{shape}$")).unwrap(), group.to_vec()));
    }
    paths
}

/// Each is made once.
fn validator(pointer: &str) -> Arc<Validator> {
    static REGISTRY: LazyLock<Registry<'static>> =
        LazyLock::new(|| Registry::new().add(URI, openapi::document()).unwrap().prepare().unwrap());
    static MADE: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    if let Some(made) = MADE.lock().unwrap().get(pointer) {
        return made.clone();
    }
    let reference = format!("{URI}#{}", pointer.replace('{', "%7B").replace('}', "%7D"));
    let options = jsonschema::options()
        .with_registry(&REGISTRY)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .offline();
    let made = options.build(&json!({ "$ref": reference }));
    let made = Arc::new(made.unwrap_or_else(|error| panic!("{pointer}: {error}")));
    MADE.lock().unwrap().insert(pointer.to_owned(), made.clone());
    made
}
