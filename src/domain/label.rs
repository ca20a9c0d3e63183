//! What a provider shows for a number: a category (诈骗电话, with a count) or
//! a name (a shop's), as reported to us.
//!
//! Absent: what providers' codes mean (`catalog`), and whether a label rests
//! on marks from a former holder's time, which the tenure decides.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::day::days_between;
use crate::domain::id::ProviderId;
use crate::domain::number::Number;

/// Of the days on which a label was marked so many are remembered,
const MARKED_DAYS_MAX: usize = 16;
/// and none sooner after another: half a year at the least.
const MARKED_DAYS_APART: i32 = 10;

/// A label (标记) as stored. A provider has at most one of a kind for a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    pub provider: ProviderId,
    pub number: Number,
    pub kind: LabelKind,
    /// None where the provider's code is not one that we know.
    pub category: Option<Category>,
    /// The provider's own code, kept because the category says less.
    pub code: Option<String>,
    pub name: Option<String>,
    /// The provider's own text.
    pub text: Option<String>,
    pub source: Source,
    /// How many people marked it so.
    pub count: Option<u64>,
    pub first_marked_on: Option<Date>,
    pub last_marked_on: Option<Date>,
    /// Days that were its last ones before, oldest first: between the first
    /// and the last day a number may have been silent, or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marked_before: Vec<Date>,
    /// When it was last seen, right to the day: not every time is kept.
    pub observed_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regressed: Option<Regression>,
}

/// A label is shown again although its provider serves a correction that says
/// otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regression {
    /// The entry that the provider serves.
    pub seq: u64,
    /// When the label was first seen after that.
    pub seen_at: Timestamp,
}

impl Label {
    /// What a person reads on the screen, as near as we know it.
    pub fn shown_text(&self) -> &str {
        let name = self.name.as_deref().filter(|_| self.kind == LabelKind::Name);
        name.or(self.text.as_deref())
            .or(self.category.map(Category::text))
            .or(self.code.as_deref())
            .unwrap_or_default()
    }

    /// All days of which it is known that somebody marked the number on them.
    pub fn marked_days(&self) -> impl Iterator<Item = Date> {
        self.first_marked_on.into_iter().chain(self.marked_before.iter().copied()).chain(self.last_marked_on)
    }

    /// Goes on where the label that it replaces was.
    pub fn remember_days_of(&mut self, before: &Self) {
        self.marked_before.clone_from(&before.marked_before);
        let Some(last) = before.last_marked_on.filter(|last| Some(*last) != self.last_marked_on) else {
            return;
        };
        if self.marked_before.last().is_none_or(|known| days_between(*known, last) >= MARKED_DAYS_APART) {
            self.marked_before.push(last);
        }
        let too_many = self.marked_before.len().saturating_sub(MARKED_DAYS_MAX);
        self.marked_before.drain(..too_many);
    }

    /// Whether it came of calls that people complained of. A name says nothing
    /// of its day, and neither does a copy that another house made of a label.
    pub fn is_of_calls(&self) -> bool {
        self.kind == LabelKind::Category && !matches!(self.source, Source::Business | Source::Partner)
    }

    /// Whether it accuses the number of fraud or worse.
    pub fn is_harm(&self) -> bool {
        self.category.is_some_and(|category| category.class() == CategoryClass::Harm)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelKind {
    Category,
    Name,
}

/// Where a label came from (标记来源).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The business itself submitted it.
    Business,
    /// A partner platform (外卖, 打车) imported it.
    Partner,
    /// Users marked it.
    Crowd,
    #[default]
    Unknown,
}

/// How grave a category is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CategoryClass {
    /// It accuses somebody of a crime.
    Harm,
    /// Calls that people do not want.
    Nuisance,
    /// What somebody does for a living.
    Occupation,
    Neutral,
}

macro_rules! categories {
    ($($variant:ident $slug:literal $class:ident $text:literal,)*) => {
        /// What is said of a number, in words that all providers share.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        pub enum Category {
            $($variant,)*
        }

        impl Category {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $slug,)*
                }
            }

            pub fn class(self) -> CategoryClass {
                match self {
                    $(Self::$variant => CategoryClass::$class,)*
                }
            }

            /// The usual Chinese words for it.
            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

