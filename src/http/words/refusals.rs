//! Why the answer was no, and what one can do next, in the holder's words.

use super::{Words, words};

pub(super) fn why_refused(code: &str) -> Words {
    match code {
        "not_held_since" => words(
            "运营商的记录显示，这个号码到您名下的时间比您填写的更晚。请在营业厅或运营商 App 查询入网时间，然后重新提交，不必提供其他材料。",
            "By the operator's records the number became yours later than you said. Look up when your contract \
             began, at a shop or in the operator's app, and simply file again. Nothing else is needed.",
        ),
        "not_rested" => words(
            "运营商的记录显示，这个号码换机主之前没有停用过，或者停用期间仍有人标记它的来电，而且换机主之后还没有安静满 90 天。请在号码安静满 90 天之后重新提交，届时不必提供任何材料；如果您认为这些标记与您无关，可以申诉，由审核员复核。",
            "By the operator's records the number did not rest before it became yours, or its calls were marked \
             while it should have, and it has not been quiet for 90 days since. Once it has, simply file again: \
             nothing else is needed. If you think that these marks are not about you, appeal, and a moderator \
             will look at it.",
        ),
        "no_change_of_holder" => words(
            "运营商的记录显示，您填写的时间前后号码没有更换过机主。可能这些标记是在现在的合约期间产生的，可能号码开通得更早，也可能号码登记在单位或家人名下。请核对开通时间后重新提交；如果您认为记录有误，可以申诉，由审核员复核。",
            "By the operator's records the number did not change hands around the time that you named. The marks \
             may be from the time of the present contract, the contract may have begun earlier, or it may be in \
             the name of a company or of your family. Check the date and file again; if you think that the \
             records are wrong, appeal, and a moderator will look at it.",
        ),
        "names_agree" => words(
            "运营商确认，现在显示的名称与号码登记的名称一致，因此没有可以更正的内容。如果登记的名称已经变更，请先到运营商处更新，再重新提交；如有异议，可以申诉。",
            "The operator confirms that the displayed name is the registered one, so there is nothing to correct. \
             If your name has changed, have the operator update it and file again; if you disagree, appeal.",
        ),
        "identity_mismatch" => words(
            "您填写的单位名称或统一社会信用代码与运营商登记的不一致。请对照营业执照核对两项内容，或请运营商更新登记，然后重新提交；如有异议，可以申诉。",
            "The company name or credit code that you gave differs from what the operator has. Compare both with \
             the business licence, or have the operator update its records, and file again; if you disagree, \
             appeal.",
        ),
        "opened_needed" => words(
            "没有运营商告诉我们号码的开通时间。请填写大致的开通月份后重新提交。",
            "No operator has told us when the number became yours. Say in which month, and file again.",
        ),
        "control_unproved" => words(
            "无法确认号码登记在贵单位名下。请核对单位名称和统一社会信用代码后重新提交，也可以申诉并提供材料。",
            "It could not be established that the number is the enterprise's. Check the company name and credit \
             code and file again, or appeal and show documents.",
        ),
        "evidence_lapsed" => words(
            "补充材料的期限已过，这次申诉因此结束。材料备齐后可以重新提交，也可以申诉。",
            "The time for sending what we asked for is over, and the case was closed. File again once you have \
             it, or appeal.",
        ),
        _ => words(
            "审核员看过现有的信息，认为还不足以更正。您可以核对后重新提交，也可以写明理由申诉，由另一位审核员处理。",
            "A moderator looked at what there is and found that it does not suffice for a correction. Check it \
             and file again, or appeal and say why: another moderator will decide.",
        ),
    }
}
