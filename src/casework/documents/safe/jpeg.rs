//! The segments of a JPEG (ITU-T T.81, annex B): enough to tell a whole file
//! from a truncated one, and to leave out what says where a picture was taken.

use std::ops::Range;

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const COMMENT: u8 = 0xfe;

/// Decoders fill up what is missing; a picture without its end is refused.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    walk(bytes, |_, _| {}).is_some()
}

/// The same picture without comments, Exif, XMP, thumbnails, and whatever
/// follows its end. Not touched: how its colours are meant (APP0, APP14).
pub(super) fn without_metadata(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut kept = vec![0xff, SOI];
    walk(bytes, |marker, segment| {
        if !matches!(marker, COMMENT | 0xe1..=0xed | 0xef) {
            kept.extend_from_slice(&bytes[segment]);
        }
    })?;
    Some(kept)
}

/// Visits each marker with its segment and the scan behind it, up to and with
/// the end's. `None`: there is no end.
fn walk(bytes: &[u8], mut visit: impl FnMut(u8, Range<usize>)) -> Option<()> {
    let mut at = bytes.starts_with(&[0xff, SOI]).then_some(2)?;
    loop {
        let start = at;
        // Any number of these may stand before a marker.
        while bytes.get(at..at + 2)? == [0xff, 0xff] {
            at += 1;
        }
        let (0xff, marker) = (*bytes.get(at)?, *bytes.get(at + 1)?) else { return None };
        at += 2;
        match marker {
            EOI => {
                visit(marker, start..at);
                return Some(());
            }
            0x01 | 0xd0..=0xd7 => {}
            0x00 | SOI => return None,
            _ => {
                let length = bytes.get(at..at + 2)?;
                at += usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
            }
        }
        if marker == SOS {
            at = end_of_scan(bytes, at)?;
        }
        visit(marker, start..at.min(bytes.len()));
    }
}

/// Where the next marker stands that is no part of the scan.
fn end_of_scan(bytes: &[u8], from: usize) -> Option<usize> {
    let is_end = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
    bytes.get(from..)?.windows(2).position(is_end).map(|found| from + found)
}
