//! Base and fine-tuned model side by side, under both masks.

use super::area::{Area, EDGE, FOOT};
use super::axis::{Axis, Origin, amount};
use super::frame::Frame;
use super::sheet::{
    BLUE, Dash, Drawn, INK, LABEL_SIZE, ORANGE, PAPER, Sheet, WIDTH, text_height, text_width,
};
use super::{BASELINE, Chart, FINE_TUNED, LOSS_UNIT, Words, chart};
use crate::error::Result;
use crate::record::RunRecord;
use crate::report::measures::{Mask, both_scores};
use crate::report::numbers::Style;
use crate::report::quantity::Quantity;
use crate::statistics::{Comparison, Interval};
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

pub(super) const NAME: &str = "temel_ince_ayarli";

/// Distance of bars, and thickness of one.
const ROW: i32 = 78;
const BAR: i32 = 54;
/// A mask's heading above its two bars.
const HEADING: i32 = 74;
const GROUP: i32 = HEADING + 2 * ROW + 24;

/// A loss with its interval, where one was computed.
struct Bar {
    loss: f64,
    interval: Option<Interval>,
}

/// Base and fine-tuned model under one mask.
struct Group {
    heading: &'static str,
    bars: [Bar; 2],
}

/// Losses of both models under both masks as bars from 0, with the intervals of the statistics as whiskers.
///
/// # Errors
/// `Error::Report` where a number cannot be printed.
pub(super) fn comparison(record: &RunRecord, style: Style) -> Result<Option<Chart>> {
    let Some(groups) = groups(record) else { return Ok(None) };
    let bars = || groups.iter().flat_map(|group| &group.bars);
    let values: Vec<f64> =
        bars().flat_map(|bar| [bar.loss, bar.interval.map_or(bar.loss, |interval| interval.high)]).collect();
    if !values.iter().all(|value| value.is_finite()) {
        return Ok(None);
    }
    let digits = digits_between(&groups.each_ref().map(|group| (group.bars[0].loss, group.bars[1].loss)));
    let labels: Vec<String> = bars().map(|bar| label(bar, digits, style)).collect::<Result<_>>()?;
    let words = words(record, &groups, &labels, style)?;

    let x = Axis::measured("Kayıp", LOSS_UNIT, &values, Origin::Zero, 6, style)?;
    let names = [BASELINE, FINE_TUNED].map(|name| text_width(name, LABEL_SIZE));
    let widest = labels.iter().map(|label| text_width(label, LABEL_SIZE)).max().unwrap_or(0);
    let left = EDGE + names[0].max(names[1]) + 18;
    let bottom = EDGE + 2 * GROUP - 10;
    let area = Area { left, right: WIDTH - EDGE - widest - 18, top: EDGE, bottom };
    chart(words, bottom + FOOT, |sheet| {
        let frame = Frame::draw_upright(sheet, area, &x)?;
        for (index, (group, labels)) in groups.iter().zip(labels.chunks_exact(2)).enumerate() {
            let top = EDGE + index as i32 * GROUP;
            let above = (EDGE, top + HEADING - 26);
            sheet.text(group.heading, above, LABEL_SIZE, INK, (HPos::Left, VPos::Bottom))?;
            frame.draw_vertical_grid(top + HEADING - 8, top + HEADING + 2 * ROW - 4)?;
            let models = [(BASELINE, ORANGE), (FINE_TUNED, BLUE)].into_iter().zip(&group.bars).zip(labels);
            for (row, (((name, color), bar), label)) in models.enumerate() {
                let middle = top + HEADING + row as i32 * ROW + ROW / 2 - 6;
                sheet.text(name, (left - 18, middle), LABEL_SIZE, INK, (HPos::Right, VPos::Center))?;
                draw_bar(sheet, &frame, middle, bar, label, color)?;
            }
        }
        Ok(())
    })
    .map(Some)
}

/// Both masks, where both models were evaluated.
fn groups(record: &RunRecord) -> Option<[Group; 2]> {
    let group = |heading: &'static str, mask: Mask| {
        let both = both_scores(record, mask)?;
        let interval = |of: fn(&Comparison) -> Interval| both.statistics.map(of);
        let baseline = Bar { loss: both.baseline.loss, interval: interval(|of| of.baseline.loss) };
        let fine_tuned = Bar { loss: both.fine_tuned.loss, interval: interval(|of| of.fine_tuned.loss) };
        Some(Group { heading, bars: [baseline, fine_tuned] })
    };
    Some([group("Yanıt kaybı", Mask::Masked)?, group("Tam metin kaybı", Mask::Full)?])
}

fn words(record: &RunRecord, groups: &[Group], labels: &[String], style: Style) -> Result<Words> {
    let mut alt =
        vec!["Yatay çubuk grafik: temel modelin ve ince ayarlı modelin kaybı (nat/belirteç).".to_string()];
    for (Group { heading, .. }, labels) in groups.iter().zip(labels.chunks_exact(2)) {
        alt.push(format!("{heading}: temel model {}, ince ayarlı model {}.", labels[0], labels[1]));
    }
    let mut caption =
        "Temel model ile ince ayarlı modelin değerlendirme kümesindeki kayıplarının karşılaştırılması"
            .to_string();
    if let Some(statistics) = &record.evaluation.statistics {
        let confidence = statistics.masked.confidence;
        let origin = Quantity::new("evaluation.statistics.masked.confidence", confidence);
        let confidence = style.percent(confidence, 0)?;
        let traced = origin.traced(&confidence);
        caption.push_str(&format!(" (yatay çizgiler {traced} güven aralığını göstermektedir)"));
        alt.push(format!("Köşeli ayraçlar {confidence} güven aralığını göstermektedir."));
    }
    Ok(Words { name: NAME, caption, alt: alt.join(" ") })
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
    if let Some(Interval { low, high, .. }) = bar.interval {
        whisker(sheet, (x(low), middle), (x(high), middle))?;
        end = end.max(x(high));
    }
    label_after(sheet, end, middle, label)
}

/// The label of a level bar, after its end and over the grid, which stays out of the letters.
pub(super) fn label_after(sheet: &Sheet<'_>, end: i32, middle: i32, label: &str) -> Drawn {
    let (width, height) = (text_width(label, LABEL_SIZE), text_height());
    let corner = (end + 10, middle - height / 2 - 8);
    sheet.bar(corner, (end + 26 + width, middle + height / 2 + 10), PAPER)?;
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
        Some(Interval { low, high, .. }) => {
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
