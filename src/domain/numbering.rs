//! The numbering plan: which numbers are served, and what is known of each
//! from its digits alone.
//!
//! Absent: what became of a single number. Who serves it after porting and
//! since when somebody holds it are tenure records, not plan.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use crate::domain::id::OperatorId;
use crate::domain::number::{Number, NumberError, NumberKind, parse_e164, parse_e164_digits};
use crate::domain::reference::ReferenceError;

/// The plan of every country that is served, out of `numbering.toml`.
///
/// Stored numbers outlive plans: for one that the present plan no longer has,
/// `kind` is `Unplanned`, nobody is its operator, and the file's first country
/// lends its zone and rest.
#[derive(Debug, Clone)]
pub struct Numbering {
    /// Never empty.
    countries: Vec<Country>,
}

#[derive(Debug, Clone)]
struct Country {
    calling_code: String,
    zone: TimeZone,
    rest_days: i32,
    ranges: Vec<Range>,
    operators: Vec<Operator>,
    /// Leading digits of the national number, and the operator's index.
    prefixes: BTreeMap<String, usize>,
}

#[derive(Debug, Clone)]
struct Range {
    kind: NumberKind,
    shape: Regex,
}

#[derive(Debug, Clone)]
struct Operator {
    id: OperatorId,
    is_virtual: bool,
}

impl Numbering {
    pub fn from_toml(text: &str) -> Result<Self, ReferenceError> {
        let file: file::Numbering = toml::from_str(text).map_err(error)?;
        if file.country.is_empty() {
            return Err(error("country: at least one is needed"));
        }
        let mut countries: Vec<Country> = Vec::new();
        for country in file.country {
            let code = country.calling_code.clone();
            let clashes = |other: &Country| {
                other.calling_code.starts_with(&code) || code.starts_with(&other.calling_code)
            };
            if countries.iter().any(clashes) {
                return Err(error(format!("country {code}: calling_code overlaps another country's")));
            }
            countries.push(country.checked().map_err(|why| error(format!("country {code}: {why}")))?);
        }
        Ok(Self { countries })
    }

    /// A number as bodies have it: "+8613800138000".
    pub fn parse(&self, text: &str) -> Result<Number, NumberError> {
        self.planned(parse_e164(text)?)
    }

    /// A number as URLs have it: "8613800138000".
    pub fn parse_digits(&self, text: &str) -> Result<Number, NumberError> {
        self.planned(parse_e164_digits(text)?)
    }

    /// The calling code that people leave out at home, in the first country.
    pub fn calling_code_at_home(&self) -> &str {
        &self.countries[0].calling_code
    }

    /// Of the first country's clocks.
    pub fn home_zone(&self) -> TimeZone {
        self.countries[0].zone.clone()
    }

    /// A number as SMS gateways have it: "+8613800138000", "8613800138000",
    /// "008613800138000", or "13800138000" as at home in the first country.
    pub fn parse_sender(&self, text: &str) -> Result<Number, NumberError> {
        let text = text.trim();
        if let Some(digits) = text.strip_prefix('+').or_else(|| text.strip_prefix("00")) {
            return self.parse_digits(digits);
        }
        let at_home = || self.parse_digits(&format!("{}{text}", self.calling_code_at_home()));
        self.parse_digits(text).or_else(|why| at_home().map_err(|_| why))
    }

    /// A number as people type it: with spaces and dashes, in full-width
    /// digits, with or without the country's code, a landline with its 0.
    pub fn parse_typed(&self, text: &str) -> Result<Number, NumberError> {
        let plain = text.chars().filter(|c| !c.is_whitespace() && !"-()（）－·.".contains(*c));
        let plain: String = plain
            .map(|c| match c {
                '０'..='９' => char::from_u32(c as u32 - '０' as u32 + '0' as u32).unwrap_or(c),
                '＋' => '+',
                c => c,
            })
            .collect();
        let landline = plain.strip_prefix('0').filter(|rest| !rest.starts_with('0'));
        self.parse_sender(landline.unwrap_or(&plain))
    }

    pub fn kind(&self, number: Number) -> NumberKind {
        self.find(number)
            .and_then(|(country, national)| country.kind(&national))
            .unwrap_or(NumberKind::Unplanned)
    }

    /// How many days the number rests between two holders.
    pub fn rest_days(&self, number: Number) -> i32 {
        self.country(number).rest_days
    }

    /// The zone whose civil days count for the number.
    pub fn zone(&self, number: Number) -> &TimeZone {
        &self.country(number).zone
    }

    /// The civil day in the number's zone.
    pub fn today(&self, number: Number, now: Timestamp) -> Date {
        self.zone(number).to_datetime(now).date()
    }

    /// The operator that the number's range was given to. A ported number is
    /// served by another.
    pub fn home_operator(&self, number: Number) -> Option<&OperatorId> {
        let (country, national) = self.find(number)?;
        country.operator(&national).map(|operator| &operator.id)
    }

