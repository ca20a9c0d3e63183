//! How long things took: counts by classes that are a fifth wide, from a
//! second to ten years. A class stands for its middle, so that a percentile
//! is right within a tenth; up to ten seconds it is exact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Of classes. Never changed: they lie in records by their places.
const CLASSES: usize = 107;

/// The first second of each; each ends where the next one begins.
const BEGINS_S: [u64; CLASSES] = begins();

const fn begins() -> [u64; CLASSES] {
    let mut begins = [0; CLASSES];
    let mut at = 1;
    while at < CLASSES {
        let next = begins[at - 1] * 6 / 5;
        begins[at] = if next > begins[at - 1] && at > 10 { next } else { begins[at - 1] + 1 };
        at += 1;
    }
    begins
}

/// By class, and only those with something in them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Histogram(BTreeMap<u8, u64>);

impl Histogram {
    pub fn add(&mut self, seconds: u64) {
        let class = BEGINS_S.partition_point(|begin| *begin <= seconds) - 1;
        let class = u8::try_from(class).expect("there are fewer than 256 classes");
        *self.0.entry(class).or_default() += 1;
    }

    pub fn merge(&mut self, other: &Self) {
        for (class, count) in &other.0 {
            *self.0.entry(*class).or_default() += count;
        }
    }

    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// The least time that so many of a hundred did not exceed; 0 of nothing.
    pub fn percentile(&self, of_100: u64) -> u64 {
        let rank = (self.count() * of_100).div_ceil(100);
        let mut counted = 0;
        let reached = self.0.iter().find(|(_, count)| {
            counted += **count;
            counted >= rank
        });
        reached.map_or(0, |(class, _)| middle(usize::from(*class)))
    }
}

fn middle(class: usize) -> u64 {
    let begin = BEGINS_S.get(class).copied().unwrap_or_default();
    // The last one has no end.
    BEGINS_S.get(class + 1).map_or(begin, |end| (begin + end) / 2)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEN_YEARS_S: u64 = 3_653 * 86_400;

    fn of(all: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        all.iter().for_each(|seconds| histogram.add(*seconds));
        histogram
    }

    #[test]
    fn every_class_stands_for_its_seconds_within_a_tenth() {
        let seconds = BEGINS_S.windows(2).flat_map(|ends| [ends[0], ends[1] - 1]);
        for seconds in seconds.filter(|seconds| *seconds < TEN_YEARS_S) {
            let said = of(&[seconds]).percentile(50);
            assert!(said.abs_diff(seconds) * 10 <= seconds, "{said} for {seconds}");
            assert!(seconds >= 10 || said == seconds, "{said} for {seconds}");
        }
        assert!(BEGINS_S[CLASSES - 1] >= TEN_YEARS_S && BEGINS_S.is_sorted());
        assert_eq!(of(&[u64::MAX]).percentile(95), BEGINS_S[CLASSES - 1]);
    }

    #[test]
    fn it_is_kept_by_the_places_of_its_classes() {
        let json = serde_json::to_string(&of(&[0, 59, 60, 86_400])).unwrap();
        assert_eq!(json, r#"{"0":1,"20":2,"60":1}"#);
        assert_eq!(serde_json::from_str::<Histogram>(&json).unwrap(), of(&[0, 59, 60, 86_400]));
        assert_eq!(Histogram::default().percentile(50), 0);
    }

    proptest! {
        #[test]
        fn percentiles_are_right_within_a_tenth(
            mut all in prop::collection::vec(0..TEN_YEARS_S, 1..200),
            more in prop::collection::vec(0u64..100, 0..50),
            of_100 in 1u64..=100,
        ) {
            let mut histogram = of(&all);
            histogram.merge(&of(&more));
            all.extend(more);
            all.sort_unstable();
            let rank = (all.len() as u64 * of_100).div_ceil(100) as usize;
            let exact = all[rank - 1];
            let said = histogram.percentile(of_100);
            prop_assert!(said.abs_diff(exact) * 10 <= exact, "{} for {}", said, exact);
            prop_assert_eq!(histogram.count(), all.len() as u64);
        }
    }
}
