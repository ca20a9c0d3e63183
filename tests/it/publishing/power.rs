//! What power loss may leave, beyond what a killed process leaves: all that
//! was not synced is there in part, as zeroes, or as something else.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::support::dice::Dice;

const INDEX_BYTES: u64 = 12;
const ENTRY_INDEX_BYTES: u64 = 8;

/// What is beyond the recorded head was perhaps never synced.
pub fn fails(files: &Path, head: u64, dice: &mut Dice) {
    if !files.exists() {
        return;
    }
    for level in 0..8 {
        let synced = head.checked_shr(8 * level).unwrap_or(0) * 32;
        spoil(&files.join(format!("hashes-{level}")), synced, dice);
    }
    for coding in ["zstd", "gzip"] {
        let index = files.join(format!("bundles-{coding}.index"));
        let synced = head / 256 * INDEX_BYTES;
        let frames = synced.checked_sub(INDEX_BYTES).map_or(0, |last| end_of_frame(&index, last));
        spoil(&files.join(format!("bundles-{coding}")), frames, dice);
        spoil(&index, synced, dice);
    }
    let index = files.join("entries.index");
    let synced = head * ENTRY_INDEX_BYTES;
    let leaves = synced.checked_sub(ENTRY_INDEX_BYTES).map_or(0, |last| end_of_frame(&index, last));
    spoil(&files.join("entries"), leaves, dice);
    spoil(&index, synced, dice);
    // Before it was renamed.
    fs::write(files.join("checkpoint.new"), "localhost/feed\n12").unwrap();
}

fn end_of_frame(index: &Path, at: u64) -> u64 {
    let mut end = [0; 8];
    File::open(index).unwrap().read_exact_at(&mut end, at).unwrap();
    u64::from_be_bytes(end)
}

/// Of a file that is whole up to `synced`.
fn spoil(path: &Path, synced: u64, dice: &mut Dice) {
    let file = File::options().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    assert!(synced <= length, "{}: {length} bytes, and {synced} were synced", path.display());
    let from = synced + dice.roll(length - synced + 1);
    let more = usize::try_from(length - from + dice.roll(100)).unwrap();
    match dice.roll(4) {
        0 => {}
        1 => file.set_len(from).unwrap(),
        2 => file.write_all_at(&vec![0; more], from).unwrap(),
        _ => {
            let rubbish: Vec<u8> = (0..more).map(|_| dice.next() as u8).collect();
            file.write_all_at(&rubbish, from).unwrap();
        }
    }
}
