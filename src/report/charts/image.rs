//! Pixels to PNG: the mean over each oversampled pixel, and the figure's resolution for the word processor.

use super::canvas::OVERSAMPLING;
use crate::error::{Error, Result};

/// Bytes of a pixel: red, green, blue.
pub(super) const CHANNELS: usize = 3;

/// 300 dpi in pixels a metre: 300 / 0.0254.
const PIXELS_PER_METRE: u32 = 11_811;

/// The PNG of a bitmap that is [`OVERSAMPLING`] times as large as the figure.
///
/// # Errors
/// `Error::Report` where the encoder refuses, which no figure size of ours makes it do.
pub(super) fn png(bitmap: &[u8], (width, height): (u32, u32)) -> Result<Vec<u8>> {
    let refused = |error: png::EncodingError| Error::Report(format!("PNG of {width} x {height}: {error}"));
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: PIXELS_PER_METRE,
        yppu: PIXELS_PER_METRE,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header().map_err(refused)?;
    writer.write_image_data(&reduced(bitmap, width as usize)).map_err(refused)?;
    writer.finish().map_err(refused)?;
    Ok(file)
}

/// The mean over each square of [`OVERSAMPLING`] x [`OVERSAMPLING`] pixels: line onto line first, which goes by vectors, so
/// that few numbers are left to be added one by one.
fn reduced(bitmap: &[u8], width: usize) -> Vec<u8> {
    let scale = OVERSAMPLING as usize;
    let (line, square, area) = (width * CHANNELS * scale, CHANNELS * scale, (scale * scale) as u16);
    let mut image = Vec::with_capacity(bitmap.len() / (scale * scale));
    let mut sums = vec![0_u16; line];
    for lines in bitmap.chunks_exact(line * scale) {
        sums.fill(0);
        for line in lines.chunks_exact(line) {
            sums.iter_mut().zip(line).for_each(|(sum, &value)| *sum += u16::from(value));
        }
        for square in sums.chunks_exact(square) {
            image.extend((0..CHANNELS).map(|channel| {
                let sum: u16 = square[channel..].iter().step_by(CHANNELS).sum();
                ((sum + area / 2) / area) as u8
            }));
        }
    }
    image
}
