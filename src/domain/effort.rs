//! How much work a proof of work takes, by how many codes are asked for, and
//! how long cheap ones are taken once it takes more.

/// How long a challenge is good for, from its issue.
pub const GOOD_FOR_S: i64 = 600;
/// Whoever is solving one when the effort rises can still hand it in.
pub const GOOD_FOR_S_MIN: i64 = 120;

/// The highest number that may have to be tried. It doubles with each quarter
/// of `sms_per_minute` that is asked for, up to 16 times `base`.
pub fn max_number(base: u64, started_per_minute: u32, sms_per_minute: u32) -> u64 {
    let quarters = (u64::from(started_per_minute) * 4).checked_div(u64::from(sms_per_minute));
    base.saturating_mul(1 << quarters.unwrap_or(0).min(4))
}

/// How long a challenge up to `max_number` is good for while new ones go up to
/// `max_number_now`: nobody gains by hoarding cheap ones before an onslaught.
pub fn good_for_s(max_number: u64, max_number_now: u64) -> i64 {
    let share = i128::from(GOOD_FOR_S) * i128::from(max_number) / i128::from(max_number_now.max(1));
    share.clamp(GOOD_FOR_S_MIN.into(), GOOD_FOR_S.into()) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effort_doubles_with_each_quarter_of_what_may_be_sent() {
        let efforts = [0, 149, 150, 299, 300, 449, 450, 599, 600, u32::MAX];
        let factors = efforts.map(|started| max_number(1_000, started, 600) / 1_000);
        assert_eq!(factors, [1, 1, 2, 2, 4, 4, 8, 8, 16, 16]);
        assert_eq!(max_number(1_000, 1_000_000, 0), 1_000, "where sending has no limit, load has no measure");
        assert_eq!(max_number(u64::MAX, 600, 600), u64::MAX);
        assert_eq!(max_number(0, 600, 600), 0);
    }

    #[test]
    fn cheap_challenges_run_out_sooner_when_new_ones_are_dear() {
        let lives = [1_000, 2_000, 4_000, 8_000, 16_000].map(|now| good_for_s(1_000, now));
        assert_eq!(lives, [600, 300, 150, 120, 120]);
        // A dear one stays good when the load has gone.
        assert_eq!(good_for_s(16_000, 1_000), GOOD_FOR_S);
        assert_eq!((good_for_s(0, 0), good_for_s(u64::MAX, u64::MAX)), (GOOD_FOR_S_MIN, GOOD_FOR_S));
    }
}
