//! Signed notes and what is read out of them: checkpoints, sums of snapshots,
//! receipts. Of every input twice: as a note, and as a text that our key signs.

use std::sync::LazyLock;

use zhengming::feed::checkpoint::Checkpoint;
use zhengming::feed::mirror::SnapshotSum;
use zhengming::feed::note::{NOTE_BYTES_MAX, NoteSigner, NoteVerifier};
use zhengming::feed::receipt::Receipt;
use zhengming::feed::snapshot::{KEY_NAME_SUFFIX, Sum};

use super::proofs::{LEAVES, LOG};
use super::wire::{Answers, at_once, signer};

static SIGNER: LazyLock<NoteSigner> = LazyLock::new(signer);
static OF_SUMS: LazyLock<NoteSigner> = LazyLock::new(|| SIGNER.under(KEY_NAME_SUFFIX).unwrap());

pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(verifier) = text.parse::<NoteVerifier>() {
        assert_eq!(verifier.to_string(), text);
    }
    note(text, &SIGNER);
    note(text, &OF_SUMS);
    let lines = format!("{text}\n");
    let is_text = !lines.chars().any(|c| c < ' ' && c != '\n');
    if is_text && lines.len() < NOTE_BYTES_MAX - 1_000 {
        for signer in [&*SIGNER, &*OF_SUMS] {
            let signed = signer.sign(&lines);
            assert_eq!(signer.verifier().open(&signed), Ok(lines.as_str()));
            read(&signed);
        }
    }
    receipt(text);
}

/// What is believed was signed by this key: Ed25519 signs a text in one way.
fn note(note: &str, signer: &NoteSigner) {
    let Ok(text) = signer.verifier().open(note) else { return };
    let signed = signer.sign(text);
    let line = signed.strip_prefix(text).and_then(|line| line.strip_prefix('\n')).unwrap();
    assert!(note.starts_with(text) && note[text.len()..].contains(line), "nobody signed {text:?}");
    read(note);
}

fn read(note: &str) {
    if let Ok(checkpoint) = Checkpoint::open(note, SIGNER.verifier()) {
        assert_eq!(Checkpoint::open(&checkpoint.sign(&SIGNER), SIGNER.verifier()), Ok(checkpoint));
    }
    let sum = Sum::open(note, OF_SUMS.verifier());
    if let Ok(sum) = &sum {
        assert_eq!(Sum::open(&sum.sign(&OF_SUMS), OF_SUMS.verifier()).as_ref(), Ok(sum));
    }
    // The mirror reads it with less of an idea what forms there are.
    let size = note.lines().nth(1).unwrap_or_default();
    let location = format!("/feed/v1/snapshots/{size}.ndjson");
    let answers = Answers { body: note.as_bytes().to_vec(), location, piece: 1 };
    let theirs = at_once(SnapshotSum::newest(&answers.log(SIGNER.verifier())));
    if let (Ok(theirs), Ok(sum)) = (theirs, sum) {
        assert_eq!((theirs.size, theirs.root, theirs.count), (sum.size, sum.root, sum.count));
    }
}

/// What verifies is an entry of the log, at its place.
fn receipt(text: &str) {
    let Ok(receipt) = text.parse::<Receipt>() else { return };
    assert_eq!(receipt.to_string(), text);
    if let Ok((entry, checkpoint)) = receipt.verify(SIGNER.verifier()) {
        assert_eq!(checkpoint, LOG.checkpoint);
        assert!(receipt.index < LEAVES);
        assert_eq!(receipt.entry, LOG.leaf(receipt.index));
        assert_eq!(entry.leaf(), receipt.entry);
    }
    // And the same proof under the checkpoint as it should be.
    let honest = Receipt { checkpoint: LOG.note(), ..receipt };
    if honest.verify(SIGNER.verifier()).is_ok() {
        assert_eq!(honest.entry, LOG.leaf(honest.index));
    }
}
