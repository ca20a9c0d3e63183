//! What the console says of its own accord.

use crate::http::words::Words;

/// What was done, by the word in the address that one was sent on to.
pub(super) fn done(word: &str) -> Option<Words> {
    Some(match word {
        "logged_out" => Words { zh: "您已退出。", en: "You are logged out." },
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
