//! Chance in proportions, over the dice that a seed throws.

use crate::dice::Dice;

/// From 0 up to, and without, 1.
fn unit(dice: &mut Dice) -> f64 {
    (dice.next() >> 11) as f64 / (1u64 << 53) as f64
}

/// So often, of 1.
pub fn happens(dice: &mut Dice, share: f64) -> bool {
    unit(dice) < share
}

/// How long until something that comes after `mean` on the average, and no
/// sooner for having been waited for.
pub fn wait(dice: &mut Dice, mean: f64) -> f64 {
    -(1.0 - unit(dice)).ln() * mean
}

/// The same in whole days.
pub fn days(dice: &mut Dice, mean: f64) -> i32 {
    wait(dice, mean) as i32
}

/// One of the whole numbers from `least` to `most`.
pub fn between(dice: &mut Dice, least: i32, most: i32) -> i32 {
    let sides = u64::from(most.abs_diff(least)) + 1;
    least + dice.roll(sides) as i32
}

/// One of these, each as often as its weight says.
pub fn pick<T: Copy>(dice: &mut Dice, weighted: &[(T, u64)]) -> T {
    let mut left = dice.roll(weighted.iter().map(|(_, weight)| weight).sum());
    for (what, weight) in weighted {
        if left < *weight {
            return *what;
        }
        left -= weight;
    }
    unreachable!("a roll is less than the sum of the weights")
}

/// Dice of their own for one thing among many: what is thrown for it depends
/// on nothing that happens to another.
pub fn dice_of(seed: u64, purpose: u64, nth: u64) -> Dice {
    let mut dice = Dice::new(seed ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93));
    let salt = dice.next();
    let mut dice = Dice::new(salt ^ nth.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    Dice::new(dice.next())
}
