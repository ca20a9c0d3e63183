//! The entropy coder: an asymmetric numeral system over 2^16 slots, 32 bits of
//! state, a byte at a time (rANS, after J. Duda and F. Giesen).
//!
//! Written from the last step to the first, so that it is read from the first
//! to the last. Absent: what the steps mean.

use super::ZmsError;

pub(super) const SLOT_BITS: u32 = 16;
pub(super) const SLOTS: u32 = 1 << SLOT_BITS;
/// The state is never below, and never 256 times as much.
const STATE_MIN: u32 = 1 << 23;

/// The slots of one symbol. A step with fewer slots takes more bits.
#[derive(Clone, Copy, Default)]
pub(super) struct Share {
    pub(super) start: u32,
    pub(super) slots: u32,
}

/// One of 2^width values that are as likely as each other.
fn piece(width: u32, value: u32) -> Share {
    let slots = SLOTS >> width;
    Share { start: value * slots, slots }
}

/// The steps that `Steps::bits` reads.
pub(super) fn push_bits(steps: &mut Vec<Share>, bits: u32, value: u64) {
    let mut left = bits;
    while left > 0 {
        let width = left.min(SLOT_BITS);
        left -= width;
        let value = (value >> left) as u32 & ((1 << width) - 1);
        steps.push(piece(width, value));
    }
}

pub(super) fn encode(steps: &[Share]) -> Vec<u8> {
    let mut state = STATE_MIN;
    let mut backwards = Vec::with_capacity(4 * steps.len());
    for &Share { start, slots } in steps.iter().rev() {
        let full = slots << (31 - SLOT_BITS);
        while state >= full {
            backwards.push(state as u8);
            state >>= 8;
        }
        state = ((state / slots) << SLOT_BITS) + state % slots + start;
    }
    backwards.extend(state.to_le_bytes());
    backwards.reverse();
    backwards
}

/// Reads steps.
pub(super) struct Steps {
    state: u32,
    bytes: Vec<u8>,
    /// The next byte's place.
    at: usize,
}

impl Steps {
    pub(super) fn new(bytes: Vec<u8>) -> Result<Self, ZmsError> {
        let state = bytes.first_chunk().map_or(0, |state| u32::from_be_bytes(*state));
        if !(STATE_MIN..STATE_MIN << 8).contains(&state) {
            return Err(ZmsError::Damaged("a block begins with no state"));
        }
        Ok(Self { state, bytes, at: 4 })
    }

    pub(super) fn slot(&self) -> u32 {
        self.state % SLOTS
    }

    /// Goes on behind the present slot, which lies in this share.
    pub(super) fn take(&mut self, share: Share) -> Result<(), ZmsError> {
        self.state = share.slots * (self.state / SLOTS) + self.slot() - share.start;
        while self.state < STATE_MIN {
            let byte = self.bytes.get(self.at).ok_or(ZmsError::Damaged("a block ends too soon"))?;
            self.state = self.state << 8 | u32::from(*byte);
            self.at += 1;
        }
        Ok(())
    }

    pub(super) fn bits(&mut self, bits: u32) -> Result<u64, ZmsError> {
        let mut value = 0;
        let mut left = bits;
        while left > 0 {
            let width = left.min(SLOT_BITS);
            left -= width;
            let next = self.slot() >> (SLOT_BITS - width);
            self.take(piece(width, next))?;
            value = value << width | u64::from(next);
        }
        Ok(value)
    }

    /// All that was written has been read.
    pub(super) fn end(&self) -> Result<(), ZmsError> {
        let is_end = self.state == STATE_MIN && self.at == self.bytes.len();
        if is_end { Ok(()) } else { Err(ZmsError::Damaged("a block has more than its records")) }
    }
}
