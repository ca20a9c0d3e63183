//! A PDF rewritten: its pages, and what is painted on them, are copied into a
//! new document (`copy`). What a page does not show stays behind: its author
//! and history, scripts, actions, attached files, forms, links, and whatever
//! nobody points at. Of annotations, the picture that they show is kept, for
//! that is how operators stamp what they issue.

mod budget;
mod copy;
mod pages;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use lopdf::{Document, LoadOptions};

use self::budget::Objection;
use self::pages::pages;
use super::unreadable;
use crate::domain::refusal::Refusal;

const PAGES_MAX: usize = 20;
const PAGES_MAX_SAID: &str = "20 pages";

const DAMAGED: Refusal = Refusal::DocumentUnreadable { why: "the PDF is damaged" };
const TOO_COMPLICATED: Refusal =
    Refusal::DocumentUnreadable { why: "the PDF is too complicated; send pictures of its pages instead" };

pub(super) fn rewritten(sent: &[u8]) -> Result<Vec<u8>, Refusal> {
    let from = read(sent)?;
    let mut copy = copy::Copy::new(&from);
    for page in pages(&from)? {
        copy.page(&page)?;
    }
    let mut rewritten = Vec::new();
    copy.finish()?.save_to(&mut rewritten).map_err(|_| DAMAGED)?;
    Ok(rewritten)
}

fn read(sent: &[u8]) -> Result<Document, Refusal> {
    budget::look_over(sent)?;
    let options = LoadOptions {
        filter: Some(budget::admit),
        max_decompressed_size: Some(budget::OBJECT_STREAM_BYTES_MAX),
        ..LoadOptions::default()
    };
    budget::begin();
    let read = catch_unwind(AssertUnwindSafe(|| Document::load_mem_with_options(sent, options)));
    match read {
        Ok(Ok(document)) if document.is_encrypted() || document.was_encrypted() => {
            Err(Objection::Encrypted.into())
        }
        Ok(document) => document.map_err(|_| DAMAGED),
        Err(stopped) => match stopped.downcast::<Objection>() {
            Ok(objection) => Err((*objection).into()),
            Err(panic) => resume_unwind(panic),
        },
    }
}

impl From<Objection> for Refusal {
    fn from(objection: Objection) -> Self {
        match objection {
            Objection::TooMuch => TOO_COMPLICATED,
            Objection::Encrypted => unreadable(
                "the PDF is locked with a password or against copying; send pictures of its pages instead",
            ),
        }
    }
}

#[cfg(test)]
mod tests;
