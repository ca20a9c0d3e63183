#![allow(clippy::unwrap_used)]
//! PDFs as operators, telephones and adversaries make them. All of them are
//! written here: by the library where they are sound, by hand where they are not.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use lopdf::{Dictionary, Object, Stream, dictionary};

use super::*;

/// A document with one page that says something, its objects by their numbers:
/// 1 the catalog, 2 the page tree, 3 the page, 4 its content.
fn plain() -> Document {
    let mut document = Document::with_version("1.5");
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => (2, 0) });
    document.add_object(dictionary! { "Type" => "Pages", "Kids" => vec![(3, 0).into()], "Count" => 1 });
    let resources = dictionary! { "Font" => dictionary! { "A" => dictionary! {
        "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica",
    } } };
    document.add_object(dictionary! {
        "Type" => "Page", "Parent" => (2, 0), "Contents" => (4, 0), "Resources" => resources,
        "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
    });
    let content = b"BT /A 12 Tf 72 700 Td (Opened on 2025-03-15) Tj ET".to_vec();
    document.add_object(Stream::new(Dictionary::new(), content));
    document.trailer.set("Root", catalog);
    document
}

fn dict(document: &mut Document, id: u32) -> &mut Dictionary {
    document.get_dictionary_mut((id, 0)).unwrap()
}

fn bytes(mut document: Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

fn made(document: Document) -> Document {
    Document::load_mem(&rewritten(&bytes(document)).unwrap()).unwrap()
}

fn code(sent: &[u8]) -> &'static str {
    rewritten(sent).unwrap_err().code()
}