    /// Whether the number's range was given to a virtual operator.
    pub fn is_virtual(&self, number: Number) -> bool {
        self.find(number)
            .and_then(|(country, national)| country.operator(&national))
            .is_some_and(|operator| operator.is_virtual)
    }

    fn planned(&self, number: Number) -> Result<Number, NumberError> {
        let (country, national) = self.find(number).ok_or(NumberError::Unsupported)?;
        country.kind(&national).map(|_| number).ok_or(NumberError::NotInPlan)
    }

    /// The number's country and its digits there.
    fn find(&self, number: Number) -> Option<(&Country, String)> {
        let digits = number.digits().to_string();
        self.countries.iter().find_map(|country| {
            digits.strip_prefix(&country.calling_code).map(|national| (country, national.to_owned()))
        })
    }

    fn country(&self, number: Number) -> &Country {
        self.find(number).map_or(&self.countries[0], |(country, _)| country)
    }
}

impl Country {
    fn kind(&self, national: &str) -> Option<NumberKind> {
        self.ranges.iter().find(|range| range.shape.is_match(national)).map(|range| range.kind)
    }

    fn operator(&self, national: &str) -> Option<&Operator> {
        let longest_first = (1..=national.len()).rev();
        longest_first
            .filter_map(|end| self.prefixes.get(&national[..end]))
            .next()
            .map(|index| &self.operators[*index])
    }
}

fn error(why: impl std::fmt::Display) -> ReferenceError {
    ReferenceError::new("numbering.toml", why)
}

/// The file as it is written, before anything in it is believed.
mod file {
    use super::{BTreeMap, Deserialize, NumberKind, OperatorId, RegexBuilder, TimeZone, TimeZoneDatabase};

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Numbering {
        #[serde(default)]
        pub(super) country: Vec<Country>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Country {
        pub(super) calling_code: String,
        /// For whoever reads the file.
        #[serde(rename = "name")]
        _name: String,
        zone: String,
        rest_days: i32,
        #[serde(default)]
        range: Vec<Range>,
        #[serde(default)]
        operator: Vec<Operator>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Range {
        kind: NumberKind,
        after: Vec<String>,
        then: String,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Operator {
        id: OperatorId,
        #[serde(default, rename = "virtual")]
        is_virtual: bool,
        prefixes: Vec<String>,
    }

    impl Country {
        pub(super) fn checked(self) -> Result<super::Country, String> {
            if !is_digits(&self.calling_code) || self.calling_code.starts_with('0') {
                return Err("calling_code: digits are needed, the first one not 0".to_owned());
            }
            let zone = bundled_zone(&self.zone)?;
            if !(0..=3660).contains(&self.rest_days) {
                return Err("rest_days: 0 to 3660 are possible".to_owned());
            }
            if self.range.is_empty() {
                return Err("range: at least one is needed".to_owned());
            }
            let ranges = self.range.iter().map(Range::checked).collect::<Result<_, _>>()?;
            let mut prefixes = BTreeMap::new();
            for (index, operator) in self.operator.iter().enumerate() {
                for prefix in &operator.prefixes {
                    if !is_digits(prefix) {
                        return Err(format!("operator {}: prefixes: {prefix:?} is not digits", operator.id));
                    }
                    if prefixes.insert(prefix.clone(), index).is_some() {
                        return Err(format!("operator {}: prefixes: {prefix} is given twice", operator.id));
                    }
                }
            }
            let operators = self.operator.into_iter();
            let operators =
                operators.map(|o| super::Operator { id: o.id, is_virtual: o.is_virtual }).collect();
            Ok(super::Country {
                calling_code: self.calling_code,
                zone,
                rest_days: self.rest_days,
                ranges,
                operators,
                prefixes,
            })
        }
    }

    impl Range {
        fn checked(&self) -> Result<super::Range, String> {
            let kind = self.kind;
            if kind == NumberKind::Unplanned {
                return Err("range: kind: unplanned is no kind of a plan".to_owned());
            }
            if let Some(bad) = self.after.iter().find(|after| !is_digits(after)) {
                return Err(format!("range {kind:?}: after: {bad:?} is not digits"));
            }
            if self.after.is_empty() {
                return Err(format!("range {kind:?}: after: at least one is needed"));
            }
            let shape = format!("^(?:{})(?:{})$", self.after.join("|"), self.then);
            let shape = RegexBuilder::new(&shape)
                .unicode(false)
                .build()
                .map_err(|why| format!("range {kind:?}: then: {why}"))?;
            Ok(super::Range { kind, shape })
        }
    }

    fn is_digits(text: &str) -> bool {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
    }

    /// Zones come out of the binary: the same day everywhere, whatever the
    /// machine has installed.
    fn bundled_zone(name: &str) -> Result<TimeZone, String> {
        TimeZoneDatabase::bundled().get(name).map_err(|_| format!("zone: {name:?} is not known"))
    }
}

#[cfg(test)]
mod tests;
