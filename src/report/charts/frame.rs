//! A panel with two axes, and labels that look for a free place in it.

use super::area::{Area, EDGE, FOOT, TICK_GAP};
use super::axis::Axis;
use super::sheet::{
    Dash, Drawn, GREY, INK, LABEL_SIZE, PALE, PAPER, Point, Sheet, TICK_SIZE, text_height, text_width,
};
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

/// A panel whose axes are drawn; it remembers where something is, for the labels to stay away.
pub(super) struct Frame<'s, 'c> {
    sheet: &'s Sheet<'c>,
    area: Area,
    x: &'s Axis,
    y: &'s Axis,
    occupied: Vec<Point>,
}

impl<'s, 'c> Frame<'s, 'c> {
    /// Draws grid, numbers and titles. The vertical axis has its title above it, where it can be read without
    /// turning the page.
    pub(super) fn draw(
        sheet: &'s Sheet<'c>,
        area: Area,
        x: &'s Axis,
        y: &'s Axis,
    ) -> Result<Self, plotters::drawing::DrawingAreaErrorKind<super::canvas::CanvasError>> {
        let frame = Frame { sheet, area, x, y, occupied: Vec::new() };
        for (tick, label) in &y.ticks {
            let height = area.y_of(y.share(*tick));
            sheet.line(&[(area.left, height), (area.right, height)], PALE, 2, Dash::Solid)?;
            let at = (area.left - TICK_GAP, height);
            sheet.text(label, at, TICK_SIZE, INK, (HPos::Right, VPos::Center))?;
        }
        frame.draw_horizontal_axis()?;
        sheet.text(&y.title, (EDGE, EDGE), LABEL_SIZE, INK, (HPos::Left, VPos::Top))?;
        Ok(frame)
    }

    /// A panel of level bars: only the horizontal axis; the grid is drawn where bars are.
    pub(super) fn draw_upright(
        sheet: &'s Sheet<'c>,
        area: Area,
        x: &'s Axis,
    ) -> Result<Self, plotters::drawing::DrawingAreaErrorKind<super::canvas::CanvasError>> {
        let frame = Frame { sheet, area, x, y: x, occupied: Vec::new() };
        frame.draw_horizontal_axis()?;
        Ok(frame)
    }

    /// Lines above the horizontal axis' ticks, from one height to another.
    pub(super) fn draw_vertical_grid(&self, top: i32, bottom: i32) -> Drawn {
        for (tick, _) in &self.x.ticks {
            let x = self.area.x_of(self.x.share(*tick));
            self.sheet.line(&[(x, top), (x, bottom)], PALE, 2, Dash::Solid)?;
        }
        Ok(())
    }

    fn draw_horizontal_axis(&self) -> Drawn {
        let Area { left, right, bottom, .. } = self.area;
        self.draw_base_line()?;
        for (tick, label) in &self.x.ticks {
            let x = self.area.x_of(self.x.share(*tick));
            self.sheet.line(&[(x, bottom), (x, bottom + 9)], INK, 3, Dash::Solid)?;
            self.sheet.text(label, (x, bottom + 22), TICK_SIZE, INK, (HPos::Center, VPos::Top))?;
        }
        let below = ((left + right) / 2, bottom + FOOT - EDGE - 10);
        self.sheet.text(&self.x.title, below, LABEL_SIZE, INK, (HPos::Center, VPos::Bottom))
    }

    /// The horizontal axis itself; drawn again after bars, which hide it.
    pub(super) fn draw_base_line(&self) -> Drawn {
        let Area { left, right, bottom, .. } = self.area;
        self.sheet.line(&[(left, bottom), (right, bottom)], INK, 3, Dash::Solid)
    }

    /// The pixel of a point in the axes' values.
    pub(super) fn at(&self, x: f64, y: f64) -> Point {
        (self.area.x_of(self.x.position(x)), self.area.y_of(self.y.position(y)))
    }

    /// The pixel of a value of the horizontal axis.
    pub(super) fn across(&self, x: f64) -> i32 {
        self.area.x_of(self.x.position(x))
    }