fn contains(bytes: &[u8], part: &str) -> bool {
    memchr::memmem::find(bytes, part.as_bytes()).is_some()
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn action() -> Dictionary {
    dictionary! { "S" => "JavaScript", "JS" => Object::string_literal("app.alert('here')") }
}

#[test]
fn what_a_page_says_is_kept() {
    let made = made(plain());
    let pages = made.get_pages();
    assert_eq!(pages.len(), 1);
    assert!(contains(&made.get_page_content(pages[&1]), "Opened on 2025-03-15"));
    assert_eq!(
        made.get_page_fonts(pages[&1]).unwrap()[&b"A"[..]].get(b"BaseFont").unwrap().as_name().unwrap(),
        b"Helvetica"
    );
    let sent = bytes(plain());
    assert_eq!(rewritten(&sent).unwrap(), rewritten(&sent).unwrap(), "the same of the same");
}

#[test]
fn a_document_of_today_with_packed_objects_is_read() {
    let mut packed = Vec::new();
    plain().save_modern(&mut packed).unwrap();
    assert!(contains(&packed, "ObjStm"));
    let made = Document::load_mem(&rewritten(&packed).unwrap()).unwrap();
    assert!(contains(&made.get_page_content(made.get_pages()[&1]), "Opened on"));
}

#[test]
fn what_acts_tells_or_carries_is_left_behind() {
    let mut document = plain();
    let script = document.add_object(action());
    let launch =
        document.add_object(dictionary! { "S" => "Launch", "F" => Object::string_literal("evil.exe") });
    let file = document
        .add_object(Stream::new(dictionary! { "Type" => "EmbeddedFile" }, b"a carried file".to_vec()));
    let file = dictionary! { "Type" => "Filespec", "F" => Object::string_literal("a.exe"), "EF" => dictionary! { "F" => file } };
    let metadata = dictionary! { "Type" => "Metadata", "Subtype" => "XML" };
    let metadata = document.add_object(Stream::new(metadata, b"<x:xmpmeta>somebody".to_vec()));
    let names = dictionary! {
        "JavaScript" => dictionary! { "Names" => vec![Object::string_literal("x"), script.into()] },
        "EmbeddedFiles" => dictionary! { "Names" => vec![Object::string_literal("a"), file.clone().into()] },
    };
    let link =
        dictionary! { "Type" => "Annot", "Subtype" => "Link", "A" => launch, "Rect" => vec![0.into(); 4] };
    let info = document.add_object(dictionary! { "Author" => Object::string_literal("somebody") });
    document.trailer.set("Info", info);
    let catalog = dict(&mut document, 1);
    catalog.set("OpenAction", script);
    catalog.set("AA", dictionary! { "WC" => script });
    catalog.set("Names", names);
    catalog.set("Metadata", metadata);
    catalog.set("AcroForm", dictionary! { "XFA" => Object::string_literal("<xfa>") });
    let page = dict(&mut document, 3);
    page.set("AA", dictionary! { "O" => script });
    page.set("Annots", vec![link.into()]);
    page.set(
        "PieceInfo",
        dictionary! { "X" => dictionary! { "Private" => Object::string_literal("history") } },
    );
    page.set("AF", vec![file.clone().into()]);
    // Hidden where only things to paint with belong.
    let fonts = page.get_mut(b"Resources").unwrap().as_dict_mut().unwrap();
    fonts.set("Properties", dictionary! { "P" => script });
    fonts.set("ExtGState", dictionary! { "S" => action(), "T" => Object::from(script), "U" => file });
    let sent = bytes(document);
    let made = rewritten(&sent).unwrap();
    for told in [
        "JavaScript",
        "app.alert",
        "Launch",
        "evil.exe",
        "a.exe",
        "a carried file",
        "somebody",
        "history",
        "xfa",
        "OpenAction",
        "/AA",
        "/Info",
        "/Names",
        "/Link",
        "/AF",
        "EmbeddedFile",
        "Metadata",
        "AcroForm",
        "Author",
    ] {
        assert!(contains(&sent, told) || told == "/Link", "{told} was not there");
        assert!(!contains(&made, told), "{told} is still there");
    }
    assert!(contains(&made, "Opened on"));
}

#[test]
fn names_that_look_like_keys_are_names_where_names_stand() {
    let mut document = plain();
    let fonts = dictionary! { "AA" => dictionary! { "Type" => "Font", "BaseFont" => "Courier" } };
    let page = dict(&mut document, 3).get_mut(b"Resources").unwrap().as_dict_mut().unwrap();
    page.set("Font", fonts);
    let made = made(document);
    assert!(made.get_page_fonts(made.get_pages()[&1]).unwrap().contains_key(&b"AA"[..]));
}

#[test]
fn a_stamp_is_kept_and_does_nothing() {
    let mut document = plain();
    let seal = dictionary! { "Type" => "XObject", "Subtype" => "Form", "BBox" => vec![0.into(), 0.into(), 99.into(), 99.into()] };
    let seal = document.add_object(Stream::new(seal, b"0 0 99 99 re f % the seal".to_vec()));
    let rect = || vec![400.into(), 100.into(), 499.into(), 199.into()];
    let signed = dictionary! {
        "Type" => "Annot", "Subtype" => "Widget", "FT" => "Sig", "Rect" => rect(), "F" => 4, "A" => action(),
        "V" => dictionary! { "Type" => "Sig", "Name" => Object::string_literal("a person") },
        "AP" => dictionary! { "N" => seal },
    };
    let ticked = dictionary! {
        "Subtype" => "Widget", "Rect" => rect(), "AS" => "Yes",
        "AP" => dictionary! { "N" => dictionary! { "Yes" => seal, "Off" => Object::Null } },
    };
    let hidden =
        dictionary! { "Subtype" => "Stamp", "Rect" => rect(), "F" => 2, "AP" => dictionary! { "N" => seal } };
    let page = dict(&mut document, 3);
    page.set("Annots", vec![signed.into(), ticked.into(), hidden.into(), Object::Null, 7.into()]);
    let sent = bytes(document);
    let made = rewritten(&sent).unwrap();
    assert!(contains(&made, "the seal"));
    assert!(!contains(&made, "JavaScript") && !contains(&made, "a person") && !contains(&made, "Widget"));
    let made = Document::load_mem(&made).unwrap();
    let stamps = made.get_page_annotations(made.get_pages()[&1]).unwrap();
    assert_eq!(stamps.len(), 2);
    assert!(stamps.iter().all(|stamp| stamp.get(b"Subtype").unwrap().as_name().unwrap() == b"Stamp"));
}

#[test]
fn a_photograph_within_loses_its_place() {
    let mut document = plain();
    let mut photo = b"\xff\xd8\xff\xe1\0\x14Exif\0\0 GPS 24.4798\xff\xda\0\x02 the scan".to_vec();
    photo.extend(b"\xff\xd9 behind it");
    let head = dictionary! {
        "Type" => "XObject", "Subtype" => "Image", "Width" => 9, "Height" => 9, "Filter" => "DCTDecode",
    };
    let photo = document.add_object(Stream::new(head, photo));
    let resources = dict(&mut document, 3).get_mut(b"Resources").unwrap().as_dict_mut().unwrap();
    resources.set("XObject", dictionary! { "F" => photo });
    let made = rewritten(&bytes(document)).unwrap();
    assert!(contains(&made, "the scan") && !contains(&made, "GPS") && !contains(&made, "behind it"));
}

fn with_pages(count: u32) -> Vec<u8> {
    let mut document = plain();
    let kids: Vec<Object> = (0..count)
        .map(|_| {
            let page = dictionary! { "Type" => "Page", "Parent" => (2, 0), "Contents" => (4, 0) };
            document.add_object(page).into()
        })
        .collect();
    dict(&mut document, 2).set("Kids", kids);
    bytes(document)
}

#[test]
fn twenty_pages_are_fine_and_ten_thousand_are_not() {
    let made = Document::load_mem(&rewritten(&with_pages(20)).unwrap()).unwrap();
    assert_eq!(made.get_pages().len(), 20);
    assert_eq!(code(&with_pages(21)), "document_too_large");
    assert_eq!(code(&with_pages(10_000)), "document_too_large");
    assert_eq!(code(&with_pages(100_000)), "document_unreadable", "nobody even counts them");
}

#[test]
fn a_page_tree_that_bites_its_tail_ends() {
    let mut document = plain();
    dict(&mut document, 2).set("Kids", vec![(2, 0).into(), (3, 0).into(), (3, 0).into()]);
    assert_eq!(made(document).get_pages().len(), 1);
    let mut document = plain();
    dict(&mut document, 2).set("Kids", vec![(2, 0).into()]);
    assert_eq!(code(&bytes(document)), "document_unreadable");
    // Resources of resources, one in the other.
    let mut document = plain();
    let form = dictionary! { "Subtype" => "Form", "Resources" => dictionary! { "XObject" => dictionary! { "X" => (5, 0) } } };
    document.add_object(Stream::new(form, Vec::new()));
    let resources = dict(&mut document, 3).get_mut(b"Resources").unwrap().as_dict_mut().unwrap();
    resources.set("XObject", dictionary! { "X" => (5, 0) });
    made(document);
}

#[test]
fn a_locked_document_is_refused_however_it_is_written() {
    for key in ["/Encrypt", "/Encr#79pt", "/#45ncrypt"] {
        let sent = String::from_utf8_lossy(&bytes(plain())).into_owned();
        let lock = "<</Filter/Standard/V 1/R 2/O(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)/U(a)/P -4>>";
        let sent = sent.replacen("/Root", &format!("{key} {lock}/Root"), 1);
        let refusal = rewritten(sent.as_bytes()).unwrap_err();
        assert!(refusal.to_string().contains("locked"), "{key}: {refusal}");
    }
}

#[test]
fn decoders_with_a_history_are_not_fed() {
    for filter in ["JBIG2Decode", "JPXDecode", "Crypt", "Nonsense"] {
        let mut document = plain();
        let head = dictionary! { "Subtype" => "Image", "Width" => 9, "Height" => 9, "Filter" => filter };
        let picture = document.add_object(Stream::new(head, vec![0; 9]));
        let resources = dict(&mut document, 3).get_mut(b"Resources").unwrap().as_dict_mut().unwrap();
        resources.set("XObject", dictionary! { "X" => picture });
        assert_eq!(code(&bytes(document)), "document_unreadable", "{filter}");
    }
}

#[test]
fn pictures_and_contents_that_unpack_without_end_are_refused() {
    let mut document = plain();
    let head = dictionary! { "Filter" => "FlateDecode" };
    let bomb = Stream::new(head, deflated(&vec![b' '; 40 << 20]));
    document.objects.insert((4, 0), bomb.into());
    assert_eq!(code(&bytes(document)), "document_unreadable");
    let mut document = plain();
    let head = dictionary! { "Subtype" => "Image", "Width" => 50_000, "Height" => 50_000 };
    let picture = document.add_object(Stream::new(head, vec![0]));
    let resources = dict(&mut document, 3).get_mut(b"Resources").unwrap().as_dict_mut().unwrap();
    resources.set("XObject", dictionary! { "X" => picture });
    assert_eq!(code(&bytes(document)), "document_too_large");
}

/// The parts of a document by hand, with a table that says where they are.
fn by_hand(objects: &[String], entries_for_last: usize) -> Vec<u8> {
    let mut text = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (nth, object) in objects.iter().enumerate() {
        offsets.push(text.len());
        text += &format!("{} 0 obj\n{object}\nendobj\n", nth + 1);
    }
    let last = *offsets.last().unwrap();
    offsets.extend(std::iter::repeat_n(last, entries_for_last));
    let table = text.len();
    text += &format!("xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1);
    for offset in &offsets {
        text += &format!("{offset:010} 00000 n \n");
    }
    text += &format!("trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF", offsets.len() + 1);
    text.into_bytes()
}

fn head() -> Vec<String> {
    [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/X 4 0 R>>",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
fn a_document_that_is_larger_than_it_looks_is_not_even_read() {
    rewritten(&by_hand(&head(), 0)).unwrap();
    let long = |part: &str| [head(), vec![format!("[{}]", part.repeat((6 << 20) / part.len()))]].concat();
    for part in ["0 ", "[]", "<<>>", "/A", "()", "null ", "<</A[0]>>", "% a comment\n0 ", "(x)0 "] {
        let sent = by_hand(&long(part), 0);
        assert_eq!(budget::look_over(&sent), Err(Objection::TooMuch), "{part}");
        assert_eq!(code(&sent), "document_unreadable");
    }
    // Within a string, where it looks like one long word.
    let hidden = format!("(({})", by_hand(&long("0 "), 0).escape_ascii());
    rewritten(&by_hand(&[head(), vec![hidden]].concat(), 0)).unwrap_err();
}

#[test]
fn one_object_read_over_and_over_ends_the_reading() {
    let large = format!("[{}]", "0 ".repeat(20_000));
    let sent = by_hand(&[head(), vec![large]].concat(), 30_000);
    assert_eq!(budget::look_over(&sent), Ok(()), "it looks small");
    assert_eq!(rewritten(&sent), Err(TOO_COMPLICATED));
}

#[test]
fn an_object_stream_that_lists_one_object_over_and_over_ends_the_reading() {
    let large = format!("[{}]", "0 ".repeat(20_000));
    let index: String = (0..5_000).map(|nth| format!("{} 0 ", nth + 10)).collect();
    let content = deflated(format!("{index}{large}").as_bytes());
    let mut document = plain();
    let head = dictionary! {
        "Type" => "ObjStm", "N" => 5_000, "First" => index.len() as i64, "Filter" => "FlateDecode",
    };
    // The library would not write it: it goes in under another name.
    let id = document.add_object(Stream::new(dictionary! { "Type" => "XbjStm" }, Vec::new()));
    let mut stream = Stream::new(head, content);
    stream.dict.set("Type", "XbjStm");
    document.objects.insert(id, stream.into());
    let mut sent = bytes(document);
    let at = memchr::memmem::find(&sent, b"XbjStm").unwrap();
    sent[at] = b'O';
    assert!(sent.len() < 60_000);
    assert_eq!(budget::look_over(&sent), Ok(()), "it looks small");
    assert_eq!(rewritten(&sent), Err(TOO_COMPLICATED));
}

#[test]
fn what_is_damaged_is_refused_and_nothing_breaks() {
    let sent = bytes(plain());
    for cut in 0..sent.len() {
        let _ = rewritten(&sent[..cut]);
    }
    for at in 0..sent.len() {
        let mut sent = sent.clone();
        sent[at] ^= 0x15;
        let _ = rewritten(&sent);
    }
    let deep = "[".repeat(300_000) + &"]".repeat(300_000);
    let _ = rewritten(&by_hand(&[head(), vec![deep]].concat(), 0));
    for rubbish in [
        "%PDF-1.7\n",
        "%PDF-1.7\nstartxref\n0\n%%EOF",
        "%PDF-1.7\nxref\n0 1\ntrailer\n<<>>\nstartxref\n9\n%%EOF",
    ] {
        assert_eq!(code(rubbish.as_bytes()), "document_unreadable", "{rubbish}");
    }
}

#[test]
fn what_stands_behind_or_before_a_document_is_gone() {
    let made = rewritten(&[bytes(plain()), b"\n<html><script>alert(1)</script>".to_vec()].concat()).unwrap();
    assert!(!contains(&made, "script"));
}
