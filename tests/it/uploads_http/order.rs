//! Lines in any order, in any uploads: the same ledger, the same corrections.
//! Left out is what no order can save: a reinstatement, whose lines alone look
//! like a rest, and a tenure that has ended again before anything was told.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use zhengming::domain::number::Number;
use zhengming::domain::number_file::NumberFile;
use zhengming::store::Store;

use super::{Town, line, mark};
use crate::support::dice::Dice;

const NUMBERS: u64 = 40;

/// Holders one after the other; the last one has rested before.
fn history(dice: &mut Dice, digits: u64) -> Vec<String> {
    let mut on = date(2005, 1, 1);
    let mut lines = Vec::new();
    let mut say = |event: &str, on: Date| lines.push(line(digits, event, &on.to_string()));
    for holder in 0..=dice.roll(4) {
        if holder > 0 && dice.once_in(3) {
            on += i64::try_from(1 + dice.roll(900)).unwrap().days();
            say("transferred", on);
        }
        on += i64::try_from(1 + dice.roll(900)).unwrap().days();
        say("disconnected", on);
        on += i64::try_from(90 + dice.roll(200)).unwrap().days();
        say("activated", on);
    }
    lines
}

fn shuffle(dice: &mut Dice, lines: &mut [String]) {
    for last in (1..lines.len()).rev() {
        lines.swap(last, usize::try_from(dice.roll(last as u64 + 1)).unwrap());
    }
}

async fn files(town: &Town) -> Vec<NumberFile> {
    let store: &dyn Store = town.service.store.as_ref();
    let mut files = Vec::new();
    for digits in numbers() {
        let number = Number::from_digits(digits).unwrap();
        files.push(store.load::<NumberFile>(&number).await.unwrap().unwrap().value);
    }
    files
}

fn numbers() -> impl Iterator<Item = u64> {
    8_613_800_138_000..8_613_800_138_000 + NUMBERS
}

#[tokio::test]
async fn any_order_in_any_uploads_comes_to_the_same() {
    for seed in 0..6 {
        let mut dice = Dice::new(seed);
        let mut lines: Vec<String> = numbers().flat_map(|digits| history(&mut dice, digits)).collect();
        let marks: String = numbers().map(|digits| mark(digits, "2004-05-01")).collect();
        let (at_once, split) = (Town::new().await, Town::new().await);
        at_once.labels(&marks).await;
        at_once.tenures(&lines.concat()).await;
        shuffle(&mut dice, &mut lines);
        let labels_after = dice.roll(lines.len() as u64);
        let (mut sent, mut labelled) = (0, false);
        while sent < lines.len() {
            if !labelled && sent as u64 >= labels_after {
                split.labels(&marks).await;
                labelled = true;
            }
            let end = lines.len().min(sent + 1 + usize::try_from(dice.roll(60)).unwrap());
            split.tenures(&lines[sent..end].concat()).await;
            sent = end;
        }
        if !labelled {
            split.labels(&marks).await;
        }
        for (one, other) in files(&at_once).await.into_iter().zip(files(&split).await) {
            assert_eq!(one.ledger, other.ledger, "seed {seed}");
            let void_before = |file: &NumberFile| file.in_force().unwrap().void_before;
            assert_eq!(void_before(&one), void_before(&other), "seed {seed}");
            assert_eq!(void_before(&one), one.ledger.began_on());
        }
        let again = split.tenures(&lines.concat()).await;
        assert_eq!((&again["unchanged"], &again["corrections"]), (&lines.len().into(), &0.into()));
    }
}
