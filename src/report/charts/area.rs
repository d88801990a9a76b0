//! Places in a figure: the panel, and the room around it.

use super::axis::Axis;
use super::sheet::{Point, TICK_SIZE, WIDTH, text_width};

/// Room above a panel for the title of its vertical axis.
pub(super) const HEAD: i32 = 84;
/// Room below a panel for ticks and the title of its horizontal axis.
pub(super) const FOOT: i32 = 132;
/// Space to the figure's edge.
pub(super) const EDGE: i32 = 14;
/// From an axis to its numbers.
pub(super) const TICK_GAP: i32 = 16;

/// A rectangle of pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    /// Left edge.
    pub(super) left: i32,
    /// Right edge.
    pub(super) right: i32,
    /// Upper edge.
    pub(super) top: i32,
    /// Lower edge.
    pub(super) bottom: i32,
}

impl Area {
    /// The panel of a figure of `height` pixels between the numbers of its vertical axis and at least `right`
    /// pixels, or as many as the last number of the horizontal axis needs.
    pub(super) fn beside(y: &Axis, x: &Axis, right: i32, height: i32) -> Self {
        let widest = y.ticks.iter().map(|(_, label)| text_width(label, TICK_SIZE)).max().unwrap_or(0);
        let last = x.ticks.last().map_or(0, |(_, label)| EDGE + text_width(label, TICK_SIZE) / 2);
        Area {
            left: EDGE + widest + TICK_GAP,
            right: WIDTH - right.max(last),
            top: HEAD,
            bottom: height - FOOT,
        }
    }

    /// The pixel of a share of the width.
    pub(super) fn x_of(&self, share: f64) -> i32 {
        self.left + (share * f64::from(self.right - self.left)).round() as i32
    }

    /// The pixel of a share of the height, which counts from below.
    pub(super) fn y_of(&self, share: f64) -> i32 {
        self.bottom - (share * f64::from(self.bottom - self.top)).round() as i32
    }

    pub(super) fn holds(&self, (x, y): Point) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }

    pub(super) fn is_within(&self, other: &Area) -> bool {
        other.holds((self.left, self.top)) && other.holds((self.right, self.bottom))
    }
}
