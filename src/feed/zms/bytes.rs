//! Whole bytes: what header, tables and index are made of.

use super::ZmsError;

const VARINT_BYTES_MAX: usize = 8;

pub(super) fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads from the front; every read may find that nothing is left.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], ZmsError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(ZmsError::Damaged("it ends too soon"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ZmsError> {
        Ok(self.take(N)?.try_into().expect("N bytes were taken"))
    }

    pub(super) fn varint(&mut self) -> Result<u64, ZmsError> {
        let mut value = 0;
        for place in 0..VARINT_BYTES_MAX {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ZmsError::Damaged("an integer is too long"))
    }
}
