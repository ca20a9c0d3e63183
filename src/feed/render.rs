//! The bytes of a page of corrections: NDJSON, a JSON array, or CSV.
//!
//! NDJSON and JSON carry the leaves untouched, with `seq` put in front: who
//! takes it out again has what was hashed. CSV is for eyes and spreadsheets.
//!
//! Absent: which of the three a caller wants, and which entries they may see.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::domain::correction::{Entry, EntryReason, NameAction};
use crate::domain::evidence::Assurance;
use crate::domain::number::Number;

/// A leaf of the log that is no entry: the store is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq} of the log is malformed")]
pub struct LeafMalformed {
    pub seq: u64,
}

/// How a page can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageForm {
    Ndjson,
    Json,
    Csv,
}

impl PageForm {
    pub fn render(self, entries: &[(u64, &[u8])]) -> Result<Vec<u8>, LeafMalformed> {
        match self {
            Self::Ndjson => ndjson(entries),
            Self::Json => json(entries),
            Self::Csv => csv(entries),
        }
    }
}

/// One object a line, each line ended with LF.
pub fn ndjson(entries: &[(u64, &[u8])]) -> Result<Vec<u8>, LeafMalformed> {
    let mut out = Vec::with_capacity(json_bytes(entries));
    for &(seq, leaf) in entries {
        numbered(&mut out, seq, leaf)?;
        out.push(b'\n');
    }
    Ok(out)
}

/// The same objects as one array.
pub fn json(entries: &[(u64, &[u8])]) -> Result<Vec<u8>, LeafMalformed> {
    let mut out = Vec::with_capacity(json_bytes(entries));
    out.push(b'[');
    for (place, &(seq, leaf)) in entries.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        numbered(&mut out, seq, leaf)?;
    }
    out.push(b']');
    Ok(out)
}

/// One of them alone.
pub fn object(seq: u64, leaf: &[u8]) -> Result<Vec<u8>, LeafMalformed> {
    let mut out = Vec::with_capacity(leaf.len() + SEQ_BYTES);
    numbered(&mut out, seq, leaf)?;
    Ok(out)
}

pub const CSV_HEADER: [&str; 10] = [
    "seq",
    "number",
    "void_before",
    "name_action",
    "name",
    "name_until",
    "reason",
    "assurance",
    "withdrawn",
    "at",
];

/// RFC 4180 but for the line's end, which is LF as in NDJSON; null is empty.
/// The header is there even when nothing else is.
///
/// A name that a spreadsheet would take for a formula gets an apostrophe in
/// front. No confirmed company name begins like that, and programs that must
/// have the very name take it from JSON. Numbers keep their `+`: digits behind
/// a plus are only a number.
pub fn csv(entries: &[(u64, &[u8])]) -> Result<Vec<u8>, LeafMalformed> {
    let out = Vec::with_capacity(CSV_LINE_BYTES * (entries.len() + 1));
    let mut table = Table::new(out).expect("a Vec takes every byte");
    for &(seq, leaf) in entries {
        table.row(seq, entry(seq, leaf)?).expect("a Vec takes every byte");
    }
    Ok(table.finish().expect("a Vec takes every byte"))
}

/// The same row by row, for tables that do not fit in memory.
#[derive(Debug)]
pub struct Table<W: Write>(csv::Writer<W>);

impl<W: Write> Table<W> {
    pub fn new(out: W) -> io::Result<Self> {
        let mut table = csv_writer(out);
        table.write_record(CSV_HEADER)?;
        Ok(Self(table))
    }

    pub fn row(&mut self, seq: u64, entry: Entry) -> io::Result<()> {
        Ok(self.0.serialize(Row::from(seq, entry))?)
    }

