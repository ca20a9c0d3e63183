//! What each code of a problem means and what to do about it, in both
//! languages: `problems.json`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::http::problem;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    pub status: u16,
    /// For example.
    pub detail: String,
    /// Of this code alone.
    #[serde(default)]
    pub members: Map<String, Value>,
    /// What it means, and what to do.
    pub zh: [String; 2],
    pub en: [String; 2],
}

static PROBLEMS: LazyLock<BTreeMap<String, Told>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("problems.json")).expect("problems.json is read by the tests too")
});

/// By code.
pub fn problems() -> &'static BTreeMap<String, Told> {
    &PROBLEMS
}

impl Told {
    /// The problem document as a caller gets it.
    pub fn example(&self, code: &str) -> Value {
        problem::document(self.status, code, self.detail.clone(), self.members.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::problem::Code;

    #[test]
    fn every_code_is_told_and_no_other() {
        assert_eq!(problems().keys().map(String::as_str).collect::<BTreeSet<_>>(), Code::all());
    }
}
