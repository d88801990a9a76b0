//! Charts of a run, drawn from its record alone: SVG for the screen, PNG at 300 dpi for the page.
//!
//! | file | shows |
//! |---|---|
//! | `lengths` | the rows of the data set, in tokens and in words |
//! | `training` | the course of the training: losses, learning rate, gradient norm |
//! | `comparison` | base and fine-tuned model under both masks, with intervals |
//! | `rows` | each evaluation row before and after |
//! | `texts` | what the systems wrote: levels of words, copied words |
//! | [`levels`] | several runs side by side |
//! | [`sweep`] | runs that differ in a few settings |
//!
//! Each is `None` where the record lacks what it shows. The same record gives the same bytes: no clock, no
//! system font, no random number, and every label from one embedded font. Colours are Okabe and Ito's, and
//! whatever a colour tells, a dash, a shape or a place tells as well.

mod font;
mod axis;
mod outlines;
mod canvas;
mod image;
mod sheet;
mod area;
mod frame;
mod comparison;
mod training;
mod lengths;
mod rows;
mod texts;
pub mod levels;
pub mod sweep;

pub(super) use texts::title;
pub use training::training_loss;

use crate::error::{Error, Result};
use crate::record::RunRecord;
use crate::report::numbers::Style;
use crate::report::trace;
use canvas::{Canvas, OVERSAMPLING};
use outlines::Outlines;
use plotters::prelude::{BitMapBackend, IntoDrawingArea, SVGBackend};
use rayon::prelude::*;
use sheet::{Drawn, Sheet, WIDTH};

/// The charts of the rows of the data set, by name.
pub(super) const OF_DATA: [&str; 2] = [lengths::TOKENS, lengths::WORDS];

/// The charts of base against fine-tuned model, by name.
pub(super) const OF_COMPARISON: [&str; 2] = [comparison::NAME, rows::NAME];

/// The charts of what the systems wrote, by name.
pub(super) const OF_TEXTS: [&str; 2] = [texts::PROFILE, texts::COPIED];

/// The chart of the losses of a training, by name.
pub(super) const LOSSES: &str = training::LOSSES;

/// Unit of every loss, in the document's word for a token.
const LOSS_UNIT: &str = "nat/belirteç";
/// The two models, in every chart that shows both.
const BASELINE: &str = "Temel model";
const FINE_TUNED: &str = "İnce ayarlı model";

/// One chart, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Stem of its files, ASCII: `egitim_kaybi`.
    pub name: &'static str,
    /// Caption in Turkish, without number and full stop; a number in it is traced, see [`trace`].
    pub caption: String,
    /// What the chart shows, with its numbers, in Turkish, for who cannot see it.
    pub alt: String,
    /// An SVG of 15 cm in width that needs no font.
    pub svg: String,
    /// A PNG of 1772 pixels in width, which says that it has 300 dpi.
    pub png: Vec<u8>,
}

/// Every chart that the record allows, in the order of the document.
///
/// # Errors
/// `Error::Report` where a number of the record cannot be printed.
#[expect(clippy::disallowed_methods, reason = "a report sees no tensor")]
pub fn all(record: &RunRecord, style: Style) -> Result<Vec<Chart>> {
    let charts = [
        lengths::tokens,
        lengths::words,
        training_loss,
        training::learning_rate,
        training::gradient_norm,
        comparison::comparison,
        rows::rows,
        texts::profile,
        texts::copied,
    ];
    let charts: Vec<Option<Chart>> =
        charts.par_iter().map(|chart| chart(record, style)).collect::<Result<_>>()?;
    Ok(charts.into_iter().flatten().collect())
}

/// What a chart says besides its picture.
struct Words {
    name: &'static str,
    caption: String,
    alt: String,
}

/// Draws a figure of `height` pixels twice, on both backends.
fn chart(words: Words, height: i32, draw: impl Fn(&Sheet<'_>) -> Drawn) -> Result<Chart> {
    let Words { name, caption, alt } = words;
    let failed = |error: &dyn std::fmt::Display| Error::Report(format!("chart {name}: {error}"));
    let size = (WIDTH as u32, height as u32);

    let mut shapes = String::new();
    let mut text = Outlines::new(name);
    {
        let shapes = SVGBackend::with_string(&mut shapes, size);
        let sheet = Sheet(Canvas::Vector { shapes, text: &mut text }.into_drawing_area());
        draw(&sheet).map_err(|error| failed(&error))?;
        sheet.0.present().map_err(|error| failed(&error))?;
    }
    let svg = framed(&shapes, &text.elements(), size, &trace::plain(&caption), &alt);

    let bitmap_size = (size.0 * OVERSAMPLING, size.1 * OVERSAMPLING);
    let mut bitmap = vec![255; bitmap_size.0 as usize * bitmap_size.1 as usize * image::CHANNELS];
    {
        let pixels = BitMapBackend::with_buffer(&mut bitmap, bitmap_size);
        let sheet = Sheet(Canvas::Raster { pixels }.into_drawing_area());
        draw(&sheet).map_err(|error| failed(&error))?;
        sheet.0.present().map_err(|error| failed(&error))?;
    }
    let png = image::png(&bitmap, size)?;
    Ok(Chart { name, caption, alt, svg, png })
}

/// plotters' shapes and our text as one SVG that says its size on paper and what it shows.
fn framed(shapes: &str, text: &str, (width, height): (u32, u32), caption: &str, alt: &str) -> String {
    // plotters writes one opening line, one element a line, one closing line.
    let body = shapes.split_once('\n').map_or("", |(_, rest)| rest);
    let body = body.trim_end().strip_suffix("</svg>").unwrap_or(body);
    let centimetres = 15.0 * f64::from(height) / f64::from(width);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"15cm\" \
         height=\"{centimetres:.3}cm\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         stroke-linejoin=\"round\">\n<title>{}</title>\n<desc>{}</desc>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#FFFFFF\"/>\n{body}{text}</svg>\n",
        escaped(caption),
        escaped(alt),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
