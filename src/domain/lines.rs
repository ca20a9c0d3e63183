//! Lines of uploads: operators' tenure lines and providers' labels, each as
//! one JSON object or one CSV record. A bad line says why and costs only itself.

use csv::{ReaderBuilder, StringRecord};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::catalog::LabelCatalog;
use crate::domain::day::parse_day;
use crate::domain::id::ProviderId;
use crate::domain::label::{Category, Label, LabelKind, Source};
use crate::domain::name::parse_name;
use crate::domain::number::Number;
use crate::domain::numbering::Numbering;
use crate::domain::plain::is_plain;
use crate::domain::tenure::TenureEvent;

/// The provider's own text for a label.
const TEXT_CHARS_MAX: usize = 200;
const CODE_CHARS_MAX: usize = 64;

/// Why a line was not taken; the snake_case name goes into the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineError {
    LineMalformed,
    LineTooLong,
    NumberMalformed,
    DateMalformed,
    InFuture,
    NotYourNumber,
    Contradicts,
    CategoryUnknown,
    CodeUnknown,
    NameMalformed,
    TextTooLong,
    TextMalformed,
    QuotaExhausted,
}

impl LineError {
    pub fn code(self) -> &'static str {
        match self {
            Self::LineMalformed => "line_malformed",
            Self::LineTooLong => "line_too_long",
            Self::NumberMalformed => "number_malformed",
            Self::DateMalformed => "date_malformed",
            Self::InFuture => "in_future",
            Self::NotYourNumber => "not_your_number",
            Self::Contradicts => "contradicts",
            Self::CategoryUnknown => "category_unknown",
            Self::CodeUnknown => "code_unknown",
            Self::NameMalformed => "name_malformed",
            Self::TextTooLong => "text_too_long",
            Self::TextMalformed => "text_malformed",
            Self::QuotaExhausted => "quota_exhausted",
        }
    }
}

/// How the lines of an upload are to be read.
#[derive(Debug, Clone)]
pub enum LineFormat {
    Json,
    /// With the names of the columns.
    Csv(StringRecord),
}

impl LineFormat {
    /// Reads a CSV header. An unknown column is refused with its name.
    pub fn csv(header: &[u8], columns: &[&str]) -> Result<Self, String> {
        let header = header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(header);
        let record = csv_record(header).ok_or("the header is not CSV")?;
        match record.iter().find(|name| !columns.contains(name)) {
            Some(unknown) => {
                Err(format!("unknown column {:?}", unknown.chars().take(40).collect::<String>()))
            }
            None => Ok(Self::Csv(record)),
        }
    }

    pub(super) fn read<T: DeserializeOwned>(&self, line: &[u8]) -> Result<T, LineError> {
        match self {
            Self::Json => serde_json::from_slice(line).map_err(|_| LineError::LineMalformed),
            Self::Csv(header) => {
                let record = csv_record(line).ok_or(LineError::LineMalformed)?;
                if record.len() != header.len() {
                    return Err(LineError::LineMalformed);
                }
                record.deserialize(Some(header)).map_err(|_| LineError::LineMalformed)
            }
        }
    }
}

fn csv_record(line: &[u8]) -> Option<StringRecord> {
    let mut reader = ReaderBuilder::new().has_headers(false).from_reader(line);
    let mut records = reader.records();
    let record = records.next()?.ok()?;
    records.next().is_none().then_some(record)
}

/// What an operator says of a number. Ordered as a number's history is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TenureSaid {
    pub number: Number,
    pub on: Date,
    pub event: TenureEvent,
}

impl TenureSaid {
    pub const COLUMNS: &[&str] = &["number", "event", "on"];

    pub fn parse(line: &[u8], format: &LineFormat, numbering: &Numbering) -> Result<Self, LineError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Line {
            number: String,
            event: TenureEvent,
            on: String,
        }
        let Line { number, event, on } = format.read(line)?;
        let number = numbering.parse(&number).map_err(|_| LineError::NumberMalformed)?;
        Ok(Self { number, event, on: date(&on)? })
    }
}

