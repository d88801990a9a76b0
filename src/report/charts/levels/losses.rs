//! Losses before and after, level by level.

use crate::error::Result;
use crate::level::Level;
use crate::report::charts::area::{Area, EDGE, FOOT, HEAD, TICK_GAP};
use crate::report::charts::axis::{Axis, Origin, amount};
use crate::report::charts::comparison::whisker;
use crate::report::charts::sheet::{
    BLUE, Dash, Drawn, INK, LABEL_SIZE, ORANGE, PALE, Point, Sheet, TICK_SIZE, WIDTH, text_height, text_width,
};
use crate::report::charts::{BASELINE, Chart, FINE_TUNED, LOSS_UNIT, Words, chart};
use crate::report::numbers::Style;
use crate::statistics::Interval;
use plotters::style::text_anchor::{HPos, VPos};

/// Height of this figure: 8 cm.
const HEIGHT: i32 = 945;

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

/// Response loss of base and fine-tuned model level by level, with whiskers at the intervals of `confidence`
/// (0.95). `None` where no level has finite losses.
///
/// # Errors
/// `Error::Report` where a number cannot be printed.
pub fn losses(levels: &[LevelLosses], confidence: f64, style: Style) -> Result<Option<Chart>> {
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
    let confidence = style.percent(confidence, 0)?;

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
    let area = Area { left: EDGE + widest + TICK_GAP, right: WIDTH - EDGE, top: HEAD, bottom: HEIGHT - FOOT };
    chart(Words { name: "duzey_kayiplari", caption, alt: alt.join(" ") }, HEIGHT, |sheet| {
        draw_axes(sheet, area, &y)?;
        draw_key(sheet, area.right)?;
        let place = (area.right - area.left) / levels.len() as i32;
        for (index, (losses, labels)) in levels.iter().zip(labels.chunks_exact(2)).enumerate() {
            let middle = area.left + place * index as i32 + place / 2;
            draw_level(sheet, losses, labels, (middle, (place / 8).min(40)), |value| {
                area.y_of(y.position(value))
            })?;
            let below = (middle, area.bottom + 24);
            sheet.text(losses.level.label(), below, LABEL_SIZE, INK, (HPos::Center, VPos::Top))?;
        }
        let below = ((area.left + area.right) / 2, HEIGHT - EDGE - 10);
        sheet.text("Düzey", below, LABEL_SIZE, INK, (HPos::Center, VPos::Bottom))
    })
    .map(Some)
}

/// The vertical axis with its grid, and the line of the horizontal one, which has levels and no ticks.
fn draw_axes(sheet: &Sheet<'_>, area: Area, y: &Axis) -> Drawn {
    let Area { left, right, bottom, .. } = area;
    for (tick, label) in &y.ticks {
        let height = area.y_of(y.share(*tick));
        sheet.line(&[(left, height), (right, height)], PALE, 2, Dash::Solid)?;
        sheet.text(label, (left - TICK_GAP, height), TICK_SIZE, INK, (HPos::Right, VPos::Center))?;
    }
    sheet.line(&[(left, bottom), (right, bottom)], INK, 3, Dash::Solid)?;
    sheet.text(&y.title, (EDGE, EDGE), LABEL_SIZE, INK, (HPos::Left, VPos::Top))
}

/// Both models of a level, `apart` pixels to either side of its middle.
fn draw_level(
    sheet: &Sheet<'_>,
    losses: &LevelLosses,
    labels: &[String],
    (middle, apart): (i32, i32),
    pixel: impl Fn(f64) -> i32,
) -> Drawn {
    for (interval, x) in [(losses.baseline, middle - apart), (losses.fine_tuned, middle + apart)] {
        whisker(sheet, (x, pixel(interval.low)), (x, pixel(interval.high)))?;
    }
    let (before, after) = (pixel(losses.baseline.estimate), pixel(losses.fine_tuned.estimate));
    baseline_mark(sheet, (middle - apart, before))?;
    fine_tuned_mark(sheet, (middle + apart, after))?;
    let (left_of, right_of) = (middle - apart - 28, middle + apart + 28);
    sheet.text(&labels[0], (left_of, before), TICK_SIZE, INK, (HPos::Right, VPos::Center))?;
    sheet.text(&labels[1], (right_of, after), TICK_SIZE, INK, (HPos::Left, VPos::Center))
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
