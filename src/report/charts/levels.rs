//! Charts across levels: losses before and after, and every adapter on every level's evaluation rows.

use super::axis::{Axis, Origin, amount, unprintable};
use super::comparison::whisker;
use super::frame::{EDGE, HEAD, text_height};
use super::sheet::{
    BLUE, Dash, Drawn, INK, LABEL_SIZE, ORANGE, PALE, PAPER, Point, Sheet, TICK_SIZE, WIDTH, text_width,
};
use super::{Chart, LOSS_UNIT, Words, chart};
use crate::error::{Error, Result};
use crate::level::Level;
use crate::report::numbers::Style;
use crate::statistics::Interval;
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

/// Name of the chart of the matrix.
pub(in crate::report) const MATRIX: &str = "duzey_matrisi";

const BASELINE: &str = "Temel model";
const FINE_TUNED: &str = "İnce ayarlı model";
const EVALUATION_TITLE: &str = "Değerlendirme kümesinin düzeyi";
const ADAPTER_TITLE: &str = "Adaptörün düzeyi";

/// Losses of one level's evaluation rows, in nats a token, with their intervals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelLosses {
    /// The level.
    pub level: Level,
    /// The base model.
    pub baseline: Interval,
    /// The adapter trained on this level.
    pub fine_tuned: Interval,
}

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

/// Response loss of base and fine-tuned model level by level, with whiskers at the intervals of `confidence`
/// (0.95). `None` where no level has finite losses.
///
/// # Errors
/// `Error::Report` where a number cannot be printed.
pub fn losses(levels: &[LevelLosses], confidence: f64, style: Style) -> Result<Option<Chart>> {
    const HEIGHT: i32 = 945;
    let finite =
        |interval: &Interval| [interval.estimate, interval.low, interval.high].iter().all(|v| v.is_finite());
    let levels: Vec<&LevelLosses> =
        levels.iter().filter(|losses| finite(&losses.baseline) && finite(&losses.fine_tuned)).collect();
    if levels.is_empty() {
        return Ok(None);
    }
    let intervals = || levels.iter().flat_map(|losses| [losses.baseline, losses.fine_tuned]);
    let values: Vec<f64> =
        intervals().flat_map(|interval| [interval.estimate, interval.low, interval.high]).collect();
    let labels: Vec<String> =
        intervals().map(|interval| amount(interval.estimate, 2, style)).collect::<Result<_>>()?;
    let y = Axis::measured("Yanıt kaybı", LOSS_UNIT, &values, Origin::Data, 6, style)?;
    let confidence = style.percent(confidence, 0).map_err(unprintable)?;

    let mut alt =
        vec!["Nokta grafiği: yatay eksende düzey, dikey eksende yanıt kaybı (nat/belirteç).".to_string()];
    for (losses, pair) in levels.iter().zip(labels.chunks_exact(2)) {
        alt.push(format!("{}: temel model {}, ince ayarlı model {}.", losses.level, pair[0], pair[1]));
    }
    let caption = format!(
        "Düzeylere göre temel modelin ve ince ayarlı modelin yanıt kayıpları (dikey çizgiler {confidence} güven \
         aralığını göstermektedir)"
    );
    let widest = y.ticks.iter().map(|(_, label)| text_width(label, TICK_SIZE)).max().unwrap_or(0);
    let (left, right, bottom) = (EDGE + widest + 16, WIDTH - EDGE, HEIGHT - 132);
    let height_of = |share: f64| bottom - (share * f64::from(bottom - HEAD)).round() as i32;
    chart(Words { name: "duzey_kayiplari", caption, alt: alt.join(" ") }, HEIGHT, |sheet| {
        for (tick, label) in &y.ticks {
            let height = height_of(y.share(*tick));
            sheet.line(&[(left, height), (right, height)], PALE, 2, Dash::Solid)?;
            sheet.text(label, (left - 16, height), TICK_SIZE, INK, (HPos::Right, VPos::Center))?;
        }
        sheet.line(&[(left, bottom), (right, bottom)], INK, 3, Dash::Solid)?;
        sheet.text(&y.title, (EDGE, EDGE), LABEL_SIZE, INK, (HPos::Left, VPos::Top))?;
        draw_key(sheet, right)?;
        let place = (right - left) / levels.len() as i32;
        let apart = (place / 8).min(40);
        for (index, (losses, pair)) in levels.iter().zip(labels.chunks_exact(2)).enumerate() {
            let middle = left + place * index as i32 + place / 2;
            let pixel = |value: f64| height_of(y.position(value));
            for (interval, x) in [(losses.baseline, middle - apart), (losses.fine_tuned, middle + apart)] {
                whisker(sheet, (x, pixel(interval.low)), (x, pixel(interval.high)))?;
            }
            let (before, after) = (pixel(losses.baseline.estimate), pixel(losses.fine_tuned.estimate));
            baseline_mark(sheet, (middle - apart, before))?;
            fine_tuned_mark(sheet, (middle + apart, after))?;
            let (left_of, right_of) = (middle - apart - 28, middle + apart + 28);
            sheet.text(&pair[0], (left_of, before), TICK_SIZE, INK, (HPos::Right, VPos::Center))?;
            sheet.text(&pair[1], (right_of, after), TICK_SIZE, INK, (HPos::Left, VPos::Center))?;
            let below = (middle, bottom + 24);
            sheet.text(losses.level.label(), below, LABEL_SIZE, INK, (HPos::Center, VPos::Top))?;
        }
        let below = ((left + right) / 2, HEIGHT - EDGE - 10);
        sheet.text("Düzey", below, LABEL_SIZE, INK, (HPos::Center, VPos::Bottom))
    })
    .map(Some)
}

