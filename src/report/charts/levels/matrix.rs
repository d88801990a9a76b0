//! Every adapter on every level's evaluation rows.

use crate::error::{Error, Result};
use crate::level::Level;
use crate::report::charts::area::{EDGE, HEAD};
use crate::report::charts::axis::amount;
use crate::report::charts::sheet::{
    Dash, Drawn, INK, LABEL_SIZE, PAPER, Point, Sheet, TICK_SIZE, WIDTH, text_width,
};
use crate::report::charts::{BASELINE, Chart, LOSS_UNIT, Words, chart};
use crate::report::numbers::Style;
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

/// Name of this chart.
pub(in crate::report) const NAME: &str = "duzey_matrisi";

const EVALUATION_TITLE: &str = "Değerlendirme kümesinin düzeyi";
const ADAPTER_TITLE: &str = "Adaptörün düzeyi";

/// Losses of every adapter on every level's evaluation rows, in nats a token.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossLosses {
    /// The levels that were run, in the order of rows and columns.
    pub levels: Vec<Level>,
    /// `losses[adapter][evaluation]`; absent where it was not measured.
    pub losses: Vec<Vec<Option<f64>>>,
    /// The base model on the same columns, as a last row; absent where it is not to be shown.
    pub baseline: Option<Vec<Option<f64>>>,
}

/// A row of the matrix: its name, and its losses.
type Row<'a> = (&'static str, &'a [Option<f64>]);

/// The matrix of all adapters on all evaluation rows as a heat map; the lowest loss of each column has a frame.
/// `None` where nothing was measured.
///
/// # Errors
/// `Error::Report` where the matrix is not as wide or high as its levels, or a number cannot be printed.
pub fn matrix(cross: &CrossLosses, style: Style) -> Result<Option<Chart>> {
    let rows = rows(cross)?;
    let measured: Vec<f64> = rows.iter().flat_map(|(_, losses)| losses.iter().filter_map(finite)).collect();
    if measured.is_empty() {
        return Ok(None);
    }
    let print =
        |loss: &Option<f64>| finite(loss).map_or(Ok("–".to_string()), |loss| amount(loss, 2, style));
    let printed: Vec<Vec<String>> = rows
        .iter()
        .map(|(_, losses)| losses.iter().map(print).collect::<Result<_>>())
        .collect::<Result<_>>()?;
    let grid = Grid::of(&rows, cross.levels.len());
    let bounds: Vec<(f64, f64)> = (0..cross.levels.len()).map(|column| bounds(&rows, column)).collect();
    chart(words(cross, &rows, &printed), grid.bottom + 86, |sheet| {
        grid.draw_names(sheet, &cross.levels, &rows)?;
        for (row, ((_, losses), texts)) in rows.iter().zip(&printed).enumerate() {
            for (column, (loss, text)) in losses.iter().zip(texts).enumerate() {
                let (low, high) = bounds[column];
                let fill = finite(loss).map_or(PAPER, |loss| shade(share(loss, low, high)));
                let is_lowest = lowest(&rows, column) == Some(row);
                draw_cell(sheet, grid.corner(row, column), grid.cell, fill, text, is_lowest)?;
            }
        }
        draw_scale(sheet, (grid.right + 70, grid.top), grid.bottom)?;
        draw_key(sheet, (grid.left, grid.bottom + 48), measured.len() < rows.len() * cross.levels.len())
    })
    .map(Some)
}

fn finite(loss: &Option<f64>) -> Option<f64> {
    loss.filter(|loss| loss.is_finite())
}

/// The adapters' rows, then the base model's.
fn rows(cross: &CrossLosses) -> Result<Vec<Row<'_>>> {
    let adapters = cross.levels.iter().map(|level| level.label()).zip(&cross.losses);
    let baseline = cross.baseline.iter().map(|losses| (BASELINE, losses));
    let rows: Vec<Row<'_>> =
        adapters.chain(baseline).map(|(name, losses)| (name, losses.as_slice())).collect();
    let expected = cross.levels.len();
    if cross.losses.len() != expected || rows.iter().any(|(_, row)| row.len() != expected) {
        let widths: Vec<usize> = rows.iter().map(|(_, row)| row.len()).collect();
        return Err(Error::Report(format!(
            "cross-level losses: expected {expected} rows of {expected}, got rows of {widths:?}"
        )));
    }
    Ok(rows)
}

