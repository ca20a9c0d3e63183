//! Why a case was flagged, for moderators.

use super::{Words, words};
use crate::domain::dispute::Flag;

/// The reason in words, and what to look at.
pub fn flag(flag: Flag) -> Words {
    match flag {
        Flag::OperatorUnknown => {
            words("没有运营商能够回答，需要人工核实。", "No operator could answer; somebody has to find out.")
        }
        Flag::Ported => words(
            "号码可能携号转网，运营商的答复看不到转网之前。",
            "The number may have been ported, and the operator does not see beyond that.",
        ),
        Flag::LedgerLate => words(
            "运营商台账显示号码已注销，却有人在使用：台账可能滞后。",
            "The ledger says that the number is nobody's, and somebody holds it: it may be late.",
        ),
        Flag::Reinstatement => words(
            "停用期之前没有更换机主的记录，可能是原机主复装。",
            "No change of hands before the rest: it may be the same subscriber's again.",
        ),
        Flag::HarmAtRest => words(
            "号码停用期间仍有诈骗、违法类标记；通过需要两人。",
            "Harm was reported from the number while it was at rest; an approval needs two people.",
        ),
        Flag::MarkedAtRest => words(
            "号码停用期间仍有人标记：可能没有停用就换了机主，也可能启用日期报得太晚；通过需要两人。",
            "The number was marked while it was at rest: it may have changed hands without one, or earlier than the \
             operator told; an approval needs two people.",
        ),
        Flag::NameSourceUnknown => words(
            "显示名称的来源不明，不能只凭运营商的答复清除。",
            "Nobody told where the displayed name comes from, so the operator's word alone does not clear it.",
        ),
        Flag::NameIsWarning => words(
            "显示名称是用户的警示，不是商户名称。",
            "The displayed name is people's warning, not a business's name.",
        ),
        Flag::NamesMixed => words(
            "部分显示名称是登记的名称，部分不是。",
            "Some of the displayed names are the subscriber's, some are not.",
        ),
        Flag::RevertedBefore => words(
            "两位审核员曾撤销同样的更正，规则不会再次作出。",
            "Two people took back just this before, so that no rule decides it again.",
        ),
        Flag::ControlUnproved => words(
            "没有运营商能确认号码属于该单位；通过需要材料和两人。",
            "No operator could say that the number is the enterprise's; an approval needs documents and two \
             people.",
        ),
        Flag::NeighboursCluster => {
            words("近期相邻号码的申诉很多。", "There were many filings of late for numbers next to this one.")
        }
        Flag::AddressCluster => words(
            "近期来自同一网络地址段的申诉很多。",
            "There were many filings of late from the same network prefix.",
        ),
        Flag::ContactCluster => words(
            "近期使用同一联系号码的申诉很多。",
            "There were many filings of late with the same contact.",
        ),
        Flag::Appeal => words(
            "申请人对上次的决定提出申诉，须由另一位审核员处理。",
            "The holder appeals: another moderator than the last one decides.",
        ),
    }
}
