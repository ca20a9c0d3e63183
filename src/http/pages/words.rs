//! What a page says when something was refused: by the problem's code, in
//! plain words, with what one can do next.
//!
//! Absent: why a dispute was refused (`http::words`): that is a decision, not
//! a problem.

use crate::casework::control::Language;
use crate::domain::dispute::Reason;
use crate::http::pages::form::Draft;
use crate::http::words::Words;

/// By code, sorted. `{}` is what belongs to it.
const PROBLEMS: &[(&str, &str, &str)] = &[
    (
        "busy",
        "现在有些忙，请稍等几秒再试。您填写的内容还在。",
        "We are busy. Wait a few seconds and try again; what you typed is still there.",
    ),
    ("code_wrong", "验证码不对，还可以再试 {} 次。", "That is not the code. You can try {} more times."),
    (
        "dispute_open",
        "这个号码已有一件同类申诉正在处理。在“您的申诉”里可以打开它查看进度。",
        "A dispute of this kind is under way already. You can open it under “Your disputes”.",
    ),
    (
        "document_damaged",
        "这份材料已损坏，或是用别的密钥保存的，打不开。",
        "This document is damaged, or was stored under another key, and cannot be opened.",
    ),
    (
        "document_purged",
        "这份材料已按规定删除（结案 30 天后）。",
        "This document was deleted, as all are 30 days after closing.",
    ),
    (
        "document_too_large",
        "文件太大，每份不超过 8 MB。可以换成拍照的图片。",
        "A file is too large: 8 MB at most. A photograph of the page will do.",
    ),
    (
        "document_type",
        "只接受 JPG、PNG 图片或 PDF 文件。",
        "Only JPEG or PNG pictures and PDF documents are taken.",
    ),
    (
        "document_unreadable",
        "有一份文件打不开（可能是空的、损坏的或加了密码）。可以拍照后上传图片。",
        "A file cannot be read: it may be empty, damaged or locked. A photograph of the page will do.",
    ),
    ("documents_too_many", "文件太多，最多 6 份。", "These are too many files: 6 at most."),
    (
        "field_malformed",
        "有一项填写的格式不对，请检查后再提交。",
        "Something is not filled in as it should be. Please check and send again.",
    ),
    (
        "filings_exhausted",
        "90 天内这个号码同类申诉的次数已用完，请过些日子再来，或在原申诉页面申诉复核。",
        "This number has used up its filings of this kind for 90 days. Come back later, or appeal on the page of \
         the earlier dispute.",
    ),
    ("forbidden", "您没有权限打开这一页。", "This page is not open to you."),
    (
        "form_stale",
        "页面放得太久了，请重新打开后再提交。",
        "This page has been open for too long. Load it again and send it once more.",
    ),
    (
        "label_needed",
        "请勾选或填写至少一个不属于您的显示名称。",
        "Tick or type at least one displayed name that is not yours.",
    ),
    (
        "lease_missing",
        "这件案子不在您手里，或领取已超时。可以领取下一件。",
        "This case is not in your hands, or the lease has run out. Take the next one.",
    ),
    (
        "login_wrong",
        "用户名、密码或动态验证码不对。每个动态验证码只能用一次。",
        "Name, password or code is wrong. Each code of the authenticator is good once.",
    ),
    (
        "method_not_offered",
        "现在不能用这种方式验证，请换一种。",
        "This way of proving is not offered at the moment. Please take the other one.",
    ),
    (
        "no_correction",
        "没有找到生效的更正，请核对编号或号码。",
        "No correction in force was found. Please check the seq or the number.",
    ),
    ("not_confirmed", "请先勾选确认。", "Tick the box first, to confirm."),
    ("not_found", "没有这一页。", "There is no such page."),
    (
        "not_in_force",
        "这条更正已不再有效，不能撤销。",
        "This correction is no longer in force, so there is nothing to take back.",
    ),
    (
        "number_malformed",
        "号码的格式不对。手机号码是 11 位数字，固定电话请带区号。",
        "That does not look like a phone number. A mobile number has 11 digits; a landline needs its area code.",
    ),
    (
        "number_unsupported",
        "目前只受理中国大陆的号码。",
        "Only numbers of mainland China are served at present.",
    ),
    (
        "opened_needed",
        "运营商没有告诉我们您的号码是何时开通的，请填写大致月份。",
        "No operator has told us since when the number is yours. Please give the month, roughly.",
    ),
    (
        "proof_of_work",
        "防滥用计算没有完成，请等进度条走完再提交。",
        "The short computation against abuse was not finished. Wait for the bar to fill and send again.",
    ),
    (
        "query_malformed",
        "地址里的条件不对，请从页面上重新筛选。",
        "Something in this address is not as it should be. Please filter anew on the page.",
    ),
    ("same_person", "这一步需要另一位审核员来做。", "This step is for another moderator than you."),
    (
        "session_ended",
        "提交前登录已过期。您填写的内容还在，请核对后再提交一次。",
        "The session had ended before this was sent. What you typed is still there: look at it and send it again.",
    ),
    (
        "sms_unreachable",
        "这种号码收不到短信（如固定电话、400、95 号码）。企业请用企业批量申诉。",
        "Numbers of this kind receive no SMS (landlines, 400, 95). Enterprises file them by list.",
    ),
    (
        "stale",
        "在您看的时候，案情有了变化。请看最新的情况再决定；您填写的内容还在。",
        "The case has changed while you looked at it. See what is new and decide again; what you typed is still \
         there.",
    ),
    (
        "too_many_requests",
        "操作太频繁了，请稍等一会儿再试。",
        "That was too often. Please wait a moment and try again.",
    ),
    (
        "unauthenticated",
        "为了安全，登录状态已过期，请重新验证。",
        "For your safety the session has ended. Please prove again who you are.",
    ),
    (
        "uscc_wrong",
        "统一社会信用代码不对，请按营业执照核对 18 位代码。",
        "The unified social credit code is wrong. Compare the 18 characters with the business licence.",
    ),
    (
        "verification_spent",
        "这次验证已失效，请重新获取。",
        "This verification has run out. Please begin anew.",
    ),
    (
        "wrong_state",
        "这件申诉现在不能这样操作，页面已更新。",
        "That cannot be done with this dispute now. The page shows where it stands.",
    ),
];

