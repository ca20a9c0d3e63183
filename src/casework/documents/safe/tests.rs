//! Pictures as people, cameras and adversaries make them.

use image::{DynamicImage, GrayImage, Rgb, RgbImage, RgbaImage};

use super::*;
use crate::domain::document::DocumentKind::{Jpeg, Png};

fn photo() -> DynamicImage {
    RgbImage::from_fn(60, 40, |x, y| Rgb([x as u8 * 4, y as u8 * 6, 99])).into()
}

fn sent(kind: DocumentKind) -> Vec<u8> {
    picture::encoded(kind, &photo()).unwrap()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}

/// Puts a segment behind a JPEG's first two bytes.
fn with_segment(mut jpeg: Vec<u8>, marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    let segment = [&[0xff, marker], &length[..], content].concat();
    jpeg.splice(2..2, segment);
    jpeg
}

fn exif(orientation: u8) -> Vec<u8> {
    let entry = [1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0];
    [&b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01"[..], &entry, &[0; 4], b"GPS 24.4798N 118.0894E"].concat()
}

fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let named = [name, content].concat();
    [&length[..], &named, &crc32fast::hash(&named).to_be_bytes()].concat()
}

/// Puts chunks behind a PNG's header.
fn with_chunks(mut png: Vec<u8>, chunks: &[Vec<u8>]) -> Vec<u8> {
    png.splice(33..33, chunks.concat());
    png
}

fn header(width: u32, height: u32) -> Vec<u8> {
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &[&sides[..], &[8, 2, 0, 0, 0]].concat())].concat()
}

fn code(made: Result<Vec<u8>, Refusal>) -> &'static str {
    made.unwrap_err().code()
}