    /// A line through points in the axes' values.
    pub(super) fn line(&mut self, points: &[(f64, f64)], color: RGBColor, width: u32, dash: Dash) -> Drawn {
        let pixels: Vec<Point> = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        for pair in pixels.windows(2) {
            self.occupy_line(pair[0], pair[1]);
        }
        self.sheet.line(&pixels, color, width, dash)
    }

    /// Keeps labels away from a mark.
    pub(super) fn occupy(&mut self, (x, y): Point, radius: i32) {
        self.occupied.extend([(x, y), (x - radius, y), (x + radius, y), (x, y - radius), (x, y + radius)]);
    }

    fn occupy_line(&mut self, from: Point, to: Point) {
        let parts = ((to.0 - from.0).abs().max((to.1 - from.1).abs()) / 6).max(1);
        let along =
            |a: i32, b: i32, part: i32| a + (f64::from(b - a) * f64::from(part) / f64::from(parts)) as i32;
        self.occupied.extend((0..=parts).map(|part| (along(from.0, to.0, part), along(from.1, to.1, part))));
    }

    /// Keeps labels off a filled piece of the panel.
    pub(super) fn occupy_area(&mut self, from: Point, to: Point) {
        let columns = (from.0..=to.0).step_by(10);
        self.occupied.extend(columns.flat_map(|x| (from.1..=to.1).step_by(10).map(move |y| (x, y))));
    }

    /// A remark in the panel, where it covers least.
    pub(super) fn note(&mut self, text: &str, color: RGBColor) -> Drawn {
        let width = text_width(text, LABEL_SIZE);
        let Area { left, right, top, bottom } = self.area;
        let starts = [right - width - 16, left + 16, (left + right - width) / 2];
        let places = starts
            .into_iter()
            .flat_map(|start| [(start, top + text_height() + 20), (start, bottom - 24)])
            .collect();
        self.label(places, text, color, None)
    }

    /// A level across the panel, named where its name covers least.
    pub(super) fn level(&mut self, value: f64, name: &str, color: RGBColor) -> Drawn {
        let (_, y) = self.at(0.0, value);
        let Area { left, right, .. } = self.area;
        self.sheet.line(&[(left, y), (right, y)], color, 4, Dash::Dashed)?;
        let width = text_width(name, LABEL_SIZE);
        let starts = [right - width - 12, left + 12, (left + right - width) / 2];
        let places =
            starts.into_iter().flat_map(|start| [(start, y - 15), (start, y + 15 + text_height())]).collect();
        self.occupy_line((left, y), (right, y));
        self.label(places, name, color, None)
    }

    /// An abscissa up the panel, named beside its upper end.
    pub(super) fn abscissa(&mut self, value: f64, name: &str, color: RGBColor) -> Drawn {
        let (x, _) = self.at(value, 0.0);
        let Area { top, bottom, .. } = self.area;
        self.sheet.line(&[(x, top), (x, bottom)], color, 4, Dash::Dashed)?;
        self.occupy_line((x, top), (x, bottom));
        let width = text_width(name, LABEL_SIZE);
        let places = (0..4)
            .map(|row| top + text_height() + 6 + row * (text_height() + 22))
            .flat_map(|base| [(x + 16, base), (x - 16 - width, base)])
            .collect();
        self.label(places, name, color, None)
    }

    /// The name of a mark, near it; a thin line leads to it from where it could not stand close.
    pub(super) fn name(&mut self, mark: Point, radius: i32, name: &str, color: RGBColor) -> Drawn {
        let (width, height) = (text_width(name, LABEL_SIZE), text_height());
        let mut places = Vec::new();
        for gap in [radius + 14, radius + 50, radius + 110, radius + 190] {
            let (above, below, middle) = (mark.1 - gap, mark.1 + gap + height, mark.1 + height / 2);
            for start in [mark.0 - width / 2, mark.0 - width, mark.0, mark.0 - width - gap, mark.0 + gap] {
                places.extend([(start, above), (start, below)]);
            }
            places.extend([(mark.0 + gap, middle), (mark.0 - gap - width, middle)]);
        }
        self.label(places, name, color, Some((mark, radius)))
    }

