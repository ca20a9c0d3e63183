//! All wording for holders, Chinese and English side by side: plain, kind, and
//! with every "no" what one can do next.
//!
//! Absent: moderators' notes among themselves, operators' correlators and
//! details, and the texts of messages (they leave from `casework`).

mod flags;
mod refusals;

pub use flags::flag;

use jiff::civil::Date;

use crate::casework::control::Language;
use crate::domain::dispute::{Refused, Ruling, Status, What};
use crate::domain::evidence::{Answer, Evidence, Question};
use crate::domain::progress::{Progress, Stage};

/// One thing said in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    pub zh: &'static str,
    pub en: &'static str,
}

impl Words {
    pub fn say(self, language: Language) -> &'static str {
        match language {
            Language::Zh => self.zh,
            Language::En => self.en,
        }
    }

    /// With `{}` filled in.
    fn fill(self, language: Language, value: &str) -> String {
        self.say(language).replacen("{}", value, 1)
    }
}

const fn words(zh: &'static str, en: &'static str) -> Words {
    Words { zh, en }
}

pub fn status(status: Status) -> Words {
    match status {
        Status::Checking => words("正在向运营商核实", "We are asking the operator"),
        Status::InReview => words("审核员正在处理", "A moderator is looking at it"),
        Status::NeedsEvidence => words("需要您补充材料", "We need something more from you"),
        Status::AwaitingSecond => words("等待第二位审核员确认", "A second moderator has to confirm"),
        Status::Corrected => words("已更正", "Corrected"),
        Status::Refused => words("未获通过", "Not granted"),
        Status::Withdrawn => words("已撤回", "Withdrawn"),
        Status::Reverted => words("更正已被撤销", "The correction was taken back"),
    }
}

/// Why the answer is no, and what one can do next.
pub fn refusal(refused: &Refused, language: Language) -> String {
    let why = refusals::why_refused(&refused.code).say(language).to_owned();
    noted(why, refused.public_note.as_deref(), language)
}

/// Why the answer was no, in one sentence.
pub fn refusal_in_short(code: &str, language: Language) -> &'static str {
    let why = refusals::why_refused(code).say(language);
    let end = why.find(['。', '.', '；', ';']).unwrap_or(why.len());
    &why[..end]
}

/// A stable name for what happened.
pub fn event_name(what: &What) -> &'static str {
    match what {
        What::Filed => "filed",
        What::ControlProved => "control_proved",
        What::Flagged { .. } => "flagged",
        What::Answered(_) => "operator_answered",
        What::AskingAgain { .. } => "asking_again",
        What::SentToReview { .. } => "sent_to_review",
        What::DocumentsAsked { .. } => "documents_asked",
        What::DocumentsGiven { .. } => "documents_given",
        What::DocumentsPurged => "documents_purged",
        What::ApprovedOnce { .. } => "approved_once",
        What::SecondRefused { .. } => "second_refused",
        What::Approved { .. } => "approved",
        What::Refused(_) => "refused",
        What::RecheckAsked => "recheck_asked",
        What::Withdrawn { .. } => "withdrawn",
        What::Appealed { .. } => "appealed",
        What::Reverted { .. } => "reverted",
    }
}

/// What happened, for its holder.
pub fn event(what: &What, language: Language) -> String {
    let said = match what {
        What::Answered(evidence) => return answered(evidence, language),
        What::Refused(refused) => return refusal(refused, language),
        What::DocumentsAsked { ruling, until } => return documents_asked(ruling, *until, language),
        What::Approved { ruling: Some(Ruling { public_note: Some(note), .. }), .. } => {
            return noted(APPROVED.say(language).to_owned(), Some(note), language);
        }
        What::Approved { .. } => APPROVED,
        What::Filed => words("已收到您的申诉。", "We have your dispute."),
        What::ControlProved => words(
            "运营商确认号码登记在贵单位名下。",
            "The operator confirms that the number is the enterprise's.",
        ),
        // Moderators' own affair: it is left out of what holders see.
        What::Flagged { .. } => words("", ""),
        What::AskingAgain { .. } => words(
            "运营商的记录还没有更新到您填写的日期，我们每天会再次核实，您不需要做什么。",
            "The operator's records do not reach the date that you named yet. We ask again every day; there is \
             nothing that you need to do.",
        ),
        What::SentToReview { .. } => {
            words("已转给审核员处理。", "It was passed on to a moderator, who will look at it.")
        }
        What::DocumentsGiven { .. } => words("已收到您补充的材料。", "We have what you sent."),
        What::DocumentsPurged => words("您补充的材料已删除。", "What you sent was deleted."),
        What::ApprovedOnce { .. } => words(
            "一位审核员已同意，还需要另一位审核员确认。",
            "One moderator has agreed; another one has to confirm.",
        ),
        What::SecondRefused { .. } => words(
            "第二位审核员还有疑问，已转回继续处理。",
            "The second moderator has doubts, and the case is being looked at again.",
        ),
        What::RecheckAsked => words(
            "为了以最新的记录作出决定，我们正在再次向运营商核实。",
            "We are asking the operator once more, so that the decision rests on what is true today.",
        ),
        What::Withdrawn { by_new_tenure: false } => words("您已撤回申诉。", "You withdrew the dispute."),
        What::Withdrawn { by_new_tenure: true } => words(
            "运营商告知号码已更换机主，申诉因此结束。",
            "The operator tells us that the number has a new holder, so the case was closed.",
        ),
        What::Appealed { .. } => words(
            "已收到您的复核申请，将由另一位审核员处理。",
            "We have your appeal; another moderator will decide it.",
        ),
        What::Reverted { .. } => words(
            "两位审核员复核后撤销了这次更正。如有异议，您可以重新提交。",
            "Two moderators looked again and took the correction back. If you disagree, file again.",
        ),
    };
    said.say(language).to_owned()
}

