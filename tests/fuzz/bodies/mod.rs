//! What is fuzzed: a function of bytes for each door that the outside comes in
//! by. It panics where a parser breaks its promise: that it ends well, that what
//! it read is written the same again, that sizes stay within their limits.
//!
//! Two run them: `cargo fuzz` (`tests/fuzz/run`), and `cargo test`, over the
//! seeds in `fixtures/fuzz` and over mutations of them.

mod config;
mod documents;
mod entries;
mod filings;
mod gateways;
mod headers;
pub mod http;
mod labels;
mod lines;
mod memory;
mod multipart;
mod notes;
mod proofs;
mod reference;
mod snapshots;
mod tenures;
mod town;
mod values;
mod wire;
mod zms;

use std::sync::LazyLock;

use zhengming::domain::reference::Reference;

/// Bytes into whatever it is.
pub type Body = fn(&[u8]);

/// By their names: those of the folders of seeds, too.
pub const TARGETS: [(&str, Body); 17] = [
    ("values", values::run),
    ("headers", headers::run),
    ("entries", entries::run),
    ("snapshots", snapshots::run),
    ("zms", zms::run),
    ("notes", notes::run),
    ("proofs", proofs::run),
    ("tenures", tenures::run),
    ("labels", labels::run),
    ("filings", filings::run),
    ("http", http::run),
    ("multipart", multipart::run),
    ("pictures", documents::pictures),
    ("pdfs", documents::pdfs),
    ("config", config::run),
    ("reference", reference::run),
    ("gateways", gateways::run),
];

/// The one of that name.
pub fn body(name: &str) -> Body {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("there is no target {name}")).1
}

static REFERENCE: LazyLock<Reference> = LazyLock::new(Reference::built_in);
