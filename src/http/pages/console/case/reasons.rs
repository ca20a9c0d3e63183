//! Why a moderator decides as they do: a code for the record, and what the
//! holder is told unless the moderator has better words.

use crate::casework::moderation::Verdict;
use crate::http::words::Words;

pub(super) struct Reason {
    pub verdict: Verdict,
    pub code: &'static str,
    pub name: Words,
    /// For the holder.
    pub note: Words,
}

const fn reason(
    verdict: Verdict,
    code: &'static str,
    name: (&'static str, &'static str),
    note: (&'static str, &'static str),
) -> Reason {
    let (name, note) = (Words { zh: name.0, en: name.1 }, Words { zh: note.0, en: note.1 });
    Reason { verdict, code, name, note }
}

/// In the order in which they are offered. Codes that the rules know too mean
/// the same here, and holders read the same about them.
pub(super) const REASONS: &[Reason] = &[
    reason(
        Verdict::Approve,
        "documents_suffice",
        ("材料足以证明", "The documents show it"),
        ("您提供的材料足以证明。", "What you handed in shows it."),
    ),
    reason(
        Verdict::Approve,
        "operator_confirmed",
        ("已向运营商核实", "The operator has confirmed it"),
        ("运营商已核实。", "The operator has confirmed it."),
    ),
    reason(
        Verdict::Approve,
        "facts_agree",
        ("已知的情况相互吻合", "What is known fits together"),
        ("经核对，已知的情况相互吻合。", "What is known fits together."),
    ),
    reason(
        Verdict::Refuse,
        "evidence_insufficient",
        ("现有情况不足以更正", "What there is does not suffice"),
        (
            "现有的情况不足以说明标记来自以前的机主。有新的材料时可以申诉复核。",
            "What there is does not show that the labels are an earlier holder's. Appeal if you have more.",
        ),
    ),
    reason(
        Verdict::Refuse,
        "not_held_since",
        ("开通晚于所填日期", "Held for less long than claimed"),
        ("", ""),
    ),
    reason(Verdict::Refuse, "no_change_of_holder", ("没有更换机主", "No change of holder"), ("", "")),
    reason(Verdict::Refuse, "not_rested", ("换机主前没有停用", "Handed on without rest"), ("", "")),
    reason(
        Verdict::Refuse,
        "names_agree",
        ("显示名称与登记一致", "The name is the registered one"),
        ("", ""),
    ),
    reason(
        Verdict::Refuse,
        "identity_mismatch",
        ("单位与登记不符", "The enterprise is not the registered one"),
        ("", ""),
    ),
    reason(
        Verdict::Ask,
        "tenure_document",
        ("需要入网证明", "A document about the tenure"),
        (
            "请提供营业厅出具的入网证明或业务受理单，需看清号码、日期和运营商的章。",
            "Please hand in the operator's confirmation of your contract: the number, the date and the operator's \
             stamp have to be seen.",
        ),
    ),
    reason(
        Verdict::Ask,
        "document_unreadable",
        ("材料看不清", "The document cannot be read"),
        (
            "上次的材料看不清，请重新拍摄后上传。",
            "What you handed in cannot be read. Please take the picture once more.",
        ),
    ),
    reason(
        Verdict::Ask,
        "name_document",
        ("需要名称的证明", "A document about the name"),
        (
            "请提供能说明号码登记在贵单位名下的材料，例如带单位名称的话费发票或业务受理单。",
            "Please hand in what shows that the number is your enterprise's, such as a bill with its name.",
        ),
    ),
];

pub(super) fn of(verdict: Verdict) -> impl Iterator<Item = &'static Reason> {
    REASONS.iter().filter(move |reason| reason.verdict == verdict)
}

pub(super) fn find(verdict: Verdict, code: &str) -> Option<&'static Reason> {
    of(verdict).find(|reason| reason.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart() {
        for (place, reason) in REASONS.iter().enumerate() {
            assert!(REASONS[..place].iter().all(|other| other.code != reason.code), "{}", reason.code);
            assert!(find(reason.verdict, reason.code).is_some());
        }
        assert!(find(Verdict::Approve, "names_agree").is_none(), "that is no reason to approve");
    }
}
