//! A company that files lists, as the operator knows it.

use zhengming::cli::demo::stand_in::Contract;
use zhengming::domain::uscc::Uscc;

use super::{World, day};

pub const COMPANY: &str = "厦门某某科技有限公司";
pub const USCC: &str = "91350211M000100Y46";

/// A contract of the company, or of somebody else.
fn contract(name: &str, from: &str, until: Option<&str>) -> Contract {
    let uscc = (name == COMPANY).then(|| Uscc::parse(USCC).unwrap());
    let (holder, name) = (name.to_owned(), name.to_owned());
    Contract { holder, name, uscc, from: day(from), until: until.map(day) }
}

/// The number was another's, rested, and is the company's since March 2025.
pub fn came_to_company(world: &World, number: &str) {
    let former = contract("former", "2019-05-01", Some("2024-12-01"));
    world.cmcc.set(world.number(number), vec![former, contract(COMPANY, "2025-03-15", None)]);
}

pub fn is_companys(world: &World, number: &str) {
    world.cmcc.set(world.number(number), vec![contract(COMPANY, "2020-01-01", None)]);
}

pub fn is_anothers(world: &World, number: &str) {
    let mut another = contract("福州某某科技有限公司", "2020-01-01", None);
    another.uscc = Some(Uscc::parse("91440300708461136T").unwrap());
    world.cmcc.set(world.number(number), vec![another]);
}
