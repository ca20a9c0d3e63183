//! A mark drawn over a picture, pixel by pixel, with a font of 8 by 8 dots.

use font8x8::legacy::BASIC_LEGACY;
use image::RgbImage;

const GLYPH_DOTS: i64 = 8;
/// Between two marks side by side, and two lines of marks.
const GAP_DOTS: i64 = 4 * GLYPH_DOTS;
const LINE_DOTS: i64 = 6 * GLYPH_DOTS;
/// The smaller side of a picture is so many dots high, so that marks can be
/// read on the whole of it, whatever its size.
const SIDE_DOTS: u32 = 400;
/// How much of the picture shows through, out of 256.
const SHOWS_THROUGH: u32 = 150;
/// Cosine and sine of 30 degrees, in 1024ths.
const COSINE: i64 = 887;
const SINE: i64 = 512;

/// Light letters with a dark shadow: one of them can be seen on any ground.
pub(super) fn draw(picture: &mut RgbImage, mark: &str) {
    let side = picture.width().min(picture.height());
    let dot = i64::from((side / SIDE_DOTS).max(1));
    let text: Vec<[u8; 8]> = mark.bytes().map(glyph).collect();
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let (x, y) = (i64::from(x), i64::from(y));
        let across = (x * COSINE + y * SINE) / 1024 / dot;
        let down = (y * COSINE - x * SINE).div_euclid(1024 * dot);
        let ink = if is_dotted(&text, across, down) {
            255
        } else if is_dotted(&text, across - 1, down - 1) {
            0
        } else {
            continue;
        };
        for channel in &mut pixel.0 {
            let mixed = u32::from(*channel) * SHOWS_THROUGH + ink * (256 - SHOWS_THROUGH);
            *channel = u8::try_from(mixed / 256).unwrap_or(u8::MAX);
        }
    }
}

fn glyph(byte: u8) -> [u8; 8] {
    BASIC_LEGACY.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Whether there is a dot of the endless pattern of marks.
fn is_dotted(text: &[[u8; 8]], across: i64, down: i64) -> bool {
    let (line, row) = (down.div_euclid(LINE_DOTS), down.rem_euclid(LINE_DOTS));
    let width = text.len() as i64 * GLYPH_DOTS + GAP_DOTS;
    // Every other line is moved, so that no straight strip is without a mark.
    let column = (across + line.rem_euclid(2) * width / 2).rem_euclid(width);
    if row >= GLYPH_DOTS {
        return false;
    }
    let glyph = usize::try_from(column / GLYPH_DOTS).ok().and_then(|nth| text.get(nth));
    glyph.is_some_and(|glyph| glyph[row as usize] >> (column % GLYPH_DOTS) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn marked(ground: u8, mark: &str) -> RgbImage {
        let mut picture = RgbImage::from_pixel(400, 300, Rgb([ground; 3]));
        draw(&mut picture, mark);
        picture
    }

    #[test]
    fn a_mark_shows_on_any_ground_and_everywhere() {
        for ground in [0, 100, 128, 255] {
            let picture = marked(ground, "li-lei 2026-11-23 03:04 UTC");
            for corner in [(0, 0), (200, 0), (0, 150), (200, 150)] {
                let part = image::imageops::crop_imm(&picture, corner.0, corner.1, 200, 150).to_image();
                let changed = part.pixels().filter(|pixel| pixel.0[0].abs_diff(ground) > 30).count();
                assert!((300..9_000).contains(&changed), "{changed} of 30000 pixels on {ground}");
            }
        }
    }

    #[test]
    fn marks_differ_by_their_words() {
        assert_ne!(marked(128, "li-lei 03:04"), marked(128, "li-lei 03:05"));
        assert_eq!(marked(128, "li-lei 03:04"), marked(128, "li-lei 03:04"));
    }
}
