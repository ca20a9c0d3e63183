//! A record as plain bytes, for files that nobody keeps.
//!
//! ```text
//! number u64 | shape u8 | void_before u16 | name_until u16 | bytes of the name u16 | name
//! ```

use std::io::{Read, Write};

use super::ZmsError;
use super::record::{Record, checked_name, date_of, day_number, shape, unshaped};
use crate::domain::number::Number;

const HEAD_BYTES: usize = 15;

pub fn write(record: &Record, to: &mut impl Write) -> Result<(), ZmsError> {
    let day = |day: Option<_>| day.map_or(Ok(0), day_number);
    let name = record.name.as_deref().map_or(Ok(""), checked_name)?;
    let mut head = [0; HEAD_BYTES];
    head[..8].copy_from_slice(&record.number.digits().to_be_bytes());
    head[8] = shape(record) as u8;
    head[9..11].copy_from_slice(&day(record.void_before)?.to_be_bytes());
    head[11..13].copy_from_slice(&day(record.name_until)?.to_be_bytes());
    head[13..].copy_from_slice(&(name.len() as u16).to_be_bytes());
    to.write_all(&head)?;
    Ok(to.write_all(name.as_bytes())?)
}

pub fn read(from: &mut impl Read) -> Result<Record, ZmsError> {
    let mut head = [0; HEAD_BYTES];
    from.read_exact(&mut head)?;
    let number = u64::from_be_bytes(head[..8].try_into().expect("eight bytes"));
    let number = Number::from_digits(number).ok_or(ZmsError::Damaged("a number is impossible"))?;
    let (has_void, name_action, reason, assurance) = unshaped(head[8].into());
    let day = |at: usize| date_of(u16::from_be_bytes([head[at], head[at + 1]]));
    let mut name = vec![0; u16::from_be_bytes([head[13], head[14]]).into()];
    from.read_exact(&mut name)?;
    let name = String::from_utf8(name).map_err(|_| ZmsError::Damaged("a name is no UTF-8"))?;
    let is_named = !name.is_empty();
    Ok(Record {
        number,
        void_before: has_void.then(|| day(9)),
        name_action,
        name: is_named.then_some(name),
        name_until: is_named.then(|| day(11)),
        reason,
        assurance,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{named, void};
    use super::*;

    #[test]
    fn a_record_comes_back_as_it_was_and_half_of_it_is_an_error() {
        let without_day = Record { void_before: None, ..void(8_613_800_138_000, "2025-03-01") };
        for record in [void(8_695_500, "1970-01-01"), named(8_613_800_138_000, "厦门烧烤"), without_day] {
            let mut bytes = Vec::new();
            write(&record, &mut bytes).unwrap();
            assert_eq!(read(&mut bytes.as_slice()).unwrap(), record);
            for cut in 0..bytes.len() {
                assert!(read(&mut &bytes[..cut]).is_err(), "cut at {cut}");
            }
        }
    }
}
