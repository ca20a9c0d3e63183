//! The number service's words: what is called for a question, and what its
//! answers mean.
//!
//! `DescribePhoneTwiceTelVerify` (二次放号查询, the successor of
//! `DescribePhoneNumberResale`):
//! <https://help.aliyun.com/document_detail/453355.html>;
//! `DescribePhoneNumberOnlineTime` (在网时长查询):
//! <https://help.aliyun.com/document_detail/417821.html>.
//!
//! Nothing of an answer is repeated but its code.

use jiff::civil::Date;
use serde::Deserialize;

use crate::casework::ports::{Reply, Unavailable};
use crate::domain::day::plus_days;
use crate::domain::evidence::{Answer, Question};
use crate::domain::number::Number;
use crate::gateway::aliyun::online_time::Months;
use crate::gateway::exchange::{Received, alarm, later};

const CODE_CHARS_MAX: usize = 64;
/// Of the whole account: its limits are for each second.
const THROTTLED_PAUSE_S: u64 = 1;

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    TwiceTelVerify { after: Date },
    OnlineTime { day: Date },
}

impl Call {
    /// Names are not what this service compares.
    pub fn of(question: &Question) -> Option<Self> {
        match question {
            Question::HeldSince { day } => Some(Self::OnlineTime { day: *day }),
            Question::ChangedAfter { day } => Some(Self::TwiceTelVerify { after: *day }),
            Question::NameIs { .. } | Question::EnterpriseIs { .. } => None,
        }
    }

    pub fn action(self) -> &'static str {
        match self {
            Self::TwiceTelVerify { .. } => "DescribePhoneTwiceTelVerify",
            Self::OnlineTime { .. } => "DescribePhoneNumberOnlineTime",
        }
    }

    /// "If the registration time is later than the time when a carrier assigns
    /// a number, the number is not a recycled number": one who registered as
    /// the day after `after` began was there before any assignment from that
    /// day on, and after any until the day before.
    pub fn start_time(self) -> Option<String> {
        match self {
            Self::TwiceTelVerify { after } => Some(format!("{} 00:00:00", plus_days(after, 1))),
            Self::OnlineTime { .. } => None,
        }
    }
}

/// The eleven digits of a Chinese mobile number.
pub(super) fn mobile_digits(number: Number) -> Option<String> {
    let digits = number.digits().to_string();
    let national = digits.strip_prefix("86")?;
    (national.len() == 11 && national.starts_with('1')).then(|| national.to_owned())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    code: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    verify_result: Option<Enumerated>,
}

/// A string in the documentation, a number in its elder version.
#[derive(Deserialize)]
#[serde(untagged)]
enum Enumerated {
    Text(String),
    Number(i64),
}

/// What came back for a call; `today` is the service's.
pub fn read(call: Call, received: &Received, today: Date) -> Result<Reply, Unavailable> {
    let status = received.status.as_u16();
    let body: Option<Body> = serde_json::from_slice(&received.body).ok();
    match (status, body) {
        (408 | 429 | 500.., body) => {
            let said = said(status, body.map(|body| body.code).as_deref());
            Err(Unavailable { retry_after_s: received.retry_after_s, ..later(said) })
        }
        (200, Some(Body { code, data })) if code == "OK" => {
            let result = match data.and_then(|data| data.verify_result) {
                Some(Enumerated::Text(text)) => text,
                Some(Enumerated::Number(number)) => number.to_string(),
                None => return Ok(unknown("VerifyResult missing")),
            };
            Ok(read_result(call, &result, today))
        }
        (200, None) => Err(later("200: the answer is not what the documentation says")),
        (_, Some(Body { code, .. })) => read_code(status, &code),
        (_, None) => Err(alarm(said(status, None))),
    }
}

fn read_result(call: Call, result: &str, today: Date) -> Reply {
    match (call, result) {
        (Call::TwiceTelVerify { .. }, "1") => known(Answer::Yes),
        (Call::TwiceTelVerify { .. }, "2") => known(Answer::No),
        (Call::TwiceTelVerify { .. }, "0") => unknown("cannot be determined"),
        (Call::TwiceTelVerify { .. }, "3") => unknown("deactivated"),
        (Call::TwiceTelVerify { .. }, "4") => unknown("transferred"),
        (Call::OnlineTime { day }, code) => match Months::of_code(code) {
            Some(months) => match months.held_since(day, today) {
                Answer::Unknown => unknown("the range of months leaves it open"),
                answer => known(answer),
            },
            None => unknown("no time on the net"),
        },
        _ => unknown("VerifyResult unheard of"),
    }
}

fn read_code(status: u16, code: &str) -> Result<Reply, Unavailable> {
    let said = said(status, Some(code));
    match code {
        "PortabilityNumberNotSupported"
        | "RequestNumberNotSupported"
        | "isp.PORTABILITY_NUMBER_NOT_SUPPORTED"
        | "isp.OPERATOR_LIMIT"
        | "isv.MOBILE_NUMBER_ILLEGAL" => Ok(unknown(said)),
        // This number has been asked about too often; others have not.
        "RequestFrequencyLimit" | "isp.UNKNOWN" | "isp.SYSTEM_ERROR" | "InternalError" => Err(later(said)),
        "ServiceUnavailable" => Err(later(said)),
        _ if code.starts_with("Throttling") || code == "isp.QPS_LIMIT" => {
            Err(Unavailable { retry_after_s: Some(THROTTLED_PAUSE_S), ..later(said) })
        }
        // Our key, our rights, our authorization code or our request.
        _ => Err(alarm(said)),
    }
}

/// The code, if it reads like one: digits might be the number's.
fn said(status: u16, code: Option<&str>) -> String {
    let reads_like_one = |code: &&str| {
        !code.is_empty()
            && code.len() <= CODE_CHARS_MAX
            && code.bytes().all(|b| b.is_ascii_alphabetic() || b == b'.' || b == b'_')
    };
    match code.filter(reads_like_one) {
        Some(code) => format!("{status} {code}"),
        None => status.to_string(),
    }
}

fn known(answer: Answer) -> Reply {
    Reply { answer, detail: None }
}

fn unknown(detail: impl Into<String>) -> Reply {
    Reply { answer: Answer::Unknown, detail: Some(detail.into()) }
}
