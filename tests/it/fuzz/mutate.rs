//! Mutations as libFuzzer makes them, without its knowledge of what they reach.

use crate::support::dice::Dice;

const BYTES_MAX: usize = 64 * 1024;
const CHANGES_MAX: u64 = 4;

/// What parsers are likely to stumble over.
const ODD: [&[u8]; 24] = [
    b"",
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"-1",
    b"0",
    b"00",
    b"18446744073709551615",
    b"18446744073709551616",
    b"1e999",
    b"null",
    b"\"\"",
    b"\\u0000",
    b"\\ud800",
    b"\n",
    b"\r\n\r\n",
    b"\n\n",
    b",",
    b"\"",
    b"{",
    b"[[[[",
    b"\xef\xbb\xbf",
    "\u{202e}\u{ff10}".as_bytes(),
];

/// One of the seeds, changed in a few places.
pub fn mutated(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = any(seeds, dice).clone();
    for _ in 0..=dice.roll(CHANGES_MAX) {
        change(&mut input, seeds, dice);
    }
    input.truncate(BYTES_MAX);
    input
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let at = place(input.len() + 1, dice);
    let end = (at + 1 + place(16, dice)).min(input.len()).max(at);
    match dice.roll(9) {
        0 if at < input.len() => input[at] ^= 1 << dice.roll(8),
        1 if at < input.len() => input[at] = dice.next() as u8,
        2 => drop(input.drain(at..end)),
        3 => {
            let twice = input[at..end].to_vec();
            input.splice(at..at, twice);
        }
        4 => drop(input.splice(at..end, ODD[place(ODD.len(), dice)].iter().copied())),
        5 => drop(input.splice(at..at, ODD[place(ODD.len(), dice)].iter().copied())),
        6 => input.truncate(at),
        // The rest of another one, or a piece of it.
        7 => {
            let other = any(seeds, dice);
            input.truncate(at);
            input.extend_from_slice(&other[place(other.len() + 1, dice)..]);
        }
        _ => {
            let other = any(seeds, dice);
            let from = place(other.len() + 1, dice);
            let to = (from + place(64, dice)).min(other.len());
            input.splice(at..end, other[from..to].iter().copied());
        }
    }
}

fn any<'a>(seeds: &'a [Vec<u8>], dice: &mut Dice) -> &'a Vec<u8> {
    &seeds[place(seeds.len(), dice)]
}

fn place(places: usize, dice: &mut Dice) -> usize {
    dice.roll(places as u64) as usize
}
