//! Text of an SVG as glyph outlines.

use super::font;
use ab_glyph::{Font, OutlineCurve, Point};
use plotters_backend::BackendColor;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Text as SVG: each glyph's outline once, and where it stands.
pub(super) struct Outlines {
    /// The figure's name, before the glyph numbers: ids are unique in a page of several figures.
    prefix: &'static str,
    /// Path data in font units, y down, by glyph number.
    glyphs: BTreeMap<u16, String>,
    runs: String,
}

impl Outlines {
    /// No text yet.
    pub(super) fn new(prefix: &'static str) -> Self {
        Outlines { prefix, glyphs: BTreeMap::new(), runs: String::new() }
    }

    /// Adds a text whose base line begins at (x, `baseline`).
    pub(super) fn set(&mut self, text: &str, size: f64, color: BackendColor, x: f64, baseline: f64) {
        let (red, green, blue) = color.rgb;
        let units = size / font::units_per_em();
        // Writing to a string cannot fail.
        let _ = write!(
            self.runs,
            "<g fill=\"#{red:02X}{green:02X}{blue:02X}\" transform=\"translate({x:.1} {baseline:.1}) scale({units:.5})\">"
        );
        for (glyph, advance) in font::layout(text, size) {
            let Some(outline) = font::embedded().outline(glyph) else { continue };
            self.glyphs.entry(glyph.0).or_insert_with(|| path_data(&outline.curves));
            let _ = write!(
                self.runs,
                "<use xlink:href=\"#{}-{}\" x=\"{:.0}\"/>",
                self.prefix,
                glyph.0,
                advance / units
            );
        }
        self.runs.push_str("</g>\n");
    }

    /// The SVG elements: the glyphs that occur, then the text that uses them.
    pub(super) fn elements(&self) -> String {
        let mut elements = String::from("<defs>\n");
        for (glyph, path) in &self.glyphs {
            let _ = writeln!(elements, "<path id=\"{}-{glyph}\" d=\"{path}\"/>", self.prefix);
        }
        elements.push_str("</defs>\n");
        elements.push_str(&self.runs);
        elements
    }
}

/// The closed contours of a glyph as SVG path data, y downwards.
fn path_data(curves: &[OutlineCurve]) -> String {
    let mut data = String::new();
    let mut pen: Option<Point> = None;
    for curve in curves {
        let (command, points): (char, Vec<Point>) = match *curve {
            OutlineCurve::Line(from, to) => ('L', vec![from, to]),
            OutlineCurve::Quad(from, control, to) => ('Q', vec![from, control, to]),
            OutlineCurve::Cubic(from, first, second, to) => ('C', vec![from, first, second, to]),
        };
        if pen != Some(points[0]) {
            let _ = write!(data, "M{} {}", points[0].x, -points[0].y);
        }
        data.push(command);
        let ends: Vec<String> = points[1..].iter().map(|point| format!("{} {}", point.x, -point.y)).collect();
        data.push_str(&ends.join(" "));
        pen = points.last().copied();
    }
    data
}
