//! The files of `fixtures/zms/`: the encoder makes exactly them.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::*;

/// Set, the files are written instead of compared.
const WRITE: &str = "ZHENGMING_ZMS_VECTORS_WRITE";

#[derive(Deserialize)]
struct Head {
    origin: String,
    size: u64,
    root: String,
    count: u64,
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/zms").join(name)
}

fn plain(name: &str) -> (Header, Vec<Record>) {
    let text = fs::read_to_string(path(&format!("{name}.ndjson"))).unwrap();
    let (head, lines) = text.split_once('\n').unwrap();
    let head: Head = serde_json::from_str(head).unwrap();
    let records: Vec<Record> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(head.count, records.len() as u64);
    let root = STANDARD.decode(head.root).unwrap().try_into().unwrap();
    (Header { origin: head.origin, size: head.size, root }, records)
}

pub(super) fn file(name: &str) -> Vec<u8> {
    fs::read(path(&format!("{name}.zms"))).unwrap()
}

#[test]
fn each_is_made_to_the_byte_and_read_back() {
    for name in ["empty", "one", "names", "blocks"] {
        let (header, records) = plain(name);
        let made = encoded(&header, &records);
        if std::env::var_os(WRITE).is_some() {
            fs::write(path(&format!("{name}.zms")), &made).unwrap();
        }
        let file = file(name);
        assert!(made == file, "{name}: other bytes; is it another version of the format?");
        let mut decoder = Decoder::open(Cursor::new(&file)).unwrap();
        assert_eq!(decoder.header(), &header, "{name}");
        assert_eq!(decoder.count(), records.len() as u64, "{name}");
        let back: Vec<Record> = decoder.records().collect::<Result<_, _>>().unwrap();
        assert!(back == records, "{name}");
    }
}