#[test]
fn a_picture_is_kept_as_a_picture_of_its_kind() {
    for kind in [Jpeg, Png] {
        let made = made_of(kind, &sent(kind)).unwrap();
        assert_eq!(DocumentKind::sniff(&made), Some(kind));
        let (was, is) = (photo().into_rgb8(), picture::decoded(kind, &made).unwrap().into_rgb8());
        assert_eq!(was.dimensions(), is.dimensions());
        let most = was.iter().zip(is.iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(most <= if kind == Png { 0 } else { 40 }, "{most}");
        assert_eq!(made_of(kind, &sent(kind)).unwrap(), made, "the same of the same");
    }
    let grey = DynamicImage::from(GrayImage::new(9, 9));
    let clear = DynamicImage::from(RgbaImage::new(9, 9));
    for (kind, picture) in [(Jpeg, &grey), (Png, &grey), (Png, &clear)] {
        made_of(kind, &picture::encoded(kind, picture).unwrap()).unwrap();
    }
}

#[test]
fn where_a_picture_was_taken_is_forgotten_and_how_it_was_held_is_heeded() {
    let sent = with_segment(sent(Jpeg), 0xe1, &exif(6));
    let sent = with_segment(sent, 0xfe, b"a comment");
    assert!(contains(&sent, b"GPS") && contains(&sent, b"a comment"));
    let made = made_of(Jpeg, &sent).unwrap();
    for told in [&b"Exif"[..], b"GPS", b"24.4798", b"a comment"] {
        assert!(!contains(&made, told), "{}", told.escape_ascii());
    }
    let picture = picture::decoded(Jpeg, &made).unwrap();
    assert_eq!((picture.width(), picture.height()), (40, 60), "it was held upright");
    let texts = [chunk(b"tEXt", b"Author\0somebody"), chunk(b"eXIf", &exif(1)[6..])];
    let made = made_of(Png, &with_chunks(super::tests::sent(Png), &texts)).unwrap();
    assert!(!contains(&made, b"somebody") && !contains(&made, b"GPS"));
}

#[test]
fn what_hides_behind_a_picture_is_gone() {
    let zip = b"PK\x03\x04 an archive";
    let page = b"<html><script>alert(1)</script>";
    let pdf = b"%PDF-1.7 another one";
    for (kind, behind) in [(Png, &zip[..]), (Jpeg, page), (Jpeg, pdf), (Png, page)] {
        let made = made_of(kind, &[&sent(kind), behind].concat()).unwrap();
        assert!(!contains(&made, behind), "{}", behind.escape_ascii());
    }
    // Two pictures in one file, as some cameras write them.
    let made = made_of(Jpeg, &[sent(Jpeg), with_segment(sent(Jpeg), 0xe1, &exif(1))].concat()).unwrap();
    assert!(!contains(&made, b"GPS"));
}

#[test]
fn of_an_animation_the_first_picture_is_kept() {
    let plays = [[0, 0, 0, 2], [0, 0, 0, 0]].concat();
    let sides = [60u32.to_be_bytes(), 40u32.to_be_bytes()].concat();
    let frame = |nth: u8| [&[0, 0, 0, nth][..], &sides, &[0; 8], &[0, 1, 0, 10, 0, 0]].concat();
    let mut sent = with_chunks(sent(Png), &[chunk(b"acTL", &plays), chunk(b"fcTL", &frame(0))]);
    let end = sent.len() - 12;
    let more = [chunk(b"fcTL", &frame(1)), chunk(b"fdAT", b"\0\0\0\x02 nobody sees this")];
    sent.splice(end..end, more.concat());
    let made = made_of(Png, &sent).unwrap();
    assert!(!contains(&made, b"acTL") && !contains(&made, b"nobody"));
    assert_eq!(picture::decoded(Png, &made).unwrap().into_rgb8(), photo().into_rgb8());
}

#[test]
fn a_picture_that_would_fill_the_memory_is_refused_by_its_head() {
    let nothing = [0x78, 0x9c, 3, 0, 0, 0, 0, 1];
    for (width, height) in [(50_000, 50_000), (20_000, 20_000), (1, 20_001), (u32::MAX, 1), (5_001, 5_000)] {
        let sent = [header(width, height), chunk(b"IDAT", &nothing), chunk(b"IEND", b"")].concat();
        assert_eq!(code(made_of(Png, &sent)), "document_too_large", "{width} by {height}");
    }
    let mut sent = sent(Jpeg);
    let frame = memchr::memmem::find(&sent, b"\xff\xc0").unwrap();
    sent[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    assert_eq!(code(made_of(Jpeg, &sent)), "document_too_large");
    sent[frame + 5..frame + 9].copy_from_slice(&[0x13, 0x89, 0x13, 0x89]);
    assert_eq!(code(made_of(Jpeg, &sent)), "document_too_large");
}

#[test]
fn a_picture_that_is_not_whole_is_refused() {
    for kind in [Jpeg, Png] {
        let sent = sent(kind);
        let cuts = [3, 10, 30, sent.len() / 2, sent.len() - 20, sent.len() - 13];
        for cut in cuts {
            let made = made_of(kind, &sent[..cut]);
            assert_eq!(code(made), "document_unreadable", "{kind:?}: {cut} of {}", sent.len());
        }
    }
    let whole = sent(Jpeg);
    for cut in 0..whole.len() {
        assert!(!jpeg::is_whole(&whole[..cut]), "{cut} of {}", whole.len());
    }
    assert!(jpeg::is_whole(&whole));
}

#[test]
fn rubbish_is_refused_and_nothing_breaks() {
    for kind in [Jpeg, Png, DocumentKind::Pdf] {
        for bytes in
            [&b""[..], b"\0", b"\xff\xd8\xff\xd9", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7", b"%PDF-1.7\n%%EOF"]
        {
            assert_eq!(
                code(made_of(kind, bytes)),
                "document_unreadable",
                "{kind:?} {}",
                bytes.escape_ascii()
            );
        }
        // Every byte wrong once: refused or made of, but never a panic.
        let sent = if kind == Png { sent(Png) } else { sent(Jpeg) };
        for at in 0..sent.len() {
            let mut sent = sent.clone();
            sent[at] ^= 0x55;
            let _ = made_of(kind, &sent);
        }
    }
}

#[test]
fn a_jpeg_loses_what_is_told_beside_its_picture() {
    let plain = sent(Jpeg);
    let told = with_segment(with_segment(plain.clone(), 0xe1, &exif(1)), 0xfe, b"hello");
    let told = [told, b"behind".to_vec()].concat();
    assert_eq!(jpeg::without_metadata(&told).unwrap(), jpeg::without_metadata(&plain).unwrap());
    assert_eq!(jpeg::without_metadata(b"\xff\xd8 no picture"), None);
    let colours = with_segment(plain, 0xee, b"Adobe\0d\0\0\0\0\x01");
    assert!(contains(&jpeg::without_metadata(&colours).unwrap(), b"Adobe"));
}
