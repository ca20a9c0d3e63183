//! What the rooms of this house call things, in few words: for columns,
//! choices and badges.

use crate::domain::correction::{Entry, EntryReason, InForce, NameAction};
use crate::domain::dispute::{Flag, Status};
use crate::domain::evidence::Assurance;
use crate::http::pages::shell::Shell;
use crate::http::words::Words;

const fn words(zh: &'static str, en: &'static str) -> Words {
    Words { zh, en }
}

/// Of a case that waits.
pub(in super::super) fn status(status: Status) -> Words {
    match status {
        Status::Checking => words("向运营商核实", "Asking the operator"),
        Status::InReview => words("待审核", "To be reviewed"),
        Status::NeedsEvidence => words("待补材料", "Waits for documents"),
        Status::AwaitingSecond => words("待第二人", "Waits for a second person"),
        Status::Corrected => words("已更正", "Corrected"),
        Status::Refused => words("未通过", "Refused"),
        Status::Withdrawn => words("已撤回", "Withdrawn"),
        Status::Reverted => words("已撤销", "Reverted"),
    }
}

pub(in super::super) fn flag(flag: Flag) -> Words {
    match flag {
        Flag::OperatorUnknown => words("运营商未知", "Operator does not know"),
        Flag::Ported => words("携号转网", "Ported"),
        Flag::LedgerLate => words("台账滞后", "Ledger late"),
        Flag::Reinstatement => words("疑似复装", "Reinstated?"),
        Flag::HarmAtRest => words("停用期有害标记", "Harm while at rest"),
        Flag::MarkedAtRest => words("停用期有标记", "Marked while at rest"),
        Flag::NameSourceUnknown => words("名称来源不明", "Name of unknown source"),
        Flag::NameIsWarning => words("名称是警示", "Name is a warning"),
        Flag::NamesMixed => words("名称部分相符", "Names mixed"),
        Flag::RevertedBefore => words("曾被撤销", "Reverted before"),
        Flag::ControlUnproved => words("控制权未证实", "Control not proved"),
        Flag::NeighboursCluster => words("相邻号码集中", "Cluster of neighbours"),
        Flag::AddressCluster => words("同网段集中", "Cluster of one network"),
        Flag::ContactCluster => words("同联系人集中", "Cluster of one contact"),
        Flag::Appeal => words("申请复核", "Appeal"),
    }
}

/// How old a case is, by the class that `Queue` counts it in.
pub(super) const AGES: [(&str, Words); 5] = [
    ("0", words("不满 1 天", "Under a day")),
    ("1", words("1 天", "1 day")),
    ("2-4", words("2–4 天", "2–4 days")),
    ("5-9", words("5–9 天", "5–9 days")),
    ("10+", words("10 天以上", "10 days and more")),
];

pub(super) fn entry_reason(reason: EntryReason) -> Words {
    match reason {
        EntryReason::Reassigned => words("以前机主的标记", "An earlier holder's labels"),
        EntryReason::NameMismatch => words("显示名称不符", "A name that was wrong"),
        EntryReason::Released => words("运营商告知换机主", "Released by the operator"),
        EntryReason::TenureEnded => words("在网期结束", "The tenure ended"),
        EntryReason::Renewed => words("名称续期", "A name renewed"),
        EntryReason::Reverted => words("撤销更正", "A reversal"),
    }
}

/// What an entry says of its number's labels.
pub(super) fn published(entry: &Entry) -> Option<InForce> {
    (!entry.withdrawn).then(|| InForce {
        void_before: entry.void_before,
        name_action: entry.name_action,
        name: entry.name.clone(),
        name_until: entry.name_until,
        assurance: entry.assurance,
    })
}

/// What a correction says, one line for each thing; none where there is none.
pub(super) fn says(shell: &Shell, correction: Option<&InForce>) -> Vec<String> {
    let Some(correction) = correction else { return Vec::new() };
    let mut lines = Vec::new();
    if let Some(day) = correction.void_before {
        let said = words("{} 以前的标记作废", "Marks from before {} are void");
        lines.push(shell.words(&said).replacen("{}", &day.to_string(), 1));
    }
    match (correction.name_action, &correction.name, correction.name_until) {
        (NameAction::Keep, ..) => {}
        (NameAction::Set, Some(name), Some(until)) => {
            let said = words("显示“{}”，到 {} 为止", "“{}” is shown, until {}");
            let said = shell.words(&said).replacen("{}", name, 1);
            lines.push(said.replacen("{}", &until.to_string(), 1));
        }
        (NameAction::Clear | NameAction::Set, ..) => {
            lines.push(shell.say("此前的显示名称作废", "Names known before are void").to_owned());
        }
    }
    let rests_on = match correction.assurance {
        Assurance::Operator => words("依据：运营商", "Rests on the operator's word"),
        Assurance::Document => words("依据：材料", "Rests on documents"),
    };
    lines.push(shell.words(&rests_on).to_owned());
    lines
}
