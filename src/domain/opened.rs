//! When a holder says the number was opened for them: a day or a month.
//!
//! Absent: what is asked of an operator about it (the date window).

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The first mobile service in China opened in this month.
const EARLIEST: (i16, i8) = (1987, 11);

/// "2025-03-01" or "2025-03".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Opened {
    Day(Date),
    Month { year: i16, month: i8 },
}

/// Why a text does not say when a number was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenedError {
    #[error("write a day like 2025-03-01 or a month like 2025-03")]
    Malformed,
    #[error("there is no such day or month")]
    NoSuchDate,
    #[error("there were no mobile numbers before November 1987")]
    TooEarly,
    #[error("it lies in the future")]
    InFuture,
}

impl Opened {
    /// As people write it: `2025.3`, `2025年3月1日`, `202503`.
    pub fn parse_typed(text: &str) -> Result<Self, OpenedError> {
        let spaced = text.replace(|c: char| "年月日号/.．-－".contains(c), " ");
        let parts: Vec<&str> = spaced.split_whitespace().collect();
        let parts = match parts[..] {
            // All in one: a year, a month and perhaps a day.
            [all] if [6, 8].contains(&all.len()) && all.bytes().all(|b| b.is_ascii_digit()) => {
                let (year, rest) = all.split_at(4);
                let (month, day) = rest.split_at(2);
                [year, month, day].into_iter().filter(|part| !part.is_empty()).collect()
            }
            _ => parts,
        };
        let padded: Vec<String> = parts.iter().map(|part| format!("{part:0>2}")).collect();
        padded.join("-").parse()
    }

    pub fn first_day(self) -> Date {
        match self {
            Self::Day(day) => day,
            Self::Month { year, month } => {
                Date::new(year, month, 1).expect("only months that exist are parsed")
            }
        }
    }

    pub fn last_day(self) -> Date {
        match self {
            Self::Day(day) => day,
            Self::Month { .. } => self.first_day().last_of_month(),
        }
    }

    /// Refuses what has not begun by `today`. The present month has.
    pub fn not_after(self, today: Date) -> Result<Self, OpenedError> {
        if self.first_day() > today { Err(OpenedError::InFuture) } else { Ok(self) }
    }
}

impl FromStr for Opened {
    type Err = OpenedError;

    fn from_str(text: &str) -> Result<Self, OpenedError> {
        let (year, month, day) = match *text.as_bytes() {
            [y1, y2, y3, y4, b'-', m1, m2] => (digits(&[y1, y2, y3, y4])?, digits(&[m1, m2])?, None),
            [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] => {
                (digits(&[y1, y2, y3, y4])?, digits(&[m1, m2])?, Some(digits(&[d1, d2])?))
            }
            _ => return Err(OpenedError::Malformed),
        };
        let (month, day) = (month as i8, day.map(|day| day as i8));
        let first = Date::new(year, month, day.unwrap_or(1)).map_err(|_| OpenedError::NoSuchDate)?;
        if (year, month) < EARLIEST {
            return Err(OpenedError::TooEarly);
        }
        Ok(if day.is_some() { Self::Day(first) } else { Self::Month { year, month } })
    }
}

/// At most four digits, so any value fits.
fn digits(bytes: &[u8]) -> Result<i16, OpenedError> {
    bytes.iter().try_fold(0, |sum, byte| match byte {
        b'0'..=b'9' => Ok(sum * 10 + i16::from(byte - b'0')),
        _ => Err(OpenedError::Malformed),
    })
}

impl TryFrom<String> for Opened {
    type Error = OpenedError;
    fn try_from(text: String) -> Result<Self, OpenedError> {
        text.parse()
    }
}

