//! How large the compact snapshot of very many corrections is: one of fewer is
//! made and held against its bound, and the bound of the many says the rest.

use std::io::{BufWriter, Seek, SeekFrom, Write};

use zhengming::domain::number::Number;
use zhengming::feed::zms::{Encoder, Header, Statistics};

use crate::snapshot::{Bound, Corrections, draw, mobiles};

/// Bytes of `all` corrections, by a snapshot of `sample`.
pub fn bytes_of(all: u64, sample: usize) -> f64 {
    let mobiles = mobiles();
    let numbers = draw(&mobiles, sample);
    let mut bound = Bound::default();
    let mut statistics = Statistics::default();
    for record in Corrections::of(&numbers) {
        bound.count(&record);
        statistics.observe(&record).expect("each can be encoded");
    }
    let bits_of_numbers = |count: u64| {
        let mut numbers_alone = Bound::default();
        numbers_alone.choose(mobiles.count(), count);
        numbers_alone.bits()
    };
    bound.choose(mobiles.count(), sample as u64);
    let ratio = made(&numbers, &statistics) as f64 * 8.0 / bound.bits();
    let rest_of_each = (bound.bits() - bits_of_numbers(sample as u64)) / sample as f64;
    (bits_of_numbers(all) + rest_of_each * all as f64) * ratio / 8.0
}

fn made(numbers: &[Number], statistics: &Statistics) -> u64 {
    let mut file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).expect("the build's folder is ours");
    let header = Header { origin: "model/feed".into(), size: numbers.len() as u64, root: [0; 32] };
    let encoder = Encoder::new(BufWriter::new(&file), &header, statistics);
    let mut encoder = encoder.expect("the file takes it");
    Corrections::of(numbers).for_each(|record| encoder.push(&record).expect("each can be encoded"));
    encoder.finish().expect("all were pushed").flush().expect("the disk has room");
    file.seek(SeekFrom::End(0)).expect("it is open")
}
