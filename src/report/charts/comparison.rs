//! Base and fine-tuned model side by side, under both masks.

use super::axis::{Axis, Origin, amount, unprintable};
use super::frame::{Area, EDGE, FOOT, Frame, text_height};
use super::sheet::{BLUE, Dash, Drawn, INK, LABEL_SIZE, ORANGE, Sheet, WIDTH, text_width};
use super::{Chart, LOSS_UNIT, Words, chart};
use crate::error::Result;
use crate::record::RunRecord;
use crate::report::numbers::Style;
use crate::report::quantity::Quantity;
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

pub(super) const NAME: &str = "temel_ince_ayarli";

const BASELINE: &str = "Temel model";
const FINE_TUNED: &str = "İnce ayarlı model";
/// Distance of bars, and thickness of one.
const ROW: i32 = 78;
const BAR: i32 = 54;
/// A mask's heading above its two bars.
const HEADING: i32 = 74;
const GROUP: i32 = HEADING + 2 * ROW + 24;

/// A loss with its interval, where one was computed.
struct Bar {
    loss: f64,
    interval: Option<(f64, f64)>,
}

/// Losses of both models under both masks as bars from 0, with the intervals of the statistics as whiskers.
///
/// # Errors
/// `Error::Report` where a number cannot be printed.
pub fn comparison(record: &RunRecord, style: Style) -> Result<Option<Chart>> {
    let evaluation = &record.evaluation;
    let (Some(baseline), Some(fine_tuned)) = (&evaluation.baseline, &evaluation.fine_tuned) else {
        return Ok(None);
    };
    let statistics = evaluation.statistics.as_ref();
    let masked = statistics.map(|statistics| &statistics.masked);
    let full = statistics.map(|statistics| &statistics.full);
    let bar = |loss: f64, interval: Option<crate::statistics::Interval>| Bar {
        loss,
        interval: interval.map(|interval| (interval.low, interval.high)),
    };
    let groups = [
        (
            "Yanıt kaybı",
            bar(baseline.masked.loss, masked.map(|comparison| comparison.baseline.loss)),
            bar(fine_tuned.masked.loss, masked.map(|comparison| comparison.fine_tuned.loss)),
        ),
        (
            "Tam metin kaybı",
            bar(baseline.full.loss, full.map(|comparison| comparison.baseline.loss)),
            bar(fine_tuned.full.loss, full.map(|comparison| comparison.fine_tuned.loss)),
        ),
    ];
    let bars = || groups.iter().flat_map(|(_, baseline, fine_tuned)| [baseline, fine_tuned]);
    let values: Vec<f64> =
        bars().flat_map(|bar| [bar.loss, bar.interval.map_or(bar.loss, |(_, high)| high)]).collect();
    if !values.iter().all(|value| value.is_finite()) {
        return Ok(None);
    }
    let digits =
        digits_between(&groups.each_ref().map(|(_, baseline, fine_tuned)| (baseline.loss, fine_tuned.loss)));
    let labels: Vec<String> = bars().map(|bar| label(bar, digits, style)).collect::<Result<_>>()?;

    let mut alt =
        vec!["Yatay çubuk grafik: temel modelin ve ince ayarlı modelin kaybı (nat/belirteç).".to_string()];
    for (index, (heading, ..)) in groups.iter().enumerate() {
        alt.push(format!(
            "{heading}: temel model {}, ince ayarlı model {}.",
            labels[2 * index],
            labels[2 * index + 1]
        ));
    }
    let mut caption =
        "Temel model ile ince ayarlı modelin değerlendirme kümesindeki kayıplarının karşılaştırılması"
            .to_string();
    if let Some(comparison) = masked {
        let confidence = style.percent(comparison.confidence, 0).map_err(unprintable)?;
        let origin = Quantity::new("evaluation.statistics.masked.confidence", comparison.confidence);
        caption.push_str(&format!(
            " (yatay çizgiler {} güven aralığını göstermektedir)",
            origin.traced(&confidence)
        ));
        alt.push(format!("Köşeli ayraçlar {confidence} güven aralığını göstermektedir."));
    }

    let x = Axis::measured("Kayıp", LOSS_UNIT, &values, Origin::Zero, 6, style)?;
    let names = [BASELINE, FINE_TUNED].map(|name| text_width(name, LABEL_SIZE));
    let widest = labels.iter().map(|label| text_width(label, LABEL_SIZE)).max().unwrap_or(0);
    let left = EDGE + names[0].max(names[1]) + 18;
    let bottom = EDGE + 2 * GROUP - 10;
    let area = Area { left, right: WIDTH - EDGE - widest - 18, top: EDGE, bottom };
    let words = Words { name: NAME, caption, alt: alt.join(" ") };
    chart(words, bottom + FOOT, |sheet| {
        let frame = Frame::draw_upright(sheet, area, &x)?;
        for (index, (heading, baseline, fine_tuned)) in groups.iter().enumerate() {
            let top = EDGE + index as i32 * GROUP;
            sheet.text(heading, (EDGE, top + HEADING - 26), LABEL_SIZE, INK, (HPos::Left, VPos::Bottom))?;
            frame.draw_vertical_grid(top + HEADING - 8, top + HEADING + 2 * ROW - 4)?;
            let models = [(BASELINE, baseline, ORANGE), (FINE_TUNED, fine_tuned, BLUE)];
            for (row, (name, bar, color)) in models.into_iter().enumerate() {
                let middle = top + HEADING + row as i32 * ROW + ROW / 2 - 6;
                sheet.text(name, (left - 18, middle), LABEL_SIZE, INK, (HPos::Right, VPos::Center))?;
                draw_bar(sheet, &frame, middle, bar, &labels[2 * index + row], color)?;
            }
        }
        Ok(())
    })
    .map(Some)
}

