//! Whether a receipt is genuine, and if not, why not in plain words.

use crate::casework::control::Language;
use crate::domain::correction::Entry;
use crate::feed::Feed;
use crate::feed::checkpoint::CheckpointError;
use crate::feed::note::{NoteError, NoteVerifier};
use crate::feed::receipt::{RECEIPT_BYTES_MAX, Receipt, ReceiptError};

/// What somebody wrote in the place of a log's name is repeated up to here.
const ORIGIN_CHARS_MAX: usize = 80;

#[derive(Debug)]
pub(super) struct Genuine {
    pub entry: Entry,
    pub index: u64,
    /// Of the log when it was signed.
    pub size: u64,
    pub origin: String,
    /// The key that it was checked with.
    pub verifier: String,
    pub is_of_former_log: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotGenuine {
    Nothing,
    TooLarge,
    NoReceipt,
    Damaged,
    /// By what it says of itself.
    OtherLog(String),
    OtherKey,
    WrongSignature,
    NotIncluded,
    Unknown,
}

/// By this log's key, or by that of a log which was kept here before.
pub(super) fn verdict(feed: &Feed, bytes: &[u8]) -> Result<Genuine, NotGenuine> {
    let text = as_written(bytes).ok_or(NotGenuine::NoReceipt)?;
    let receipt: Receipt = text.parse().map_err(|error| NotGenuine::of(&error, None))?;
    let origin = receipt.checkpoint.lines().next().unwrap_or_default();
    let former = feed.all_former().map(|log| log.verifier());
    let is_its_own = |verifier: &&NoteVerifier| verifier.name() == origin;
    let mut first = None;
    for verifier in std::iter::once(feed.verifier()).chain(former).filter(is_its_own) {
        match receipt.verify(verifier) {
            Ok((entry, checkpoint)) => {
                return Ok(Genuine {
                    entry,
                    index: receipt.index,
                    size: checkpoint.size,
                    origin: origin.to_owned(),
                    verifier: verifier.to_string(),
                    is_of_former_log: verifier != feed.verifier(),
                });
            }
            // The key that signed it knows best what is wrong.
            Err(error) => match first {
                None | Some(NotGenuine::OtherKey) => first = Some(NotGenuine::of(&error, Some(origin))),
                Some(_) => {}
            },
        }
    }
    Err(first.unwrap_or_else(|| NotGenuine::OtherLog(shortened(origin))))
}

/// Browsers send lines with CR LF, and pasting adds blanks around the text.
fn as_written(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.trim_start_matches('\u{feff}').trim().replace("\r\n", "\n");
    Some(text + "\n")
}

fn shortened(origin: &str) -> String {
    origin.chars().filter(|c| !c.is_control()).take(ORIGIN_CHARS_MAX).collect()
}

impl NotGenuine {
    fn of(error: &ReceiptError, origin: Option<&str>) -> Self {
        match error {
            ReceiptError::NoReceipt => Self::NoReceipt,
            ReceiptError::Malformed(_) | ReceiptError::Checkpoint(CheckpointError::Malformed) => {
                Self::Damaged
            }
            ReceiptError::Checkpoint(CheckpointError::OtherOrigin(other)) => Self::OtherLog(shortened(other)),
            ReceiptError::Checkpoint(CheckpointError::Note(why)) => match why {
                NoteError::Malformed => Self::Damaged,
                NoteError::NotSigned { name } if origin == Some(name) => Self::OtherKey,
                NoteError::NotSigned { .. } => Self::OtherLog(shortened(origin.unwrap_or_default())),
                NoteError::WrongSignature { .. } => Self::WrongSignature,
            },
            ReceiptError::NotIncluded { .. } => Self::NotIncluded,
            ReceiptError::NoEntry { .. } => Self::Unknown,
        }
    }

    /// `ours`: this log's name.
    pub fn said(&self, ours: &str, language: Language) -> String {
        let most = RECEIPT_BYTES_MAX / 1024;
        let said = |zh: &str, en: &str| match language {
            Language::Zh => zh.to_owned(),
            Language::En => en.to_owned(),
        };
        match self {
            Self::Nothing => said("请粘贴回执，或选择回执文件。", "Paste a receipt, or choose its file."),
            Self::TooLarge => said(
                &format!("太大了：回执最多 {most} KiB。请确认选对了文件。"),
                &format!("That is too large: a receipt has {most} KiB at most. Is it the right file?"),
            ),
            Self::NoReceipt => said(
                "这不是回执：回执的第一行是 c2sp.org/tlog-proof@v1。请从第一行起整份粘贴。",
                "This is no receipt: one begins with c2sp.org/tlog-proof@v1. Paste all of it, from its first line on.",
            ),
            Self::Damaged => said(
                "回执不完整，或被改动过。请重新下载，再整份核对。",
                "The receipt is cut or was changed. Download it again and check the whole of it.",
            ),
            Self::OtherLog(origin) => said(
                &format!("这份回执说它来自另一个日志（{origin}）。这里只能核对 {ours} 的回执。"),
                &format!(
                    "This receipt says that it is of another log ({origin}). Only those of {ours} can be checked here."
                ),
            ),
            Self::OtherKey => said(
                "不是真的：它用了我们日志的名字，却不是用我们的密钥签的。",
                "Not genuine: it has our log's name, but was not signed with our key.",
            ),
            Self::WrongSignature => said(
                "不是真的：签名不对，签名后内容被改动过，或签名是伪造的。",
                "Not genuine: the signature is wrong. It was changed after signing, or forged.",
            ),
            Self::NotIncluded => said(
                "不是真的：签名没有问题，但证明不成立，日志的这个位置没有这一条。",
                "Not genuine: the signature is good, but the proof is not. The log does not have this entry at that place.",
            ),
            Self::Unknown => said(
                "日志的这个位置确实是它，但这里读不懂它的格式，可能来自更新的版本。",
                "The log has it at that place, but its format is not known here. It may be of a newer release.",
            ),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_do_to_a_text_is_undone() {
        assert_eq!(as_written(b"\xef\xbb\xbf\r\n a\r\nb \r\n\r\n").unwrap(), "a\nb\n");
        assert_eq!(as_written(b"a\xff"), None);
    }

    #[test]
    fn every_no_is_said_in_both_languages() {
        let other = NotGenuine::OtherLog(shortened(&format!("\u{7}{}", "x".repeat(500))));
        for why in [
            NotGenuine::Nothing,
            NotGenuine::TooLarge,
            NotGenuine::NoReceipt,
            NotGenuine::Damaged,
            other,
            NotGenuine::OtherKey,
            NotGenuine::WrongSignature,
            NotGenuine::NotIncluded,
            NotGenuine::Unknown,
        ] {
            let (zh, en) = (why.said("ours", Language::Zh), why.said("ours", Language::En));
            assert!(zh.ends_with('。') && en.ends_with(['.', '?']) && en.len() < 250, "{zh} {en}");
        }
        let large = NotGenuine::TooLarge.said("ours", Language::Zh);
        assert!(large.contains("72 KiB"), "{large}");
    }
}