impl From<Opened> for String {
    fn from(opened: Opened) -> Self {
        opened.to_string()
    }
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => day.fmt(f),
            Self::Month { year, month } => write!(f, "{year:04}-{month:02}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    #[test]
    fn a_day_or_a_month() {
        let day: Opened = "2025-03-01".parse().unwrap();
        assert_eq!(day, Opened::Day(date(2025, 3, 1)));
        assert_eq!((day.first_day(), day.last_day()), (date(2025, 3, 1), date(2025, 3, 1)));
        let month: Opened = "2024-02".parse().unwrap();
        assert_eq!(month, Opened::Month { year: 2024, month: 2 });
        assert_eq!((month.first_day(), month.last_day()), (date(2024, 2, 1), date(2024, 2, 29)));
        assert_eq!(serde_json::to_string(&[day, month]).unwrap(), r#"["2025-03-01","2024-02"]"#);
        assert_eq!(serde_json::from_str::<Opened>(r#""2024-02""#).unwrap(), month);
        assert!("1987-11".parse::<Opened>().is_ok() && "1987-11-01".parse::<Opened>().is_ok());
    }

    #[test]
    fn what_people_write_is_understood() {
        for text in ["2025-03", "2025.3", "2025/03", "2025年3月", " 2025 年 03 月 ", "202503", "2025－3"]
        {
            assert_eq!(Opened::parse_typed(text), "2025-03".parse(), "{text}");
        }
        for text in ["2025-03-09", "2025.3.9", "2025年3月9日", "20250309"] {
            assert_eq!(Opened::parse_typed(text), "2025-03-09".parse(), "{text}");
        }
        for text in
            ["", "2025", "3月", "25.3", "2025.13", "2025.3.40", "2025.3.1.1", "二〇二五年三月", "２０２５"]
        {
            assert!(Opened::parse_typed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn junk_is_refused_with_its_reason() {
        for (text, why) in [
            ("", OpenedError::Malformed),
            ("0", OpenedError::Malformed),
            ("0000", OpenedError::Malformed),
            ("2025", OpenedError::Malformed),
            ("2025-3", OpenedError::Malformed),
            ("2025-03-1", OpenedError::Malformed),
            ("20250301", OpenedError::Malformed),
            ("2025/03/01", OpenedError::Malformed),
            ("2025-03\n", OpenedError::Malformed),
            ("2025-03-01T00:00:00Z", OpenedError::Malformed),
            ("+025-03", OpenedError::Malformed),
            ("-025-03-01", OpenedError::Malformed),
            ("２０２５-03", OpenedError::Malformed),
            ("2025年3月", OpenedError::Malformed),
            ("📅📅", OpenedError::Malformed),
            ("2025-00", OpenedError::NoSuchDate),
            ("2025-13", OpenedError::NoSuchDate),
            ("2025-02-29", OpenedError::NoSuchDate),
            ("2025-04-31", OpenedError::NoSuchDate),
            ("2025-04-00", OpenedError::NoSuchDate),
            ("0000-01-01", OpenedError::TooEarly),
            ("1987-10", OpenedError::TooEarly),
            ("1987-10-31", OpenedError::TooEarly),
        ] {
            assert_eq!(text.parse::<Opened>(), Err(why), "{text:?}");
        }
        assert_eq!("2".repeat(10_000).parse::<Opened>(), Err(OpenedError::Malformed));
    }

    #[test]
    fn the_future_has_not_begun() {
        let today = date(2026, 11, 23);
        for (text, fits) in [
            ("2026-11-23", true),
            ("2026-11-24", false),
            ("2026-11", true),
            ("2026-12", false),
            ("9999-12", false),
        ] {
            let opened: Opened = text.parse().unwrap();
            assert_eq!(opened.not_after(today).is_ok(), fits, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "\\PC*|[0-9]{4}-[0-9]{2}(-[0-9]{2})?") {
            if let Ok(opened) = text.parse::<Opened>() {
                prop_assert_eq!(opened.to_string(), text);
                prop_assert!(opened.first_day() <= opened.last_day());
            }
        }
    }
}