/// The lowest and the highest loss of a column: sets differ in how hard they are, so no colour compares two of them.
fn bounds(rows: &[Row<'_>], column: usize) -> (f64, f64) {
    let measured = rows.iter().filter_map(|(_, losses)| finite(&losses[column]));
    measured.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), loss| (low.min(loss), high.max(loss)))
}

/// The row of a column's lowest loss.
fn lowest(rows: &[Row<'_>], column: usize) -> Option<usize> {
    let measured =
        rows.iter().enumerate().filter_map(|(row, (_, losses))| Some((row, finite(&losses[column])?)));
    measured.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(row, _)| row)
}

fn words(cross: &CrossLosses, rows: &[Row<'_>], printed: &[Vec<String>]) -> Words {
    let mut alt = vec![
        "Isı haritası: satırlarda adaptörün eğitildiği düzey, sütunlarda değerlendirme kümesinin düzeyi; hücrelerde \
         yanıt kaybı (nat/belirteç)."
            .to_string(),
    ];
    for ((name, _), texts) in rows.iter().zip(printed) {
        let cells = cross.levels.iter().zip(texts).map(|(level, loss)| format!("{level} {loss}"));
        alt.push(format!("{name}: {}.", cells.collect::<Vec<_>>().join("; ")));
    }
    let caption =
        "Her düzeyin adaptörünün bütün düzeylerin değerlendirme kümelerindeki yanıt kayıpları".to_string();
    Words { name: NAME, caption, alt: alt.join(" ") }
}

/// Where the cells stand.
struct Grid {
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
    /// Width and height of a cell.
    cell: (i32, i32),
    columns: usize,
}

impl Grid {
    fn of(rows: &[Row<'_>], columns: usize) -> Self {
        let names = rows.iter().map(|(name, _)| *name).chain([ADAPTER_TITLE]);
        let left = EDGE + names.map(|name| text_width(name, LABEL_SIZE)).max().unwrap_or(0) + 26;
        let right = WIDTH - 330;
        let cell = ((right - left) / columns as i32, 124);
        let mut grid = Grid { left, right, top: HEAD + 48, bottom: 0, cell, columns };
        grid.bottom = grid.corner(rows.len() - 1, 0).1 + cell.1;
        grid
    }

    /// The upper left corner of a cell.
    fn corner(&self, row: usize, column: usize) -> Point {
        // The base model is no adapter: a gap sets its row apart.
        let gap = if row >= self.columns { 24 } else { 0 };
        (self.left + column as i32 * self.cell.0, self.top + row as i32 * self.cell.1 + gap)
    }

    /// The names of rows and columns, and what they are.
    fn draw_names(&self, sheet: &Sheet<'_>, levels: &[Level], rows: &[Row<'_>]) -> Drawn {
        let above = (self.left - 22, self.top - 18);
        sheet.text(ADAPTER_TITLE, above, LABEL_SIZE, INK, (HPos::Right, VPos::Bottom))?;
        let middle = self.left + self.cell.0 * self.columns as i32 / 2;
        sheet.text(EVALUATION_TITLE, (middle, EDGE), LABEL_SIZE, INK, (HPos::Center, VPos::Top))?;
        for (column, level) in levels.iter().enumerate() {
            let at = (self.corner(0, column).0 + self.cell.0 / 2, self.top - 18);
            sheet.text(level.label(), at, LABEL_SIZE, INK, (HPos::Center, VPos::Bottom))?;
        }
        for (row, (name, _)) in rows.iter().enumerate() {
            let at = (self.left - 22, self.corner(row, 0).1 + self.cell.1 / 2);
            sheet.text(name, at, LABEL_SIZE, INK, (HPos::Right, VPos::Center))?;
        }
        Ok(())
    }
}

fn draw_cell(
    sheet: &Sheet<'_>,
    corner: Point,
    (width, height): (i32, i32),
    fill: RGBColor,
    text: &str,
    is_lowest: bool,
) -> Drawn {
    let far = (corner.0 + width, corner.1 + height);
    sheet.bar((corner.0 + 2, corner.1 + 2), (far.0 - 2, far.1 - 2), fill)?;
    let middle = ((corner.0 + far.0) / 2, (corner.1 + far.1) / 2);
    sheet.text(text, middle, LABEL_SIZE, INK, (HPos::Center, VPos::Center))?;
    if is_lowest { draw_frame(sheet, (corner.0 + 6, corner.1 + 6), (far.0 - 6, far.1 - 6)) } else { Ok(()) }
}

/// What a frame means, and a dash where there is one.
fn draw_key(sheet: &Sheet<'_>, (left, y): Point, has_dashes: bool) -> Drawn {
    const LOWEST: &str = "sütundaki en düşük kayıp";
    draw_frame(sheet, (left + 4, y - 17), (left + 54, y + 17))?;
    sheet.text(LOWEST, (left + 76, y), LABEL_SIZE, INK, (HPos::Left, VPos::Center))?;
    if has_dashes {
        let at = (left + 96 + text_width(LOWEST, LABEL_SIZE) + 60, y);
        sheet.text("–  ölçülmemiştir", at, LABEL_SIZE, INK, (HPos::Left, VPos::Center))?;
    }
    Ok(())
}

fn draw_frame(sheet: &Sheet<'_>, (left, top): Point, (right, bottom): Point) -> Drawn {
    for (color, width) in [(PAPER, 11), (INK, 6)] {
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top), (right, top)];
        sheet.line(&corners, color, width, Dash::Solid)?;
    }
    Ok(())
}

