//! What the console says of its own accord.

use crate::http::words::Words;

/// What was done, by the word in the address that one was sent on to.
pub(super) fn done(word: &str) -> Option<Words> {
    Some(match word {
        "logged_out" => Words { zh: "您已退出。", en: "You are logged out." },
        "key_revoked" => Words { zh: "密钥已吊销。", en: "The key is revoked." },
        "moderator_disabled" => Words {
            zh: "账号已停用，其会话已结束。",
            en: "The account is disabled and its sessions are over.",
        },
        "moderator_enabled" => Words { zh: "账号已启用。", en: "The account is enabled." },
        "sessions_ended" => Words { zh: "会话已全部结束。", en: "All sessions are over." },
        "approved" => Words {
            zh: "已通过，更正随即发布。",
            en: "Approved: the correction goes out at once.",
        },
        "awaits_second" => Words {
            zh: "已签名，等第二位审核员确认。",
            en: "Signed. A second moderator has to confirm.",
        },
        "refused" => {
            Words { zh: "已拒绝，申请人会收到通知。", en: "Refused; the holder is told." }
        }
        "documents_asked" => {
            Words { zh: "已请申请人补充材料。", en: "The holder is asked for documents." }
        }
        "sent_back" => Words {
            zh: "未确认，案件转回审核。",
            en: "Not confirmed; the case goes back to review.",
        },
        "asked_again" => Words {
            zh: "运营商的答复已超过一天，正在重新核实；之后案件会再次出现。",
            en: "The operator's answers were older than a day and are asked for anew; the case comes back then.",
        },
        "given_back" => Words { zh: "案件已交回队列。", en: "The case is back in the queue." },
        "nothing_waits" => Words {
            zh: "现在没有您可以处理的案件。",
            en: "There is no case for you at the moment.",
        },
        "reversal_begun" => Words {
            zh: "已签名。另一位审核员签名后，更正即被撤销。",
            en: "Signed. The correction is taken back once another moderator has signed too.",
        },
        "reversal_done" => Words {
            zh: "两人均已签名，更正已撤销。",
            en: "Two people have signed: the correction is taken back.",
        },
        "reversal_discarded" => Words {
            zh: "签名已作废，更正保持不变。",
            en: "The signature is struck; the correction stands.",
        },
        "batch_release_begun" => Words {
            zh: "已签名放行，等另一位审核员。",
            en: "Signed for release; another moderator has to.",
        },
        "batch_released" => Words {
            zh: "两人均已签名，暂扣的行正在发布。",
            en: "Two people have signed: what was held is being published.",
        },
        "batch_discard_begun" => Words {
            zh: "已签名作废，等另一位审核员。",
            en: "Signed for discarding; another moderator has to.",
        },
        "batch_discarded" => Words {
            zh: "两人均已签名，暂扣的行已作废。",
            en: "Two people have signed: what was held is discarded.",
        },
        _ => return None,
    })
}
