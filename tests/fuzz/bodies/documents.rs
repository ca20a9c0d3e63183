//! Documents that holders hand in: what is made of them is of the same kind, is
//! taken again, can be marked, and has nothing in it that it should not have.

use lopdf::{Document, Object};
use zhengming::casework::documents::safe::made_of;
use zhengming::casework::documents::watermark::marked;
use zhengming::domain::document::DocumentKind;

use super::memory::bounded;

const MARK: &str = "li-lei 2026-11-23 03:04 UTC";
/// Larger ones are decoded all the same, and take their time.
const PIXELS_MAX: u64 = 1_000_000;
const INPUT_BYTES_MAX: usize = 64 * 1024;
/// What makes a viewer do something, or carries a second file.
const NOT_LET_THROUGH: [&[u8]; 8] =
    [b"AA", b"EF", b"JS", b"Metadata", b"OpenAction", b"AcroForm", b"Names", b"URI"];

pub fn pictures(data: &[u8]) {
    let Some(kind @ (DocumentKind::Jpeg | DocumentKind::Png)) = DocumentKind::sniff(data) else { return };
    if data.len() > INPUT_BYTES_MAX || pixels(data) > PIXELS_MAX {
        return;
    }
    // Four bytes for a pixel, in some copies.
    let Ok(made) = bounded(data, 64 << 20, 64, || made_of(kind, data)) else { return };
    assert_eq!(DocumentKind::sniff(&made), Some(kind));
    let again = made_of(kind, &made).expect("what we made is fine");
    if kind == DocumentKind::Png {
        assert_eq!(again, made);
    }
    for secret in [b"Exif\0\0".as_slice(), b"http://ns.adobe.com/xap/", b"tEXt", b"iTXt", b"eXIf"] {
        assert!(
            made.len() > 4_096 || memchr::memmem::find(&made, secret).is_none(),
            "{secret:?} came through"
        );
    }
    let marked = marked(kind, &made, MARK).expect("what we made can be marked");
    assert_eq!(DocumentKind::sniff(&marked), Some(kind));
}

/// As far as it is told in a place that is easily found; else few.
fn pixels(data: &[u8]) -> u64 {
    let side = |at: usize, bytes: usize| {
        let side = data.get(at..at + bytes).unwrap_or_default();
        side.iter().fold(0u64, |side, byte| side << 8 | u64::from(*byte))
    };
    if data.starts_with(b"\x89PNG") {
        return side(16, 4).saturating_mul(side(20, 4));
    }
    let frames = memchr::memchr_iter(0xff, data).filter(|at| matches!(data.get(at + 1), Some(0xc0..=0xc2)));
    frames.map(|at| side(at + 5, 2) * side(at + 7, 2)).max().unwrap_or_default()
}

pub fn pdfs(data: &[u8]) {
    if data.len() > INPUT_BYTES_MAX || DocumentKind::sniff(data) != Some(DocumentKind::Pdf) {
        return;
    }
    let made = bounded(data, 192 << 20, 2_048, || made_of(DocumentKind::Pdf, data));
    let Ok(made) = made else { return };
    assert_eq!(DocumentKind::sniff(&made), Some(DocumentKind::Pdf));
    let document = Document::load_mem(&made).expect("what we made can be read");
    assert!((1..=20).contains(&document.page_iter().count()));
    document.objects.values().for_each(harmless);
    made_of(DocumentKind::Pdf, &made).expect("what we made is fine");
    marked(DocumentKind::Pdf, &made, MARK).expect("what we made can be marked");
}

fn harmless(object: &Object) {
    match object {
        Object::Array(items) => items.iter().for_each(harmless),
        Object::Dictionary(dict) => all_harmless(dict),
        Object::Stream(stream) => all_harmless(&stream.dict),
        _ => {}
    }
}

fn all_harmless(dict: &lopdf::Dictionary) {
    let kind = dict.get(b"Type").and_then(Object::as_name).unwrap_or_default();
    assert!(![b"Action".as_slice(), b"EmbeddedFile", b"Filespec"].contains(&kind), "{dict:?}");
    if [b"Page".as_slice(), b"Catalog", b"Annot"].contains(&kind) {
        let is_let_through = |key: &&[u8]| dict.has(key);
        assert!(!NOT_LET_THROUGH.iter().any(is_let_through), "{dict:?}");
    }
    dict.iter().for_each(|(_, value)| harmless(value));
}
