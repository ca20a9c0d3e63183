//! A text as a QR code: the path of an SVG.

use std::fmt::Write;

use qrcode::{Color, QrCode};

/// Light modules around it (ISO/IEC 18004 §6.3.8).
const QUIET_ZONE: usize = 4;

pub(super) struct Qr {
    /// In modules, with the quiet zone.
    pub side: usize,
    pub path: String,
}

impl Qr {
    /// `None`: more than a code holds.
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::new(text).ok()?;
        let width = code.width();
        let mut path = String::new();
        for (nth, color) in code.to_colors().into_iter().enumerate() {
            if color == Color::Dark {
                let (x, y) = (nth % width + QUIET_ZONE, nth / width + QUIET_ZONE);
                write!(path, "M{x} {y}h1v1h-1z").expect("a string takes all");
            }
        }
        Some(Self { side: width + 2 * QUIET_ZONE, path })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_corners() {
        let qr = Qr::of("otpauth://totp/Zhengming:alice?secret=ABCDEFGH").unwrap();
        let dark = |x: usize, y: usize| qr.path.contains(&format!("M{x} {y}h1"));
        let (near, far) = (QUIET_ZONE, qr.side - QUIET_ZONE - 1);
        assert!(dark(near, near) && dark(far, near) && dark(near, far));
        assert!(!dark(0, 0) && Qr::of(&"x".repeat(5_000)).is_none());
    }
}
