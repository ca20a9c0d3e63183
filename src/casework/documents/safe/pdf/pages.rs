//! The pages of a PDF, with what they inherit.

use std::collections::BTreeSet;

use lopdf::{Dictionary, Document, Object, ObjectId};

use super::{DAMAGED, PAGES_MAX, PAGES_MAX_SAID};
use crate::domain::refusal::Refusal;

const INHERITED: [&[u8]; 4] = [b"Resources", b"MediaBox", b"CropBox", b"Rotate"];

#[derive(Debug)]
pub(super) struct Page<'a> {
    own: &'a Dictionary,
    inherited: Inherited<'a>,
}

type Inherited<'a> = [Option<&'a Object>; INHERITED.len()];

impl<'a> Page<'a> {
    pub(super) fn get(&self, key: &[u8]) -> Option<&'a Object> {
        let inherited = || INHERITED.iter().zip(self.inherited).find(|(name, _)| **name == key)?.1;
        self.own.get(key).ok().or_else(inherited)
    }
}

/// In order.
pub(super) fn pages(document: &Document) -> Result<Vec<Page<'_>>, Refusal> {
    let root = document.catalog().and_then(|catalog| catalog.get(b"Pages")).map_err(|_| DAMAGED)?;
    let mut pages = Vec::new();
    let mut seen: BTreeSet<ObjectId> = BTreeSet::new();
    // The next one is last.
    let mut open: Vec<(&Object, Inherited<'_>)> = vec![(root, [None; INHERITED.len()])];
    while let Some((node, mut inherited)) = open.pop() {
        let (id, node) = document.dereference(node).map_err(|_| DAMAGED)?;
        let own = node.as_dict().map_err(|_| DAMAGED)?;
        if id.is_some_and(|id| !seen.insert(id)) {
            // A page that is there twice, or a circle.
            continue;
        }
        match own.get_deref(b"Kids", document).and_then(Object::as_array) {
            Ok(kids) => {
                for (key, value) in INHERITED.iter().zip(&mut inherited) {
                    *value = own.get(key).ok().or(*value);
                }
                open.extend(kids.iter().rev().map(|kid| (kid, inherited)));
            }
            Err(_) if own.has_type(b"Page") => pages.push(Page { own, inherited }),
            Err(_) => return Err(DAMAGED),
        }
        if pages.len() > PAGES_MAX {
            return Err(Refusal::DocumentTooLarge { most: PAGES_MAX_SAID });
        }
    }
    if pages.is_empty() { Err(DAMAGED) } else { Ok(pages) }
}