const APPROVED: Words = words("已通过，更正随即发布。", "Granted. The correction goes out at once.");

/// A provider's code for marks that it cannot tell apart by their days.
const NO_DATED_REPORTS: &str = "no_dated_reports";
const NO_DATES: Words = words(
    "该服务商没有带日期的标记记录，无法按日期清除；请直接向该服务商申诉。",
    "This provider keeps no dates of its marks and cannot tell old ones from new ones; please turn to it.",
);

/// The name and the words of an approval's publication.
pub fn published(language: Language) -> (&'static str, String) {
    let said = words(
        "更正已发布，各标记服务商会陆续更新。",
        "The correction is published, and providers will follow it one after the other.",
    );
    (Progress::Published.as_str(), said.say(language).to_owned())
}

/// The name and the words of what happened at a provider.
pub fn step(step: &Progress, provider: &str, language: Language) -> Option<(&'static str, String)> {
    let said = match step {
        Progress::Acknowledged(Stage::Received) => words("{}已收到更正。", "{} has received the correction."),
        Progress::Acknowledged(Stage::Applied) => words("{}已采用更正。", "{} has taken up the correction."),
        Progress::Acknowledged(Stage::Serving) => {
            words("{}已按更正显示您的号码。", "{} now shows your number by the correction.")
        }
        Progress::RefusedByProvider { code, text } => {
            let said =
                words("{}没有采用这条更正", "{} did not follow the correction").fill(language, provider);
            let why = match text.as_deref() {
                Some(text) => text,
                None if code == NO_DATED_REPORTS => NO_DATES.say(language),
                None => words("请直接向该服务商申诉。", "please turn to it.").say(language),
            };
            let said = match language {
                Language::Zh => format!("{said}（{code}）：{why}"),
                Language::En => format!("{said} ({code}): {why}"),
            };
            return Some(("provider_refused", said));
        }
        Progress::Regressed => words(
            "{}又显示了旧的标记，我们已记录下来。",
            "{} shows the old marks again; we have taken note of it.",
        ),
        Progress::Pending | Progress::Published | Progress::NotCovered => return None,
    };
    Some((step.as_str(), said.fill(language, provider)))
}

/// What to tell beside a provider's status, where there is something to do or
/// to know. `appeal`: the provider's own way, in Chinese.
pub fn progress(progress: &Progress, appeal: Option<&str>, language: Language) -> Option<String> {
    let said = match progress {
        Progress::NotCovered => words(
            "这里的标记产生于您使用号码期间，不在更正范围内；请直接向该服务商申诉。",
            "These marks were made while the number was yours, so the correction does not cover them; please \
             turn to this provider.",
        ),
        Progress::RefusedByProvider { text: Some(text), .. } => return Some(text.clone()),
        Progress::RefusedByProvider { code, text: None } if code == NO_DATED_REPORTS => NO_DATES,
        Progress::RefusedByProvider { text: None, .. } => words(
            "该服务商没有采用这条更正；请直接向该服务商申诉。",
            "This provider did not follow the correction; please turn to it.",
        ),
        Progress::Regressed => {
            words("旧的标记又出现了，我们已记录下来。", "The old marks are back; we have taken note of it.")
        }
        Progress::Pending | Progress::Published | Progress::Acknowledged(_) => return None,
    };
    let way = appeal.filter(|_| *progress == Progress::NotCovered && language == Language::Zh);
    Some(match way {
        Some(way) => format!("{}{way}。", said.zh),
        None => said.say(language).to_owned(),
    })
}

fn documents_asked(ruling: &Ruling, until: Date, language: Language) -> String {
    let asked = words(
        "请在 {} 之前上传材料，例如运营商出具的入网证明或业务受理单（JPEG、PNG 或 PDF，最多 6 个，每个不超过 8 MiB）。\
         只需要看清号码、日期和运营商印章；证件号码、住址等其他内容请先涂黑。\
         材料加密保存，只有处理本申诉的审核员能看到，结案 30 天后删除。",
        "Please hand in something more by {}, such as the operator's confirmation of your contract or the \
         form that you signed (JPEG, PNG or PDF, up to 6 files of up to 8 MiB). Needed are the number, the date \
         and the operator's stamp; black out the rest first, above all the ID number and the address. It is kept \
         encrypted, seen only by the moderator who has your case, and deleted 30 days after the case is closed.",
    );
    noted(asked.fill(language, &until.to_string()), ruling.public_note.as_deref(), language)
}