/// What a provider says that it shows for a number; nothing: no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelSaid {
    pub number: Number,
    pub kind: LabelKind,
    pub shown: Option<Shown>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    pub category: Option<Category>,
    pub code: Option<String>,
    pub name: Option<String>,
    pub text: Option<String>,
    pub source: Source,
    pub count: Option<u64>,
    pub first_marked_on: Option<Date>,
    pub last_marked_on: Option<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelLine {
    number: String,
    kind: LabelKind,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    source: Option<Source>,
    #[serde(default)]
    count: Option<u64>,
    #[serde(default)]
    first_marked_on: Option<String>,
    #[serde(default)]
    last_marked_on: Option<String>,
}

impl LabelSaid {
    pub const COLUMNS: &[&str] = &[
        "number",
        "kind",
        "category",
        "code",
        "name",
        "text",
        "source",
        "count",
        "first_marked_on",
        "last_marked_on",
    ];

    pub fn parse(
        line: &[u8],
        format: &LineFormat,
        provider: &ProviderId,
        numbering: &Numbering,
        catalog: &LabelCatalog,
        today: impl Fn(Number) -> Date,
    ) -> Result<Self, LineError> {
        let line: LabelLine = format.read(line)?;
        let number = numbering.parse(&line.number).map_err(|_| LineError::NumberMalformed)?;
        let (first, last) = (date_of(&line.first_marked_on)?, date_of(&line.last_marked_on)?);
        if first.into_iter().chain(last).any(|day| day > today(number)) {
            return Err(LineError::InFuture);
        }
        if first.zip(last).is_some_and(|(first, last)| last < first) {
            return Err(LineError::DateMalformed);
        }
        let text = filled(line.text);
        if text.as_ref().is_some_and(|text| text.chars().count() > TEXT_CHARS_MAX) {
            return Err(LineError::TextTooLong);
        }
        if text.iter().chain(&line.code).any(|text| !is_plain(text)) {
            return Err(LineError::TextMalformed);
        }
        let code = filled(line.code);
        if code.as_deref().is_some_and(|code| code.chars().count() > CODE_CHARS_MAX) {
            return Err(LineError::CodeUnknown);
        }
        let shown = Shown {
            category: None,
            code,
            name: None,
            text,
            source: line.source.unwrap_or_default(),
            count: line.count,
            first_marked_on: first,
            last_marked_on: last,
        };
        let shown = match line.kind {
            LabelKind::Category => categorised(shown, filled(line.category), provider, catalog)?,
            LabelKind::Name => named(shown, filled(line.name))?,
        };
        Ok(Self { number, kind: line.kind, shown })
    }

    /// The label as kept, or `None` where the provider shows none any more.
    pub fn label(&self, provider: &ProviderId, observed_at: Timestamp) -> Option<Label> {
        let shown = self.shown.clone()?;
        Some(Label {
            provider: provider.clone(),
            number: self.number,
            kind: self.kind,
            category: shown.category,
            code: shown.code,
            name: shown.name,
            text: shown.text,
            source: shown.source,
            count: shown.count,
            first_marked_on: shown.first_marked_on,
            last_marked_on: shown.last_marked_on,
            marked_before: Vec::new(),
            observed_at,
            regressed: None,
        })
    }
}

/// The canonical category, named or by the provider's own code. The mapping
/// loses detail, so the code is kept beside it.
fn categorised(
    mut shown: Shown,
    category: Option<String>,
    provider: &ProviderId,
    catalog: &LabelCatalog,
) -> Result<Option<Shown>, LineError> {
    let category = match (category, &shown.code) {
        (Some(category), _) => category.parse().map_err(|_| LineError::CategoryUnknown)?,
        (None, Some(code)) => catalog.category_for_code(provider, code).ok_or(LineError::CodeUnknown)?,
        (None, None) => return Err(LineError::CategoryUnknown),
    };
    shown.category = Some(category);
    Ok((category != Category::None).then_some(shown))
}

fn named(mut shown: Shown, name: Option<String>) -> Result<Option<Shown>, LineError> {
    let Some(name) = name else {
        return Ok(None);
    };
    shown.name = Some(parse_name(&name).map_err(|_| LineError::NameMalformed)?);
    Ok(Some(shown))
}

pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn date_of(text: &Option<String>) -> Result<Option<Date>, LineError> {
    text.as_deref().filter(|text| !text.is_empty()).map(date).transpose()
}

fn date(text: &str) -> Result<Date, LineError> {
    parse_day(text).ok_or(LineError::DateMalformed)
}