categories! {
    None "none" Neutral "无标记",
    Harass "harass" Nuisance "骚扰电话",
    Fraud "fraud" Harm "诈骗电话",
    FraudRisk "fraud_risk" Harm "疑似诈骗",
    Illegal "illegal" Harm "违法犯罪",
    RingOnce "ring_once" Nuisance "响一声",
    AdSales "ad_sales" Nuisance "广告推销",
    HouseAgent "house_agent" Occupation "房产中介",
    Insurance "insurance" Occupation "保险理财",
    Finance "finance" Occupation "金融理财",
    Loan "loan" Occupation "贷款中介",
    Recruit "recruit" Occupation "招聘猎头",
    Education "education" Occupation "教育培训",
    Express "express" Occupation "快递送餐",
    FoodDelivery "food_delivery" Occupation "外卖送餐",
    Taxi "taxi" Occupation "出租车",
    Housekeeping "housekeeping" Occupation "家政物业",
    Moving "moving" Occupation "搬运送货",
    Repair "repair" Occupation "维修装修",
    CustomerService "customer_service" Occupation "客服电话",
    Custom "custom" Neutral "自定义标记",
    Other "other" Neutral "其他标记",
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such category")]
pub struct CategoryUnknown;

impl FromStr for Category {
    type Err = CategoryUnknown;
    fn from_str(text: &str) -> Result<Self, CategoryUnknown> {
        Self::ALL.iter().copied().find(|category| category.as_str() == text).ok_or(CategoryUnknown)
    }
}

impl TryFrom<String> for Category {
    type Error = CategoryUnknown;
    fn try_from(text: String) -> Result<Self, CategoryUnknown> {
        text.parse()
    }
}

impl From<Category> for &'static str {
    fn from(category: Category) -> Self {
        category.as_str()
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn label(kind: LabelKind) -> Label {
        Label {
            provider: "tencent".parse().unwrap(),
            number: Number::from_digits(8_613_800_138_000).unwrap(),
            kind,
            category: None,
            code: None,
            name: None,
            text: None,
            source: Source::Crowd,
            count: Some(20),
            first_marked_on: None,
            last_marked_on: Some(jiff::civil::date(2025, 1, 30)),
            marked_before: Vec::new(),
            observed_at: Timestamp::UNIX_EPOCH,
            regressed: None,
        }
    }

    #[test]
    fn categories_travel_as_their_slugs() {
        for category in Category::ALL.iter().copied() {
            let json = format!("\"{category}\"");
            assert_eq!(serde_json::to_string(&category).unwrap(), json);
            assert_eq!(serde_json::from_str::<Category>(&json).unwrap(), category);
            assert_eq!(category.as_str().parse(), Ok(category));
        }
        for junk in ["", "0", "Fraud", "fraud ", "诈骗电话", "fraud\n", "ｆｒａｕｄ", &"x".repeat(10_000)]
        {
            assert_eq!(junk.parse::<Category>(), Err(CategoryUnknown));
        }
    }

    #[test]
    fn only_accusations_are_harm() {
        let harm: Vec<_> =
            Category::ALL.iter().filter(|category| category.class() == CategoryClass::Harm).collect();
        assert_eq!(harm, [&Category::Fraud, &Category::FraudRisk, &Category::Illegal]);
    }

    #[test]
    fn shows_the_best_text_that_is_known() {
        let mut category = label(LabelKind::Category);
        assert_eq!(category.shown_text(), "");
        category.code = Some("77".into());
        assert_eq!(category.shown_text(), "77");
        category.category = Some(Category::Express);
        assert_eq!(category.shown_text(), "快递送餐");
        category.text = Some("被20人标记为快递电话".into());
        assert_eq!(category.shown_text(), "被20人标记为快递电话");
        let mut name = label(LabelKind::Name);
        name.text = Some("外卖".into());
        name.name = Some("某某外卖".into());
        assert_eq!(name.shown_text(), "某某外卖");
    }

    #[test]
    fn a_stored_label_comes_back() {
        let mut stored = label(LabelKind::Category);
        stored.category = Some(Category::FraudRisk);
        let json = serde_json::to_string(&stored).unwrap();
        assert!(json.contains(r#""kind":"category","category":"fraud_risk""#), "{json}");
        assert_eq!(serde_json::from_str::<Label>(&json).unwrap(), stored);
        assert!(!format!("{stored:?}").contains("13800138000"));
    }
}
