//! Documents that are small on the wire and would be enormous in memory, or
//! endless to read: each is refused, one after another, and what the program
//! ever had of memory is what a large photograph takes.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::grew_by_less_than;
use crate::process::cast::Cast;
use crate::process::house::House;
use crate::process::wire::{Reply, request};
use crate::support::parts;
use crate::support::pictures::picture;

const MIB: usize = 1024 * 1024;
/// A picture of 25 megapixels takes 128 MiB, and as much while it is made anew.
const GROWTH_MIB_MAX: u64 = 400;
/// For one of them, in a build that is not optimised.
const AT_MOST: Duration = Duration::from_secs(20);

fn hands_in(cast: &Cast<'_>, file: &[u8]) -> Reply {
    let (id, token) = cast.own("handInEvidence");
    let call = request("POST", &format!("/v1/disputes/{id}/evidence")).bearer(token);
    let call = call.body("multipart/form-data; boundary=limit", parts("file", &[file]));
    let reply = call.try_within(cast.server.public, AT_MOST).unwrap();
    call.is_as_described(&reply);
    reply
}

/// So many zeros, as they are in the middle of everything that is packed.
fn zeros(mib: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    let piece = vec![0; MIB];
    (0..mib).for_each(|_| encoder.write_all(&piece).unwrap());
    encoder.finish().unwrap()
}

fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let named = [name.as_slice(), content].concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [length.as_slice(), &named, &crc32fast::hash(&named).to_be_bytes()].concat()
}

/// A head that says this, and then these chunks.
fn png(width: u32, height: u32, depth_and_colour: [u8; 2], chunks: &[Vec<u8>]) -> Vec<u8> {
    let [depth, colour] = depth_and_colour;
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let head = chunk(b"IHDR", &[sides.as_slice(), &[depth, colour, 0, 0, 0]].concat());
    [b"\x89PNG\r\n\x1a\n".as_slice(), &head, &chunks.concat(), &chunk(b"IEND", b"")].concat()
}

/// A JPEG with another size in its head than that of its picture.
fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = picture(image::ImageFormat::Jpeg, 7);
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    bytes[frame + 5..frame + 9].copy_from_slice(&[height.to_be_bytes(), width.to_be_bytes()].concat());
    bytes
}

/// A PDF whose fifth object is this.
fn pdf(fifth: &[u8]) -> Vec<u8> {
    let plain = [
        "<< /Type /Catalog /Pages 2 0 R /Extra 5 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 5 0 R >>",
        "null",
    ];
    let mut bytes = b"%PDF-1.5\n".to_vec();
    let mut starts = Vec::new();
    for (nth, object) in plain.iter().map(|text| text.as_bytes()).chain([fifth]).enumerate() {
        starts.push(bytes.len());
        bytes.extend(format!("{} 0 obj\n", nth + 1).bytes().chain(object.iter().copied()));
        bytes.extend(b"\nendobj\n");
    }
    let table: String = starts.iter().map(|start| format!("{start:010} 00000 n \n")).collect();
    let start = bytes.len();
    let tail = format!(
        "xref\n0 6\n0000000000 65535 f \n{table}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF"
    );
    [bytes.as_slice(), tail.as_bytes()].concat()
}

/// Packed as often as is said.
fn stream(times: usize, dictionary: &str, content: &[u8]) -> Vec<u8> {
    let filters = "/FlateDecode ".repeat(times);
    let head = format!("<< {dictionary} /Filter [{filters}] /Length {} >>\nstream\n", content.len());
    [head.as_bytes(), content, b"\nendstream"].concat()
}

fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let packed = zeros(1_000);
    let data = chunk(b"IDAT", &packed);
    let twice = {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&packed).unwrap();
        encoder.finish().unwrap()
    };
    vec![
        ("50,000 by 50,000", png(50_000, 50_000, [8, 6], std::slice::from_ref(&data))),
        ("as wide as can be said", png(u32::MAX >> 1, 1, [1, 0], std::slice::from_ref(&data))),
        ("as high as can be said", png(1, u32::MAX >> 1, [1, 0], std::slice::from_ref(&data))),
        ("just within megapixels, of 16 bits", png(5_000, 5_000, [16, 6], std::slice::from_ref(&data))),
        ("65,535 by 65,535", jpeg(65_535, 65_535)),
        ("65,535 by 1", jpeg(65_535, 1)),
        ("without a height", jpeg(100, 0)),
        ("deep lists", pdf(&[vec![b'['; 200_000], vec![b']'; 200_000]].concat())),
        ("deep dictionaries", pdf(&[b"<</a".repeat(200_000), b">>".repeat(200_000)].concat())),
        ("deep strings", pdf(&[vec![b'('; 2_000_000], vec![b')'; 2_000_000]].concat())),
        ("deep lists that do not end", pdf(&vec![b'['; 4_000_000])),
        ("a page of a gigabyte", pdf(&stream(1, "", &packed))),
        ("a page of a gigabyte, packed twice", pdf(&stream(2, "", &twice))),
        ("objects of a gigabyte", pdf(&stream(1, "/Type /ObjStm /N 1 /First 4", &packed))),
        (
            "a table of a gigabyte",
            pdf(&stream(1, "/Type /XRef /Size 100000000 /W [1 8 8] /Root 1 0 R", &packed)),
        ),
        ("a number without end", pdf(&vec![b'9'; 4_000_000])),
        ("a name without end", pdf(&[b"/".to_vec(), b"#41".repeat(1_000_000)].concat())),
    ]
}

#[test]
fn what_is_enormous_once_it_is_unpacked_is_refused() {
    let house = House::new();
    let cast = Cast::gather(&house);
    let before = cast.server.process.peak_kib();
    for (name, file) in bombs() {
        assert!(file.len() < 8 * MIB, "{name}: {}", file.len());
        let reply = hands_in(&cast, &file);
        // What stands alone is left out, and an empty page is kept.
        let is_nearly_nothing =
            reply.json()["documents"][0]["bytes"].as_u64().is_some_and(|kept| kept < 1_000);
        assert!([413, 422].contains(&reply.status) || is_nearly_nothing, "{name}: {reply:?}");
    }
    grew_by_less_than(&cast.server, before, GROWTH_MIB_MAX);
    cast.server.stands();
}

/// What is told beside a picture is unpacked within what a picture may take,
/// and not kept.
#[test]
fn a_picture_with_a_gigabyte_of_words_is_taken_without_them() {
    let house = House::new();
    let cast = Cast::gather(&house);
    let before = cast.server.process.peak_kib();
    let packed = zeros(1_000);
    let plain = picture(image::ImageFormat::Png, 9);
    let (head, rest) = plain.split_at(33);
    for (name, start) in [(b"zTXt", b"a\0\0".as_slice()), (b"iTXt", b"a\0\x01\0\0\0"), (b"iCCP", b"a\0\0")] {
        let file = [head, &chunk(name, &[start, &packed].concat()), rest].concat();
        let handed = hands_in(&cast, &file).json();
        assert!(handed["documents"][0]["bytes"].as_u64().is_some_and(|bytes| bytes < 10_000), "{handed}");
    }
    grew_by_less_than(&cast.server, before, GROWTH_MIB_MAX);
    cast.server.stands();
}
