//! Files that are not what an encoder wrote.

use super::vectors::file;
use super::*;
use crate::feed::zms::bytes::Bytes;

/// Every record before an error is right, and there is an error.
fn assert_refused(damaged: &[u8], truth: &[Record], what: &str) {
    let Ok(mut decoder) = Decoder::open(Cursor::new(damaged)) else { return };
    let mut read = decoder.records();
    for expected in truth {
        match read.next() {
            Some(Ok(record)) => assert!(record == *expected, "{what}: a wrong record"),
            Some(Err(_)) => return,
            None => panic!("{what}: it ends without an error"),
        }
    }
    assert!(matches!(read.next(), Some(Err(_))), "{what}: not noticed");
}

fn flip(file: &[u8], bit: usize) -> Vec<u8> {
    let mut flipped = file.to_vec();
    flipped[bit / 8] ^= 1 << (bit % 8);
    flipped
}

#[test]
fn every_flipped_bit_is_noticed() {
    for (name, every) in [("empty", 1), ("one", 1), ("names", 1), ("blocks", 131)] {
        let file = file(name);
        let truth = decoded(&file).unwrap();
        for bit in (0..8 * file.len()).step_by(every) {
            assert_refused(&flip(&file, bit), &truth, &format!("{name}, bit {bit}"));
        }
    }
}

#[test]
fn every_end_that_is_missing_or_too_much_is_noticed() {
    for name in ["empty", "one", "names"] {
        let file = file(name);
        let truth = decoded(&file).unwrap();
        for bytes in 0..file.len() {
            assert_refused(&file[..bytes], &truth, &format!("{name}, {bytes} bytes"));
        }
        assert_refused(&[&file[..], b"\0"].concat(), &truth, name);
    }
}

#[test]
fn an_error_is_the_last_thing_said() {
    let file = file("blocks");
    let mut decoder = Decoder::open(Cursor::new(flip(&file, 8 * file.len() / 2))).unwrap();
    assert_eq!(decoder.records().filter(Result::is_err).count(), 1);
}

#[test]
fn other_files_and_other_versions_are_refused() {
    let mut file = file("one");
    for other in [&b""[..], b"zms", b"PK\x03\x04", b"{\"v\":1}\n", &[0; 400]] {
        assert!(matches!(decoded(other), Err(ZmsError::NotZms)), "{other:?}");
    }
    file[7] = 2;
    assert!(matches!(decoded(&file), Err(ZmsError::VersionUnknown(2))));
    file[6..8].copy_from_slice(&[0xff; 2]);
    assert!(matches!(decoded(&file), Err(ZmsError::VersionUnknown(0xffff))));
}

#[test]
fn a_block_of_another_snapshot_is_not_taken() {
    let records: Vec<Record> = (0..10).map(|nth| void(8_613_800_000_000 + nth, "2025-03-01")).collect();
    let one = encoded(&header(), &records);
    let other = encoded(&Header { size: 78, ..header() }, &records);
    let block = parts(&one)[1].clone();
    let mut mixed = other;
    mixed[block.clone()].copy_from_slice(&one[block]);
    assert!(matches!(decoded(&mixed), Err(ZmsError::Damaged("a checksum is wrong"))));
}

/// Header, blocks, and index with trailer: each ends with its CRC.
fn parts(file: &[u8]) -> Vec<std::ops::Range<usize>> {
    let u32_at = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let index_at = file.len() - TRAILER_BYTES - u32_at(file.len() - TRAILER_BYTES);
    let mut index = Bytes(&file[index_at..file.len() - TRAILER_BYTES]);
    let header = 0..u32_at(8);
    let mut parts = vec![header];
    while !index.is_empty() {
        index.varint().unwrap();
        let at = parts.last().unwrap().end;
        parts.push(at..at + index.varint().unwrap() as usize);
    }
    parts.push(index_at..file.len());
    parts
}

/// Makes all checksums right again.
fn seal(file: &mut [u8], parts: &[std::ops::Range<usize>]) {
    let mut sum = crc32fast::hash(&file[..parts[0].end - CRC_BYTES]);
    let seal = sum;
    for part in parts {
        let body = part.start..part.end - CRC_BYTES;
        if part.start > 0 {
            sum = crc(seal, &file[body.clone()]);
        }
        file[body.end..part.end].copy_from_slice(&sum.to_be_bytes());
    }
}

/// What is read of it, if anything, are records that could be.
fn assert_possible(file: &[u8]) {
    let Ok(mut decoder) = Decoder::open(Cursor::new(file)) else { return };
    let read: Vec<Record> = decoder.records().map_while(Result::ok).collect();
    assert!(read.is_sorted_by(|a, b| a.number < b.number));
    for digits in [8_613_800_138_000, 8_695_588, 1_000_000] {
        let _ = decoder.find(number(digits));
    }
    for record in read {
        Statistics::default().observe(&record).unwrap();
    }
}

proptest! {
    #[test]
    fn rubbish_is_refused(rubbish in prop::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(decoded(&rubbish).is_err());
        let with_head = [&b"zmsnap\0\x01\0\0\0\x60"[..], &rubbish].concat();
        prop_assert!(decoded(&with_head).is_err());
    }

    /// Somebody who means harm can make checksums, but not a reader that
    /// panics, never ends or takes all memory.
    #[test]
    fn sealed_rubbish_does_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        name in prop::sample::select(vec!["empty", "one", "names"]),
    ) {
        let mut file = file(name);
        let parts = parts(&file);
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        seal(&mut file, &parts);
        assert_possible(&file);
    }
}
