//! What a holder is told by SMS when there is news: the state and where to
//! look. Never a label, and never a credential: the number may be another's
//! by the time somebody reads it, so the link leads to a proof of control.
//!
//! Each fits two segments with a service's address of 60 characters. The link
//! comes last, after a blank, so that a phone takes nothing else into it.

use crate::domain::dispute::Status;
use crate::domain::id::{DisputeId, FilingId};
use crate::domain::language::Language;
use crate::store::FilingNews;

/// Where the service's pages are, as holders reach them.
#[derive(Debug, Clone)]
pub(super) struct Links {
    public_url: String,
}

impl Links {
    /// `public_url`: without a slash at its end.
    pub fn new(public_url: String) -> Self {
        Self { public_url }
    }

    pub fn dispute(&self, id: DisputeId) -> String {
        format!("{}/d/{id}", self.public_url)
    }

    pub fn filing(&self, id: FilingId) -> String {
        format!("{}/filings/{id}", self.public_url)
    }
}

/// None where there is nothing to tell.
pub(super) fn of_dispute(status: Status, language: Language, link: Option<String>) -> Option<String> {
    let (zh, en) = match status {
        Status::Corrected => (
            "您的号码标记申诉已通过，更正已发布。",
            "Your dispute was granted and the correction is published.",
        ),
        Status::Refused => (
            "您的号码标记申诉未获通过，可查看原因和后续办法。",
            "Your dispute was not granted. See why, and what you can do next.",
        ),
        Status::NeedsEvidence => {
            ("您的号码标记申诉需要补充材料。", "Your dispute needs something more from you.")
        }
        Status::Reverted => {
            ("您的号码标记更正已被撤回，可查看原因。", "Your correction was taken back. See why.")
        }
        _ => return None,
    };
    Some(message(language, zh, en, link))
}

pub(super) fn of_filing(news: FilingNews, language: Language, link: Option<String>) -> String {
    let (zh, en) = match news {
        FilingNews::DocumentsAsked => (
            "贵单位的批量申诉中有需要补充材料的。",
            "Some of the numbers that you filed need something more from you.",
        ),
        FilingNews::AllDecided => {
            ("贵单位的批量申诉已全部处理完毕。", "All of the numbers that you filed are decided.")
        }
    };
    message(language, zh, en, link)
}

fn message(language: Language, zh: &str, en: &str, link: Option<String>) -> String {
    match (language, link) {
        (Language::Zh, Some(link)) => format!("【正名】{zh}详情： {link}"),
        (Language::Zh, None) => format!("【正名】{zh}请打开申诉页面查看。"),
        (Language::En, Some(link)) => format!("[Zhengming] {en} {link}"),
        (Language::En, None) => format!("[Zhengming] {en} See the page of what you filed."),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn every_message_fits_two_segments_and_ends_in_its_link() {
        let links = Links::new(format!("https://{}", "h".repeat(52)));
        let id = Uuid::from_u128(u128::MAX);
        for language in [Language::Zh, Language::En] {
            let disputes = [Status::Corrected, Status::Refused, Status::NeedsEvidence, Status::Reverted]
                .map(|status| of_dispute(status, language, Some(links.dispute(DisputeId(id)))));
            let filings = [FilingNews::DocumentsAsked, FilingNews::AllDecided]
                .map(|news| Some(of_filing(news, language, Some(links.filing(FilingId(id))))));
            for said in disputes.into_iter().chain(filings).flatten() {
                // UCS-2 has 67 characters in each of several segments, GSM 153.
                let most = if said.is_ascii() { 2 * 153 } else { 2 * 67 };
                assert!(said.chars().count() <= most, "{}: {said}", said.chars().count());
                let (_, link) = said.rsplit_once(' ').unwrap_or_default();
                assert!(link.starts_with("https://") && link.ends_with(&id.to_string()), "{said}");
                assert!(!said.contains("zmd_") && !said.contains("token"), "{said}");
            }
        }
        assert_eq!(of_dispute(Status::Withdrawn, Language::En, None), None);
    }
}