/// A question and its answer. Only what the holder said themselves comes back.
fn answered(evidence: &Evidence, language: Language) -> String {
    let asked = question(&evidence.question, language);
    let answer = match evidence.answer {
        Answer::Yes => words("是。", "Yes."),
        Answer::No => words("否。", "No."),
        Answer::Unknown => words("暂时无法确定。", "Not known."),
    };
    let (by, between) = match language {
        Language::Zh => ("运营商答复：", ""),
        Language::En => ("The operator's answer: ", " "),
    };
    format!("{by}{asked}{between}{}", answer.say(language))
}

/// What an operator was asked.
pub fn question(question: &Question, language: Language) -> String {
    match question {
        Question::HeldSince { day } => {
            words("号码从 {} 起一直由现在的机主使用吗？", "Has the present holder had the number since {}?")
                .fill(language, &day.to_string())
        }
        Question::ChangedAfter { day } => {
            words("{} 之后号码更换过机主吗？", "Has the number changed hands after {}?")
                .fill(language, &day.to_string())
        }
        Question::NameIs { name } => {
            words("“{}”是登记的名称吗？", "Is “{}” the registered name?").fill(language, name)
        }
        Question::EnterpriseIs { name, .. } => words(
            "“{}”与您填写的统一社会信用代码是登记的单位吗？",
            "Are “{}” and the credit code that you gave the registered ones?",
        )
        .fill(language, name),
    }
}

fn noted(said: String, note: Option<&str>, language: Language) -> String {
    match (note, language) {
        (None, _) => said,
        (Some(note), Language::Zh) => format!("{said}审核员说明：{note}"),
        (Some(note), Language::En) => format!("{said} The moderator adds: {note}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::dispute::Flag;

    #[test]
    fn every_refusal_says_what_one_can_do_next() {
        for code in [
            "not_held_since",
            "no_change_of_holder",
            "not_rested",
            "names_agree",
            "identity_mismatch",
            "other",
        ] {
            let refused = Refused { code: code.into(), public_note: None, note: Some("internal".into()) };
            let (zh, en) = (refusal(&refused, Language::Zh), refusal(&refused, Language::En));
            assert!(zh.contains("重新提交") && en.contains("file again"), "{code}");
            assert!(!zh.contains("internal") && !en.contains("internal"), "{code}");
        }
    }

    #[test]
    fn a_public_note_is_passed_on_and_an_internal_one_is_not() {
        let ruling = Ruling {
            reason_code: "papers_unclear".into(),
            note: Some("looks forged".into()),
            public_note: Some("请上传清晰的照片".into()),
        };
        let until = jiff::civil::date(2026, 12, 8);
        let said = event(&What::DocumentsAsked { ruling: ruling.clone(), until }, Language::Zh);
        assert!(said.contains("2026-12-08") && said.ends_with("请上传清晰的照片"), "{said}");
        assert!(!said.contains("forged"));
        let once = event(&What::ApprovedOnce { ruling }, Language::En);
        assert_eq!(once, "One moderator has agreed; another one has to confirm.");
    }

    #[test]
    fn answers_are_told_without_the_operators_own_words() {
        let evidence = Evidence {
            question: Question::HeldSince { day: jiff::civil::date(2025, 3, 2) },
            answer: Answer::Unknown,
            source: "cmcc".parse().unwrap(),
            at: Timestamp::UNIX_EPOCH,
            correlator: Some("0197-secret".into()),
            detail: Some("422 SERVICE_NOT_APPLICABLE".into()),
        };
        let said = event(&What::Answered(evidence), Language::Zh);
        assert_eq!(said, "运营商答复：号码从 2025-03-02 起一直由现在的机主使用吗？暂时无法确定。");
    }

    #[test]
    fn a_providers_refusal_is_told_with_its_code_and_its_words() {
        let refused = |code: &str, text: Option<&str>| {
            let (code, text) = (code.to_owned(), text.map(str::to_owned));
            let step = Progress::RefusedByProvider { code, text };
            [Language::Zh, Language::En].map(|language| super::step(&step, "搜狗", language).unwrap())
        };
        let [zh, en] = refused("late", Some("本月不更新"));
        assert_eq!(zh, ("provider_refused", "搜狗没有采用这条更正（late）：本月不更新".to_owned()));
        assert_eq!(en.1, "搜狗 did not follow the correction (late): 本月不更新");
        for code in ["no_dated_reports", "late"] {
            let [zh, en] = refused(code, None);
            assert!(zh.1.contains(code) && zh.1.contains("申诉") && en.1.contains("please turn to it"));
        }
    }

    #[test]
    fn why_a_case_is_looked_at_is_for_moderators() {
        let said = event(&What::SentToReview { flags: vec![Flag::HarmAtRest] }, Language::En);
        assert_eq!(said, "It was passed on to a moderator, who will look at it.");
    }
}
