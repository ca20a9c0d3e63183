//! From a body to a list of numbers. What is wrong with the list as a whole is
//! a problem; what is wrong with one number costs only that number.
//!
//! A CSV file says of each number what differs; what is common is in the query.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::filing::{NamedLabel, ReasonName, foreign, wrong};
use crate::casework::filings::{LinePlace, ListedNumber, NumberList, RejectedLine};
use crate::domain::dispute::{DisputedLabel, Enterprise, Reason};
use crate::domain::listed::ListedLine;
use crate::domain::name::parse_shown_name;
use crate::domain::number::{DIGITS_MAX, Number};
use crate::domain::numbering::Numbering;
use crate::domain::opened::Opened;
use crate::domain::policy::{LABELS_PER_DISPUTE_MAX, NUMBERS_PER_FILING_MAX};
use crate::domain::refusal::Refusal;
use crate::domain::uscc::Uscc;
use crate::http::body::expect_media_type;
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::text;
use crate::http::uploads::{Form, LINE_BYTES_MAX, SaidLines};

const BODY_BYTES_MAX: u64 = 256 * 1024;
const CSV: &str = "text/csv";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    reason: ReasonName,
    enterprise: EnterpriseBody,
    #[serde(default)]
    show_name: bool,
    opened: Option<String>,
    #[serde(default)]
    labels: Vec<LabelBody>,
    numbers: Vec<String>,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct EnterpriseBody {
    pub name: String,
    pub uscc: String,
}

/// Of one number, or of all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelBody {
    number: Option<String>,
    provider: String,
    category: Option<String>,
    name: Option<String>,
}

/// What the lines of a file have in common.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    reason: ReasonName,
    name: String,
    uscc: String,
    #[serde(default)]
    show_name: bool,
    opened: Option<String>,
    note: Option<String>,
}

/// A list, and the bytes that tell it from another one.
pub(super) async fn read(call: &mut Call, numbering: &Numbering) -> Result<(NumberList, Vec<u8>), Problem> {
    let sent = expect_media_type(&call.headers, &["application/json", CSV])?;
    if sent == CSV { read_csv(call, numbering).await } else { read_json(call, numbering).await }
}

async fn read_json(call: &mut Call, numbering: &Numbering) -> Result<(NumberList, Vec<u8>), Problem> {
    let (body, bytes) = call.json_and_bytes::<Body>(BODY_BYTES_MAX).await?;
    let Body { reason, enterprise, show_name, opened, labels, numbers, note } = body;
    if !(1..=NUMBERS_PER_FILING_MAX).contains(&numbers.len()) {
        return Err(not_so_many());
    }
    let opened = parse_opened(opened)?;
    let head = Head { reason, enterprise, show_name, opened, note }.parse()?;
    let mut list = Listing::new(head, opened);
    let mut of_all = Vec::new();
    let mut of_one: BTreeMap<String, Vec<DisputedLabel>> = BTreeMap::new();
    for (place, label) in labels.into_iter().enumerate() {
        let LabelBody { number, provider, category, name } = label;
        let label = NamedLabel { provider, category, name }.parse(place)?;
        match number {
            None => of_all.push(label),
            Some(number) if numbers.contains(&number) => of_one.entry(number).or_default().push(label),
            Some(_) => {
                let field = format!("labels[{place}].number");
                return Err(wrong(&field, "it is none of the numbers"));
            }
        }
    }
    for (index, text) in numbers.iter().enumerate() {
        let own = of_one.remove(text).unwrap_or_default();
        let labels = of_all.iter().cloned().chain(own).collect();
        list.add(LinePlace::Index(index as u64), text, None, labels, numbering);
    }
    Ok((list.whole()?, [b"json\n", bytes.as_ref()].concat()))
}

async fn read_csv(call: &mut Call, numbering: &Numbering) -> Result<(NumberList, Vec<u8>), Problem> {
    let query = call.query::<Query>()?;
    let Query { reason, name, uscc, show_name, opened, note } = query;
    let opened = parse_opened(opened)?;
    let enterprise = EnterpriseBody { name, uscc };
    let head = Head { reason, enterprise, show_name, opened, note }.parse()?;
    let is_reassigned = head.reason == Reason::Reassigned;
    let said = format!("csv\n{}\n", call.raw_query()).into_bytes();
    let lines = call.lines(LINE_BYTES_MAX, BODY_BYTES_MAX)?;
    let mut lines = SaidLines::begin(Form::Csv, lines, ListedLine::COLUMNS).await?;
    let mut list = Listing::new(head, opened);
    while let Some((number, line)) = lines.next(ListedLine::parse).await? {
        let at = LinePlace::Line(number);
        match line {
            Err(error) => list.reject(at, None, error.code()),
            Ok(line) if line.opened.is_some() && !is_reassigned => {
                list.reject(at, Some(&line.number), "opened_unwanted");
            }
            Ok(line) => {
                list.add(at, &line.number, line.opened, line.label.into_iter().collect(), numbering);
            }
        }
    }
    Ok((list.whole()?, [said, lines.digest().to_vec()].concat()))
}