/// The colours of the cells, from the lowest to the highest loss of a column.
fn draw_scale(sheet: &Sheet<'_>, (left, top): Point, bottom: i32) -> Drawn {
    const WIDE: i32 = 44;
    for y in top..bottom {
        let share = f64::from(bottom - y) / f64::from(bottom - top);
        // Rows of one colour; steps of 4 pixels cannot be seen and keep the SVG small.
        if (y - top) % 4 == 0 {
            sheet.bar((left, y), (left + WIDE, (y + 4).min(bottom)), shade(share))?;
        }
    }
    let beside = left + WIDE + 18;
    sheet.text("en yüksek", (beside, top), TICK_SIZE, INK, (HPos::Left, VPos::Top))?;
    sheet.text("en düşük", (beside, bottom), TICK_SIZE, INK, (HPos::Left, VPos::Bottom))?;
    for (row, line) in ["Sütundaki kayıp", LOSS_UNIT].into_iter().enumerate() {
        let at = (left - 40, EDGE + row as i32 * 48);
        sheet.text(line, at, TICK_SIZE, INK, (HPos::Left, VPos::Top))?;
    }
    Ok(())
}

/// Where a loss lies between the lowest and the highest; in the middle where all are the same.
fn share(loss: f64, low: f64, high: f64) -> f64 {
    if high > low { (loss / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0) } else { 0.5 }
}

/// From near white to Okabe and Ito's sky blue, a little darkened: one hue, ever darker, so that greyscale and any colour
/// vision keep the order, and light enough for dark letters.
fn shade(share: f64) -> RGBColor {
    const ENDS: [[f64; 3]; 2] = [[246.0, 250.0, 253.0], [112.0, 174.0, 216.0]];
    let share = share.clamp(0.0, 1.0);
    let channel = |index: usize| (ENDS[0][index] + share * (ENDS[1][index] - ENDS[0][index])).round() as u8;
    RGBColor(channel(0), channel(1), channel(2))
}