    pub fn finish(self) -> io::Result<W> {
        self.0.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// A row without the header.
pub fn csv_line(seq: u64, entry: Entry) -> Vec<u8> {
    let mut row = Table(csv_writer(Vec::with_capacity(CSV_LINE_BYTES)));
    row.row(seq, entry).expect("a Vec takes every byte");
    row.finish().expect("a Vec takes every byte")
}

/// The header without a row.
pub fn csv_header() -> Vec<u8> {
    csv(&[]).expect("nothing is malformed in no entries")
}

fn csv_writer<W: Write>(out: W) -> csv::Writer<W> {
    csv::WriterBuilder::new().has_headers(false).from_writer(out)
}

/// The entry that a leaf is the bytes of.
pub fn entry(seq: u64, leaf: &[u8]) -> Result<Entry, LeafMalformed> {
    serde_json::from_slice(leaf).map_err(|_| LeafMalformed { seq })
}

/// About what a line takes, so that buffers are made once.
const CSV_LINE_BYTES: usize = 112;
const SEQ_BYTES: usize = br#""seq":18446744073709551615,"#.len() + 1;

fn json_bytes(entries: &[(u64, &[u8])]) -> usize {
    2 + entries.iter().map(|(_, leaf)| leaf.len() + SEQ_BYTES).sum::<usize>()
}

fn numbered(out: &mut Vec<u8>, seq: u64, leaf: &[u8]) -> Result<(), LeafMalformed> {
    let fields = leaf.strip_prefix(b"{").ok_or(LeafMalformed { seq })?;
    out.extend_from_slice(b"{\"seq\":");
    out.extend_from_slice(seq.to_string().as_bytes());
    out.push(b',');
    out.extend_from_slice(fields);
    Ok(())
}

/// Fields in the header's order.
#[derive(Serialize)]
struct Row {
    seq: u64,
    number: Number,
    void_before: Option<Date>,
    name_action: NameAction,
    name: Option<String>,
    name_until: Option<Date>,
    reason: EntryReason,
    assurance: Assurance,
    withdrawn: bool,
    at: Timestamp,
}

impl Row {
    fn from(seq: u64, entry: Entry) -> Self {
        Self {
            seq,
            number: entry.number,
            void_before: entry.void_before,
            name_action: entry.name_action,
            name: entry.name.map(no_formula),
            name_until: entry.name_until,
            reason: entry.reason,
            assurance: entry.assurance,
            withdrawn: entry.withdrawn,
            at: entry.at,
        }
    }
}

/// Spreadsheets of East Asian locales know the full-width signs too.
fn no_formula(mut name: String) -> String {
    if name.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        name.insert(0, '\'');
    }
    name
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VOID: &[u8] = br#"{"v":1,"number":"+8613800138000","void_before":"2025-03-01","name_action":"keep","name":null,"name_until":null,"reason":"reassigned","assurance":"operator","withdrawn":false,"supersedes":null,"at":"2026-11-23T03:04:05Z","salt":"AAECAwQFBgcICQoLDA0ODw"}"#;
    const SHOWN: &str = r#"{"v":1,"number":"+8695588","void_before":null,"name_action":"set","name":"甲, \"乙\" 有限公司","name_until":"2027-02-21","reason":"name_mismatch","assurance":"document","withdrawn":false,"supersedes":3,"at":"2026-11-23T03:04:06Z","salt":"AAECAwQFBgcICQoLDA0ODw"}"#;
    const GONE: &[u8] = br#"{"v":1,"number":"+8613800138000","void_before":null,"name_action":"keep","name":null,"name_until":null,"reason":"reverted","assurance":"operator","withdrawn":true,"supersedes":0,"at":"2026-11-24T00:00:00Z","salt":"AAECAwQFBgcICQoLDA0ODw"}"#;

    fn page() -> [(u64, &'static [u8]); 3] {
        [(0, VOID), (9, SHOWN.as_bytes()), (10, GONE)]
    }

    #[test]
    fn ndjson_is_the_leaf_behind_its_number() {
        let expected = r#"{"seq":0,"v":1,"number":"+8613800138000","void_before":"2025-03-01","name_action":"keep","name":null,"name_until":null,"reason":"reassigned","assurance":"operator","withdrawn":false,"supersedes":null,"at":"2026-11-23T03:04:05Z","salt":"AAECAwQFBgcICQoLDA0ODw"}
{"seq":9,"v":1,"number":"+8695588","void_before":null,"name_action":"set","name":"甲, \"乙\" 有限公司","name_until":"2027-02-21","reason":"name_mismatch","assurance":"document","withdrawn":false,"supersedes":3,"at":"2026-11-23T03:04:06Z","salt":"AAECAwQFBgcICQoLDA0ODw"}
{"seq":10,"v":1,"number":"+8613800138000","void_before":null,"name_action":"keep","name":null,"name_until":null,"reason":"reverted","assurance":"operator","withdrawn":true,"supersedes":0,"at":"2026-11-24T00:00:00Z","salt":"AAECAwQFBgcICQoLDA0ODw"}
"#;
        assert_eq!(String::from_utf8(ndjson(&page()).unwrap()).unwrap(), expected);
        assert_eq!(ndjson(&[]), Ok(Vec::new()));
    }

    #[test]
    fn json_is_an_array_of_the_same() {
        let expected = r#"[{"seq":0,"v":1,"number":"+8613800138000","void_before":"2025-03-01","name_action":"keep","name":null,"name_until":null,"reason":"reassigned","assurance":"operator","withdrawn":false,"supersedes":null,"at":"2026-11-23T03:04:05Z","salt":"AAECAwQFBgcICQoLDA0ODw"},{"seq":10,"v":1,"number":"+8613800138000","void_before":null,"name_action":"keep","name":null,"name_until":null,"reason":"reverted","assurance":"operator","withdrawn":true,"supersedes":0,"at":"2026-11-24T00:00:00Z","salt":"AAECAwQFBgcICQoLDA0ODw"}]"#;
        assert_eq!(String::from_utf8(json(&[(0, VOID), (10, GONE)]).unwrap()).unwrap(), expected);
        assert_eq!(json(&[]).unwrap(), b"[]");
        let alone = object(10, GONE).unwrap();
        assert!(expected.ends_with(&format!(",{}]", String::from_utf8(alone).unwrap())));
    }

    #[test]
    fn csv_has_the_fixed_header() {
        let expected = r#"seq,number,void_before,name_action,name,name_until,reason,assurance,withdrawn,at
0,+8613800138000,2025-03-01,keep,,,reassigned,operator,false,2026-11-23T03:04:05Z
9,+8695588,,set,"甲, ""乙"" 有限公司",2027-02-21,name_mismatch,document,false,2026-11-23T03:04:06Z
10,+8613800138000,,keep,,,reverted,operator,true,2026-11-24T00:00:00Z
"#;
        assert_eq!(String::from_utf8(csv(&page()).unwrap()).unwrap(), expected);
        assert_eq!(
            csv(&[]).unwrap(),
            b"seq,number,void_before,name_action,name,name_until,reason,assurance,withdrawn,at\n"
        );
    }

    #[test]
    fn a_name_is_no_formula() {
        for (name, shown) in [
            ("=HYPERLINK(1)", "9,+8695588,,set,'=HYPERLINK(1),"),
            ("＋1", "9,+8695588,,set,'＋1,"),
            ("@SUM(1,2)", "9,+8695588,,set,\"'@SUM(1,2)\","),
            ("a=b", "9,+8695588,,set,a=b,"),
        ] {
            let leaf = SHOWN.replace(r#"甲, \"乙\" 有限公司"#, name);
            let table = String::from_utf8(csv(&[(9, leaf.as_bytes())]).unwrap()).unwrap();
            assert!(table.lines().nth(1).unwrap().starts_with(shown), "{table}");
        }
    }

    #[test]
    fn a_damaged_leaf_is_said_so() {
        for leaf in [&b""[..], b"x", b"[]"] {
            assert_eq!(ndjson(&[(7, leaf)]), Err(LeafMalformed { seq: 7 }));
            assert_eq!(json(&[(7, leaf)]), Err(LeafMalformed { seq: 7 }));
            assert_eq!(csv(&[(7, leaf)]), Err(LeafMalformed { seq: 7 }));
        }
        assert_eq!(csv(&[(7, b"{}")]), Err(LeafMalformed { seq: 7 }));
    }

    proptest! {
        #[test]
        fn without_seq_a_line_is_the_leaf(seqs in prop::collection::vec(any::<u64>(), 0..20)) {
            let entries: Vec<_> = seqs.iter().map(|&seq| (seq, page()[(seq % 3) as usize].1)).collect();
            let lines = String::from_utf8(ndjson(&entries).unwrap()).unwrap();
            prop_assert!(lines.len() <= json_bytes(&entries));
            prop_assert_eq!(lines.lines().count(), seqs.len());
            for (line, (seq, leaf)) in lines.lines().zip(entries) {
                let line = line.replacen(&format!("\"seq\":{seq},"), "", 1);
                prop_assert_eq!(line.as_bytes(), leaf);
            }
        }
    }
}