const OTHER: (&str, &str) =
    ("出了点问题，已记录下来。请稍后再试。", "Something went wrong and was noted. Please try again later.");

pub(super) fn reason(reason: Reason) -> Words {
    match reason {
        Reason::Reassigned => Words { zh: "以前机主的标记", en: "Labels of an earlier holder" },
        Reason::NameMismatch => Words { zh: "显示名称不符", en: "A displayed name that is not mine" },
    }
}

/// A provider's progress, by its stable word.
pub(super) fn progress(word: &str) -> Words {
    match word {
        "published" => Words { zh: "已发布", en: "Published" },
        "received" => Words { zh: "已收到", en: "Received" },
        "applied" => Words { zh: "已处理", en: "Applied" },
        "serving" => Words { zh: "已更新", en: "Updated" },
        "refused_by_provider" => Words { zh: "服务商未采纳", en: "Refused by the provider" },
        "not_covered" => Words { zh: "不在更正范围", en: "Not covered" },
        "regressed" => Words { zh: "又出现了", en: "Seen again" },
        _ => Words { zh: "等待中", en: "Waiting" },
    }
}

/// Which field of a list's form is wrong, and how.
pub(super) fn field(name: &str) -> Option<Words> {
    Some(match name {
        "company" => Words {
            zh: "企业名称的格式不对，请按营业执照填写。",
            en: "The company's name is not as it should be. Copy it from the business licence.",
        },
        "opened" => Words {
            zh: "月份的格式不对，例如 2025-03。",
            en: "That is no month. Write it like 2025-03.",
        },
        "numbers" => Words {
            zh: "请填写 1 至 500 个号码，每行一个。",
            en: "Give 1 to 500 numbers, one on a line.",
        },
        "name" => Words {
            zh: "请勾选显示贵单位的名称，或填写现在错误显示的名称。",
            en: "Tick to have your own name shown, or give the wrong name that is shown now.",
        },
        "note" => Words {
            zh: "补充说明太长，或含有特殊字符。",
            en: "The note is too long, or has characters that are not text.",
        },
        _ => return None,
    })
}

/// Why one number of a list was not taken.
pub(super) fn rejected(code: &str) -> Words {
    match code {
        "number_malformed" => Words {
            zh: "不是电话号码，或缺少区号",
            en: "no phone number, or its area code is missing",
        },
        "number_unsupported" => Words { zh: "不是中国大陆的号码", en: "not of mainland China" },
        "date_malformed" => {
            Words { zh: "月份不对，例如 2025-03", en: "no month; write it like 2025-03" }
        }
        "in_future" => Words { zh: "月份还没有到", en: "the month has not come yet" },
        "contradicts" => Words {
            zh: "和前面同一号码的月份不同",
            en: "another month than the same number has above",
        },
        "dispute_open" => Words {
            zh: "贵单位已为它提交过，还在处理",
            en: "you filed it before, and it is under way",
        },
        "filings_exhausted" => {
            Words { zh: "90 天内的申诉次数已用完", en: "its filings for 90 days are used up" }
        }
        "label_needed" => Words { zh: "没有指明哪个名称不对", en: "no wrong name was given" },
        "name_malformed" => Words { zh: "名称的格式不对", en: "the name is not as it should be" },
        "opened_unwanted" => {
            Words { zh: "这类申诉不需要月份", en: "this kind of dispute has no month" }
        }
        "too_many_labels" => Words { zh: "标记太多", en: "too many labels" },
        _ => Words { zh: "这一行的格式不对", en: "the line is not as it should be" },
    }
}

/// What was wrong with a form that came back; empty where nothing was.
pub(super) fn said(draft: &Draft, language: Language) -> String {
    if draft.has_problem() {
        problem(&draft.code, language).replacen("{}", &draft.more, 1)
    } else {
        String::new()
    }
}

pub(super) fn problem(code: &str, language: Language) -> String {
    let found = PROBLEMS.binary_search_by_key(&code, |(code, ..)| code).ok().map(|at| PROBLEMS[at]);
    let (zh, en) = found.map_or(OTHER, |(_, zh, en)| (zh, en));
    match language {
        Language::Zh => zh.to_owned(),
        Language::En => en.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_because_they_are_sorted() {
        assert!(PROBLEMS.is_sorted_by_key(|(code, ..)| code));
        assert!(problem("busy", Language::En).starts_with("We are busy"));
        assert_eq!(problem("no such code", Language::Zh), OTHER.0);
    }
}