/// The matrix of all adapters on all evaluation rows as a heat map; the lowest loss of each column has a frame.
/// `None` where nothing was measured.
///
/// # Errors
/// `Error::Report` where the matrix is not as wide or high as its levels, or a number cannot be printed.
pub fn matrix(cross: &CrossLosses, style: Style) -> Result<Option<Chart>> {
    let CrossLosses { levels, losses, baseline } = cross;
    let rows: Vec<(String, &Vec<Option<f64>>)> = levels
        .iter()
        .map(|level| level.label().to_string())
        .zip(losses)
        .chain(baseline.iter().map(|losses| (BASELINE.to_string(), losses)))
        .collect();
    let expected = levels.len();
    if losses.len() != expected || rows.iter().any(|(_, row)| row.len() != expected) {
        let widths: Vec<usize> = rows.iter().map(|(_, row)| row.len()).collect();
        return Err(Error::Report(format!(
            "cross-level losses: expected {expected} rows of {expected}, got rows of {widths:?}"
        )));
    }
    let value = |row: usize, column: usize| rows[row].1[column].filter(|loss| loss.is_finite());
    let cells: Vec<(usize, usize)> =
        (0..rows.len()).flat_map(|row| (0..expected).map(move |column| (row, column))).collect();
    let measured: Vec<f64> = cells.iter().filter_map(|&(row, column)| value(row, column)).collect();
    if measured.is_empty() {
        return Ok(None);
    }
    let low = measured.iter().copied().fold(f64::INFINITY, f64::min);
    let high = measured.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let printed: Vec<String> = cells
        .iter()
        .map(|&(row, column)| value(row, column).map_or(Ok("–".to_string()), |loss| amount(loss, 2, style)))
        .collect::<Result<_>>()?;
    let lowest = |column: usize| {
        (0..rows.len())
            .filter_map(|row| value(row, column).map(|loss| (row, loss)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(row, _)| row)
    };

    let mut alt = vec![
        "Isı haritası: satırlarda adaptörün eğitildiği düzey, sütunlarda değerlendirme kümesinin düzeyi; hücrelerde \
         yanıt kaybı (nat/belirteç)."
            .to_string(),
    ];
    for (index, (name, _)) in rows.iter().enumerate() {
        let row: Vec<String> = levels
            .iter()
            .zip(&printed[index * expected..])
            .map(|(level, loss)| format!("{level} {loss}"))
            .collect();
        alt.push(format!("{name}: {}.", row.join("; ")));
    }
    let caption =
        "Her düzeyin adaptörünün bütün düzeylerin değerlendirme kümelerindeki yanıt kayıpları".to_string();

    let names = rows.iter().map(|(name, _)| name.as_str()).chain([ADAPTER_TITLE]);
    let left = EDGE + names.map(|name| text_width(name, LABEL_SIZE)).max().unwrap_or(0) + 26;
    let (top, cell_height) = (HEAD + 48, 124);
    let right = WIDTH - 330;
    let cell_width = (right - left) / expected as i32;
    // The base model is no adapter: a gap sets its row apart.
    let row_top = |row: usize| top + row as i32 * cell_height + if row >= expected { 24 } else { 0 };
    let bottom = row_top(rows.len() - 1) + cell_height;
    let scale = (amount(low, 2, style)?, amount(high, 2, style)?);
    chart(Words { name: MATRIX, caption, alt: alt.join(" ") }, bottom + 86, |sheet| {
        sheet.text(ADAPTER_TITLE, (left - 22, top - 18), LABEL_SIZE, INK, (HPos::Right, VPos::Bottom))?;
        let middle = left + cell_width * expected as i32 / 2;
        sheet.text(EVALUATION_TITLE, (middle, EDGE), LABEL_SIZE, INK, (HPos::Center, VPos::Top))?;
        for (column, level) in levels.iter().enumerate() {
            let at = (left + column as i32 * cell_width + cell_width / 2, top - 18);
            sheet.text(level.label(), at, LABEL_SIZE, INK, (HPos::Center, VPos::Bottom))?;
        }
        for (row, (name, _)) in rows.iter().enumerate() {
            let at = (left - 22, row_top(row) + cell_height / 2);
            sheet.text(name, at, LABEL_SIZE, INK, (HPos::Right, VPos::Center))?;
        }
        for (&(row, column), text) in cells.iter().zip(&printed) {
            let corner = (left + column as i32 * cell_width, row_top(row));
            let far = (corner.0 + cell_width, corner.1 + cell_height);
            let fill = value(row, column).map_or(PAPER, |loss| shade(share(loss, low, high)));
            sheet.bar((corner.0 + 2, corner.1 + 2), (far.0 - 2, far.1 - 2), fill)?;
            let ink = if is_dark(fill) { PAPER } else { INK };
            let middle = ((corner.0 + far.0) / 2, (corner.1 + far.1) / 2);
            sheet.text(text, middle, LABEL_SIZE, ink, (HPos::Center, VPos::Center))?;
            if lowest(column) == Some(row) {
                draw_frame(sheet, (corner.0 + 6, corner.1 + 6), (far.0 - 6, far.1 - 6))?;
            }
        }
        draw_scale(sheet, (right + 70, top), bottom, [&scale.0, &scale.1])?;
        let y = bottom + 48;
        draw_frame(sheet, (left + 4, y - 17), (left + 54, y + 17))?;
        let at = (left + 76, y);
        sheet.text("sütundaki en düşük kayıp", at, LABEL_SIZE, INK, (HPos::Left, VPos::Center))?;
        if measured.len() < cells.len() {
            let at = (left + 96 + text_width("sütundaki en düşük kayıp", LABEL_SIZE) + 60, y);
            sheet.text("–  ölçülmemiştir", at, LABEL_SIZE, INK, (HPos::Left, VPos::Center))?;
        }
        Ok(())
    })
    .map(Some)
}

fn baseline_mark(sheet: &Sheet<'_>, at: Point) -> Drawn {
    sheet.disc(at, 17, INK)?;
    sheet.disc(at, 14, ORANGE)
}

fn fine_tuned_mark(sheet: &Sheet<'_>, at: Point) -> Drawn {
    sheet.diamond(at, 18, INK)?;
    sheet.diamond(at, 14, BLUE)
}

/// The two marks and their names, at the figure's upper right corner.
fn draw_key(sheet: &Sheet<'_>, right: i32) -> Drawn {
    let y = EDGE + text_height() / 2 + 2;
    let second = right - text_width(FINE_TUNED, LABEL_SIZE);
    let first = second - 100 - text_width(BASELINE, LABEL_SIZE);
    baseline_mark(sheet, (first - 36, y))?;
    sheet.text(BASELINE, (first, y), LABEL_SIZE, INK, (HPos::Left, VPos::Center))?;
    fine_tuned_mark(sheet, (second - 36, y))?;
    sheet.text(FINE_TUNED, (second, y), LABEL_SIZE, INK, (HPos::Left, VPos::Center))
}

fn draw_frame(sheet: &Sheet<'_>, (left, top): Point, (right, bottom): Point) -> Drawn {
    for (color, width) in [(PAPER, 11), (INK, 6)] {
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top), (right, top)];
        sheet.line(&corners, color, width, Dash::Solid)?;
    }
    Ok(())
}