fn draw_bar(
    sheet: &Sheet<'_>,
    frame: &Frame<'_, '_>,
    middle: i32,
    bar: &Bar,
    label: &str,
    color: RGBColor,
) -> Drawn {
    let x = |value: f64| frame.across(value);
    sheet.bar((x(0.0), middle - BAR / 2), (x(bar.loss), middle + BAR / 2), color)?;
    let mut end = x(bar.loss);
    if let Some((low, high)) = bar.interval {
        whisker(sheet, (x(low), middle), (x(high), middle))?;
        end = end.max(x(high));
    }
    // Over the grid, which stays out of the letters.
    let (width, height) = (text_width(label, LABEL_SIZE), text_height());
    let corner = (end + 10, middle - height / 2 - 8);
    sheet.bar(corner, (end + 26 + width, middle + height / 2 + 10), super::sheet::PAPER)?;
    sheet.text(label, (end + 18, middle), LABEL_SIZE, INK, (HPos::Left, VPos::Center))
}

/// A line with a cap at each end, level or upright.
pub(super) fn whisker(sheet: &Sheet<'_>, from: (i32, i32), to: (i32, i32)) -> Drawn {
    let cap = if from.1 == to.1 { (0, 13) } else { (13, 0) };
    sheet.line(&[from, to], INK, 4, Dash::Solid)?;
    for end in [from, to] {
        sheet.line(&[(end.0 - cap.0, end.1 - cap.1), (end.0 + cap.0, end.1 + cap.1)], INK, 4, Dash::Solid)?;
    }
    Ok(())
}

/// `2,51 [2,44; 2,58]`.
fn label(bar: &Bar, digits: usize, style: Style) -> Result<String> {
    let loss = amount(bar.loss, digits, style)?;
    Ok(match bar.interval {
        Some((low, high)) => {
            format!("{loss} [{}; {}]", amount(low, digits, style)?, amount(high, digits, style)?)
        }
        None => loss,
    })
}

/// Decimals that tell the two losses of each pair apart: two, or up to four.
pub(super) fn digits_between(pairs: &[(f64, f64)]) -> usize {
    let smallest = pairs
        .iter()
        .map(|(baseline, fine_tuned)| (baseline - fine_tuned).abs())
        .filter(|&difference| difference > 0.0)
        .fold(f64::INFINITY, f64::min);
    match smallest {
        difference if difference >= 0.05 => 2,
        difference if difference >= 0.005 => 3,
        _ => 4,
    }
}
