//! JPEG and PNG pictures, decoded within limits and encoded anew.

use std::io::Cursor;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::{PngDecoder, PngEncoder};
use image::{DynamicImage, ImageDecoder, ImageError, Limits};

use super::{jpeg, unreadable};
use crate::domain::document::DocumentKind;
use crate::domain::refusal::Refusal;

const SIDE_PIXELS_MAX: u32 = 20_000;
/// What a telephone's camera makes, and the word for it.
const PIXELS_MAX: u64 = 25_000_000;
const PIXELS_MAX_SAID: &str = "25 megapixels";
/// Of a decoded picture. A progressive JPEG takes twice as much again.
const DECODED_BYTES_MAX: u64 = 128 * 1024 * 1024;
const JPEG_QUALITY: u8 = 88;

/// The pixels alone, upright.
pub(in crate::casework::documents) fn decoded(
    kind: DocumentKind,
    bytes: &[u8],
) -> Result<DynamicImage, Refusal> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_PIXELS_MAX);
    limits.max_image_height = Some(SIDE_PIXELS_MAX);
    limits.max_alloc = Some(DECODED_BYTES_MAX);
    match kind {
        DocumentKind::Jpeg if !jpeg::is_whole(bytes) => Err(unreadable("the picture is not whole")),
        DocumentKind::Jpeg => {
            let mut decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(refused)?;
            decoder.set_limits(limits).map_err(refused)?;
            upright(decoder)
        }
        DocumentKind::Png => upright(PngDecoder::with_limits(Cursor::new(bytes), limits).map_err(refused)?),
        DocumentKind::Pdf => Err(unreadable("it is no picture")),
    }
}

/// Writes a picture. Whatever came beside the pixels is not in it.
pub(in crate::casework::documents) fn encoded(
    kind: DocumentKind,
    picture: &DynamicImage,
) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let written = match kind {
        DocumentKind::Jpeg => {
            picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))
        }
        _ => picture.write_with_encoder(PngEncoder::new(&mut bytes)),
    };
    written.map_err(refused)?;
    Ok(bytes)
}

/// How the camera was held is told beside the pixels, which stay alone.
fn upright(mut decoder: impl ImageDecoder) -> Result<DynamicImage, Refusal> {
    let (width, height) = decoder.dimensions();
    let is_large = u64::from(width) * u64::from(height) > PIXELS_MAX;
    if is_large || decoder.total_bytes() > DECODED_BYTES_MAX {
        return Err(Refusal::DocumentTooLarge { most: PIXELS_MAX_SAID });
    }
    let orientation = decoder.orientation().map_err(refused)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(refused)?;
    picture.apply_orientation(orientation);
    Ok(match (picture.color().has_color(), picture.color().has_alpha()) {
        (_, true) => DynamicImage::ImageRgba8(picture.into_rgba8()),
        (true, false) => DynamicImage::ImageRgb8(picture.into_rgb8()),
        (false, false) => DynamicImage::ImageLuma8(picture.into_luma8()),
    })
}

#[allow(clippy::needless_pass_by_value)]
fn refused(error: ImageError) -> Refusal {
    match error {
        ImageError::Limits(_) => Refusal::DocumentTooLarge { most: PIXELS_MAX_SAID },
        _ => unreadable("the picture is damaged, or of a kind that is not taken"),
    }
}
