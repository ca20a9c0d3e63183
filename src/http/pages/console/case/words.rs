//! Small words of a case's screen.

use crate::domain::dispute::{Actor, Control, What};
use crate::domain::evidence::Answer;
use crate::domain::label::Source;
use crate::domain::tenure::TenureEvent;
use crate::http::pages::shell::Shell;
use crate::http::words::Words;

const fn words(zh: &'static str, en: &'static str) -> Words {
    Words { zh, en }
}

pub(super) fn answer(answer: Answer) -> Words {
    match answer {
        Answer::Yes => words("是", "Yes"),
        Answer::No => words("否", "No"),
        Answer::Unknown => words("不知道", "Not known"),
    }
}

pub(super) fn source(source: Source) -> Words {
    match source {
        Source::Business => words("商户提交", "by a business"),
        Source::Partner => words("合作平台", "by a partner"),
        Source::Crowd => words("用户标记", "by people"),
        Source::Unknown => words("来源不明", "source unknown"),
    }
}

pub(super) fn tenure_event(event: TenureEvent) -> Words {
    match event {
        TenureEvent::PortedOut => words("携出", "Ported out"),
        TenureEvent::PortedIn => words("携入", "Ported in"),
        TenureEvent::Disconnected => words("销户", "Disconnected"),
        TenureEvent::Activated => words("开户", "Activated"),
        TenureEvent::Transferred => words("过户", "Transferred"),
    }
}

pub(super) fn control(control: &Control, proved: bool) -> Words {
    match (control, proved) {
        (Control::Code, _) => words("短信验证", "Proved by SMS"),
        (Control::Enterprise { .. }, true) => {
            words("企业清单，运营商已核对", "An enterprise's list, matched by the operator")
        }
        (Control::Enterprise { .. }, false) => {
            words("企业清单，尚未证实", "An enterprise's list, not proved yet")
        }
    }
}

pub(super) fn actor(actor: &Actor, shell: &Shell) -> String {
    match actor {
        Actor::Holder => shell.say("申请人", "Holder").to_owned(),
        Actor::Rule => shell.say("规则", "Rule").to_owned(),
        Actor::Moderator { name } => name.to_string(),
    }
}

/// What colleagues wrote for each other, with their reason's code.
pub(super) fn internal(what: &What) -> Option<(&str, Option<&str>)> {
    match what {
        What::DocumentsAsked { ruling, .. }
        | What::ApprovedOnce { ruling }
        | What::SecondRefused { ruling }
        | What::Approved { ruling: Some(ruling), .. } => {
            Some((ruling.reason_code.as_str(), ruling.note.as_deref()))
        }
        What::Refused(refused) => Some((refused.code.as_str(), refused.note.as_deref())),
        _ => None,
    }
}
