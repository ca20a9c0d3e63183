//! Numbers in the town's order: which is which.

use zhengming::domain::number::Number;

use crate::life::House;

const COUNTRY: u64 = 100_000_000_000;
const SUBSCRIBERS: u64 = 100_000_000;

/// Of a hundred numbers in a row, how many are of each house's range.
const SHARES: [(House, u64); 5] =
    [(House::Cmcc, 54), (House::Cucc, 21), (House::Ctcc, 19), (House::Cbn, 2), (House::Virtual, 4)];

pub fn home_of(nth: usize) -> House {
    let mut at = nth as u64 % 100;
    for (house, share) in SHARES {
        if at < share {
            return house;
        }
        at -= share;
    }
    unreachable!("the shares are a hundred")
}

pub fn number_of(home: House, nth: usize) -> Number {
    let national = home.prefix() * SUBSCRIBERS + nth as u64;
    Number::from_digits(86 * COUNTRY + national).expect("thirteen digits are a number")
}

pub fn index_of(number: Number) -> usize {
    usize::try_from(number.digits() % SUBSCRIBERS).expect("less than a hundred million")
}
