//! An entry of the log: a line of JSON that the mirror follows to the letter.

use zhengming::domain::correction::{ENTRY_BYTES_MAX, Entry};
use zhengming::feed::mirror::{leaves, strict};
use zhengming::feed::render;
use zhengming::feed::zms::Record;

const SEQ: u64 = 7;

pub fn run(data: &[u8]) {
    if let Ok(entry) = serde_json::from_slice::<Entry>(data) {
        let written = serde_json::to_vec(&entry).unwrap();
        assert_eq!(serde_json::from_slice::<Entry>(&written).unwrap(), entry);
        assert!(render::entry(SEQ, data).is_ok_and(|read| read == entry));
    }
    if let Ok(entry) = strict(SEQ, data) {
        followed(data, entry);
    }
    bundle(data);
}

/// What is followed is what is written, in every form of it.
fn followed(leaf: &[u8], entry: Entry) {
    assert_eq!(serde_json::to_vec(&entry).unwrap(), leaf);
    let line = render::ndjson(&[(SEQ, leaf)]).unwrap();
    assert_eq!([b"{".as_slice(), &line[b"{\"seq\":7,".len()..]].concat(), [leaf, b"\n"].concat());
    assert_eq!(
        render::json(&[(SEQ, leaf)]).unwrap(),
        [b"[".as_slice(), line.trim_ascii_end(), b"]"].concat()
    );
    let csv = render::csv(&[(SEQ, leaf)]).unwrap();
    let mut table = csv::Reader::from_reader(csv.as_slice());
    let row = table.records().next().unwrap().unwrap();
    assert!(table.records().next().is_none());
    assert_eq!(row.len(), render::CSV_HEADER.len());
    assert_eq!((&row[0], &row[1]), ("7", entry.number.to_string().as_str()));
    // A spreadsheet takes nothing for a formula.
    let name = entry.name.as_deref().unwrap_or_default();
    assert!(row[4] == *name || row[4] == *format!("'{name}"));
    assert!(!row[4].starts_with(['=', '+', '-', '@']));
    assert_eq!(Record::of(entry.clone()).is_none(), entry.withdrawn);
}

/// A bundle is its entries, each behind its length, and nothing else.
fn bundle(data: &[u8]) {
    for width in [0, 1, 3] {
        let Some(leaves) = leaves(data, width) else { continue };
        assert_eq!(leaves.len() as u64, width);
        assert!(leaves.iter().all(|leaf| leaf.len() <= ENTRY_BYTES_MAX));
        let with_length = |leaf: &&[u8]| [(leaf.len() as u16).to_be_bytes().as_slice(), leaf].concat();
        let again: Vec<u8> = leaves.iter().flat_map(with_length).collect();
        assert!(data.starts_with(&again));
    }
}
