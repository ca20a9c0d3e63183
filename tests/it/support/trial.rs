//! Trials: a few rounds with every test run, many where they are asked for.

/// `ZHENGMING_TRIALS=long` asks for many.
pub fn rounds(few: u64, many: u64) -> u64 {
    let is_long = std::env::var("ZHENGMING_TRIALS").is_ok_and(|asked| asked == "long");
    if is_long { many } else { few }
}

/// Where chance begins, `ZHENGMING_TRIALS_SEED` or this.
pub fn seed(usual: u64) -> u64 {
    std::env::var("ZHENGMING_TRIALS_SEED").map_or(usual, |seed| seed.parse().expect("a number"))
}

/// A line of the table: what was tried, how often, and what came of it.
#[allow(clippy::print_stdout)]
pub fn tell(what: &str, rounds: u64, came: &str) {
    println!("trial | {what} | {rounds} | {came}");
}