/// What all numbers have in common, as it was sent.
pub(in crate::http) struct Head {
    pub reason: ReasonName,
    pub enterprise: EnterpriseBody,
    pub show_name: bool,
    pub opened: Option<Opened>,
    pub note: Option<String>,
}

impl Head {
    pub fn parse(self) -> Result<NumberList, Problem> {
        let reason = match (self.reason, self.show_name, self.opened) {
            (ReasonName::Reassigned, true, _) => return Err(foreign("show_name", "name_mismatch")),
            (ReasonName::NameMismatch, _, Some(_)) => return Err(foreign("opened", "reassigned")),
            (ReasonName::Reassigned, ..) => Reason::Reassigned,
            (ReasonName::NameMismatch, ..) => Reason::NameMismatch,
        };
        let name = parse_shown_name(&self.enterprise.name).map_err(|why| wrong("enterprise.name", why))?;
        let uscc = Uscc::parse(&self.enterprise.uscc).map_err(Refusal::UsccWrong)?;
        Ok(NumberList {
            enterprise: Enterprise { name, uscc },
            reason,
            show_name: self.show_name,
            note: text::optional("note", self.note.as_deref())?,
            numbers: Vec::new(),
            rejected: Vec::new(),
        })
    }
}

/// A list in the making: each number once.
pub(in crate::http) struct Listing {
    list: NumberList,
    opened: Option<Opened>,
    places: BTreeMap<Number, usize>,
}

impl Listing {
    pub fn new(list: NumberList, opened: Option<Opened>) -> Self {
        Self { list, opened, places: BTreeMap::new() }
    }

    /// A number that comes again brings another label, or is one too many.
    pub fn add(
        &mut self,
        at: LinePlace,
        text: &str,
        opened: Option<Opened>,
        labels: Vec<DisputedLabel>,
        numbering: &Numbering,
    ) {
        let number = match numbering.parse(text) {
            Ok(number) => number,
            Err(why) => return self.reject(at, Some(text), Refusal::NumberMalformed(why).code()),
        };
        let Some(place) = self.places.get(&number) else {
            if labels.len() > LABELS_PER_DISPUTE_MAX {
                return self.reject(at, Some(text), "too_many_labels");
            }
            self.places.insert(number, self.list.numbers.len());
            let opened = opened.or(self.opened);
            return self.list.numbers.push(ListedNumber { at, number, opened, labels });
        };
        let known = &mut self.list.numbers[*place];
        let news: Vec<_> = labels.into_iter().filter(|label| !known.labels.contains(label)).collect();
        if opened.is_some() && opened != known.opened {
            self.reject(at, Some(text), "contradicts");
        } else if news.is_empty() {
            self.reject(at, Some(text), Refusal::DisputeOpen.code());
        } else if known.labels.len() + news.len() > LABELS_PER_DISPUTE_MAX {
            self.reject(at, Some(text), "too_many_labels");
        } else {
            known.labels.extend(news);
        }
    }

    /// Only what can be a number is kept and comes back.
    pub fn reject(&mut self, at: LinePlace, text: Option<&str>, code: &str) {
        let is_like_one = |text: &&str| {
            text.len() <= DIGITS_MAX + 1 && text.bytes().all(|b| b.is_ascii_digit() || b == b'+')
        };
        let number = text.filter(is_like_one).map(str::to_owned);
        self.list.rejected.push(RejectedLine { at, number, code: code.to_owned() });
    }

    pub fn whole(self) -> Result<NumberList, Problem> {
        let NumberList { numbers, rejected, .. } = &self.list;
        if !(1..=NUMBERS_PER_FILING_MAX).contains(&(numbers.len() + rejected.len())) {
            return Err(not_so_many());
        }
        Ok(self.list)
    }
}

fn not_so_many() -> Problem {
    wrong("numbers", format!("send 1 to {NUMBERS_PER_FILING_MAX}"))
}

fn parse_opened(opened: Option<String>) -> Result<Option<Opened>, Problem> {
    let opened = opened.filter(|opened| !opened.is_empty()).map(|opened| opened.parse()).transpose();
    opened.map_err(|why| wrong("opened", why))
}