    /// Sets a text at the best of its places, which name the left end of the base line.
    fn label(
        &mut self,
        places: Vec<Point>,
        text: &str,
        color: RGBColor,
        mark: Option<(Point, i32)>,
    ) -> Drawn {
        let (width, height) = (text_width(text, LABEL_SIZE), text_height());
        let around = |(left, base): Point| Area {
            left: left - 8,
            right: left + width + 8,
            top: base - height - 10,
            bottom: base + 12,
        };
        let covered = |place: &Point| {
            let area = around(*place);
            let hidden = self.occupied.iter().filter(|point| area.holds(**point)).count();
            // Letters that touch the axis are taken for one of its numbers.
            let clear = Area { bottom: area.bottom + 26, ..area };
            hidden + if clear.is_within(&self.area) { 0 } else { 10_000 }
        };
        let Some(place) = places.into_iter().min_by_key(covered) else { return Ok(()) };
        let area = around(place);
        if let Some((mark, radius)) = mark {
            let foot = (mark.0.clamp(area.left, area.right), mark.1.clamp(area.top, area.bottom));
            let distance = f64::from((foot.0 - mark.0).pow(2) + (foot.1 - mark.1).pow(2)).sqrt();
            if distance > f64::from(radius) + 24.0 {
                let share = f64::from(radius) / distance;
                let edge = |from: i32, to: i32| from + (f64::from(to - from) * share) as i32;
                self.sheet.line(
                    &[foot, (edge(mark.0, foot.0), edge(mark.1, foot.1))],
                    GREY,
                    2,
                    Dash::Solid,
                )?;
            }
        }
        // The grid stays out of the letters; where no place was free, so does what is drawn there.
        self.sheet.bar((area.left + 4, area.top + 4), (area.right - 4, area.bottom - 6), PAPER)?;
        self.sheet.text(text, place, LABEL_SIZE, color, (HPos::Left, VPos::Bottom))?;
        for step in 0..=width / 12 {
            let x = place.0 + step * 12;
            self.occupied.extend([(x, place.1), (x, place.1 - height / 2), (x, place.1 - height)]);
        }
        Ok(())
    }

    /// Names of lines beside their right ends, moved apart where they would meet. Each name is one or two
    /// lines of text.
    pub(super) fn name_ends(&self, ends: &[(i32, [&str; 2], RGBColor)]) -> Drawn {
        let line = text_height() + 16;
        let tall = |lines: &[&str; 2]| if lines[1].is_empty() { text_height() } else { text_height() + line };
        let mut order: Vec<usize> = (0..ends.len()).collect();
        order.sort_by_key(|&index| ends[index].0);
        let mut tops: Vec<i32> =
            order.iter().map(|&index| ends[index].0 - tall(&ends[index].1) / 2).collect();
        for next in 1..order.len() {
            let free = tops[next - 1] + tall(&ends[order[next - 1]].1) + 28;
            if tops[next] < free {
                // Half of the way for both.
                let shift = (free - tops[next]) / 2;
                tops[next - 1] -= shift;
                tops[next] += free - tops[next] - shift;
            }
        }
        // The lowest stays above the axis and its numbers, and moves the others up.
        let mut limit = self.area.bottom;
        for (&index, top) in order.iter().zip(&mut tops).rev() {
            *top = (*top).min(limit - tall(&ends[index].1));
            limit = *top - 28;
        }
        for (&index, top) in order.iter().zip(tops) {
            let (_, lines, color) = &ends[index];
            for (row, text) in lines.iter().enumerate() {
                let at = (self.area.right + 22, top + row as i32 * line);
                self.sheet.text(text, at, LABEL_SIZE, *color, (HPos::Left, VPos::Top))?;
            }
        }
        Ok(())
    }
}