/// The colours of the cells with their lowest and highest loss.
fn draw_scale(sheet: &Sheet<'_>, (left, top): Point, bottom: i32, [low, high]: [&str; 2]) -> Drawn {
    const WIDE: i32 = 44;
    for y in top..bottom {
        let share = f64::from(bottom - y) / f64::from(bottom - top);
        // Rows of one colour; steps of 4 pixels cannot be seen and keep the SVG small.
        if (y - top) % 4 == 0 {
            sheet.bar((left, y), (left + WIDE, (y + 4).min(bottom)), shade(share))?;
        }
    }
    let beside = left + WIDE + 18;
    sheet.text(high, (beside, top), TICK_SIZE, INK, (HPos::Left, VPos::Top))?;
    sheet.text(low, (beside, bottom), TICK_SIZE, INK, (HPos::Left, VPos::Bottom))?;
    for (row, line) in ["Yanıt kaybı", LOSS_UNIT].into_iter().enumerate() {
        let at = (left - 40, EDGE + row as i32 * 48);
        sheet.text(line, at, TICK_SIZE, INK, (HPos::Left, VPos::Top))?;
    }
    Ok(())
}

/// Where a loss lies between the lowest and the highest; in the middle where all are the same.
fn share(loss: f64, low: f64, high: f64) -> f64 {
    if high > low { (loss / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0) } else { 0.5 }
}

/// From near white over Okabe and Ito's sky blue to a dark blue: one hue, ever darker, so that greyscale and
/// any colour vision keep the order.
fn shade(share: f64) -> RGBColor {
    const STOPS: [(f64, [f64; 3]); 3] =
        [(0.0, [240.0, 247.0, 252.0]), (0.5, [86.0, 180.0, 233.0]), (1.0, [0.0, 62.0, 110.0])];
    let share = share.clamp(0.0, 1.0);
    let (from, to) = if share < STOPS[1].0 { (STOPS[0], STOPS[1]) } else { (STOPS[1], STOPS[2]) };
    let part = (share - from.0) / (to.0 - from.0);
    let channel = |index: usize| (from.1[index] + part * (to.1[index] - from.1[index])).round() as u8;
    RGBColor(channel(0), channel(1), channel(2))
}

/// Whether bright letters read better on this colour: relative luminance (WCAG 2) below 0.18, where the
/// contrasts to black and to white are equal.
fn is_dark(RGBColor(red, green, blue): RGBColor) -> bool {
    let linear = |channel: u8| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue) < 0.18
}
