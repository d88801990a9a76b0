//! Pens and colours: what charts are made of, in pixels of the figure.

use super::canvas::{Canvas, CanvasError};
use super::font;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::prelude::{
    Circle, Color, PathElement, Polygon, RGBColor, Rectangle, ShapeStyle, Text, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Width of every figure: 15 cm at 300 dpi.
pub(super) const WIDTH: i32 = 1772;

/// Size of the numbers at the ticks, in pixels: 8.4 pt.
pub(super) const TICK_SIZE: f64 = 35.0;
/// Size of titles and labels: 8.9 pt.
pub(super) const LABEL_SIZE: f64 = 37.0;

/// Text, axes.
pub(super) const INK: RGBColor = RGBColor(32, 32, 32);
/// Text of second rank.
pub(super) const GREY: RGBColor = RGBColor(96, 96, 96);
/// Grid lines.
pub(super) const PALE: RGBColor = RGBColor(222, 222, 222);
/// Paper.
pub(super) const PAPER: RGBColor = RGBColor(255, 255, 255);
/// Okabe and Ito's palette (2008), told apart by readers with any colour vision; here the four in use, from
/// dark to light in greyscale: blue, vermilion, sky blue, orange.
pub(super) const BLUE: RGBColor = RGBColor(0, 114, 178);
/// See [`BLUE`].
pub(super) const VERMILION: RGBColor = RGBColor(213, 94, 0);
/// See [`BLUE`].
pub(super) const SKY: RGBColor = RGBColor(86, 180, 233);
/// See [`BLUE`].
pub(super) const ORANGE: RGBColor = RGBColor(230, 159, 0);

/// Pixels from the upper left corner, rightwards and downwards.
pub(super) type Point = (i32, i32);

/// Whether a chart could be drawn; the backends in use have no reason to refuse.
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<CanvasError>>;

/// How a line runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dash {
    /// Unbroken.
    Solid,
    /// Broken.
    Dashed,
}

/// The paper of one figure.
pub(super) struct Sheet<'a>(pub(super) DrawingArea<Canvas<'a>, Shift>);

impl Sheet<'_> {
    pub(super) fn line(&self, points: &[Point], color: RGBColor, width: u32, dash: Dash) -> Drawn {
        let style = color.stroke_width(width);
        let pieces = match dash {
            Dash::Solid => vec![points.to_vec()],
            Dash::Dashed => dashes(points),
        };
        pieces.into_iter().try_for_each(|piece| self.0.draw(&PathElement::new(piece, style)))
    }

    pub(super) fn disc(&self, center: Point, radius: u32, color: impl Into<ShapeStyle>) -> Drawn {
        self.0.draw(&Circle::new(center, radius, color.into().filled()))
    }

    /// A triangle that stands on its side, as large to the eye as a disc of this radius.
    pub(super) fn triangle(&self, (x, y): Point, radius: u32, color: impl Into<ShapeStyle>) -> Drawn {
        let (half, up, down) = (radius as i32 * 6 / 5, radius as i32 * 7 / 5, radius as i32 * 4 / 5);
        self.0
            .draw(&Polygon::new(vec![(x, y - up), (x + half, y + down), (x - half, y + down)], color.into()))
    }

    pub(super) fn diamond(&self, (x, y): Point, radius: u32, color: impl Into<ShapeStyle>) -> Drawn {
        let reach = radius as i32 * 5 / 4;
        let corners = vec![(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)];
        self.0.draw(&Polygon::new(corners, color.into()))
    }

    pub(super) fn bar(&self, from: Point, to: Point, color: RGBColor) -> Drawn {
        self.0.draw(&Rectangle::new([from, to], color.filled()))
    }

    /// A text whose side, middle or other side, and top of capitals, middle or base line, is at `at`.
    pub(super) fn text(
        &self,
        text: &str,
        at: Point,
        size: f64,
        color: RGBColor,
        (across, along): (HPos, VPos),
    ) -> Drawn {
        let style = TextStyle::from(("Inter", size)).color(&color).pos(Pos::new(across, along));
        self.0.draw(&Text::new(text.to_string(), at, style))
    }
}

/// The pieces of a broken line: 18 pixels, then 12 of nothing, along each segment from where the one before
/// left off. plotters' own dashes count from the rounded end of the last and drift off a slanting line.
fn dashes(points: &[Point]) -> Vec<Vec<Point>> {
    const ON: f64 = 18.0;
    const PERIOD: f64 = 30.0;
    let mut pieces = Vec::new();
    let mut walked = 0.0;
    for pair in points.windows(2) {
        let (across, down) = (f64::from(pair[1].0 - pair[0].0), f64::from(pair[1].1 - pair[0].1));
        let length = across.hypot(down);
        let at = |distance: f64| {
            let share = (distance - walked) / length;
            (pair[0].0 + (across * share).round() as i32, pair[0].1 + (down * share).round() as i32)
        };
        let mut start = (walked / PERIOD).floor() * PERIOD;
        while start < walked + length {
            let (from, to) = (start.max(walked), (start + ON).min(walked + length));
            if to > from {
                pieces.push(vec![at(from), at(to)]);
            }
            start += PERIOD;
        }
        walked += length;
    }
    pieces
}

/// Width of a text in whole pixels.
pub(super) fn text_width(text: &str, size: f64) -> i32 {
    font::width(text, size).ceil() as i32
}

/// Height of a capital of a label.
pub(super) fn text_height() -> i32 {
    font::cap_height(LABEL_SIZE).round() as i32
}
