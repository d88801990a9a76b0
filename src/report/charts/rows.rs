//! Every evaluation row before and after, as a point.

use super::area::{Area, FOOT, HEAD};
use super::axis::{Axis, Origin, amount};
use super::comparison::digits_between;
use super::frame::Frame;
use super::sheet::{BLUE, Dash, Drawn, GREY, INK, LABEL_SIZE, PAPER, Point, Sheet, VERMILION};
use super::{Chart, LOSS_UNIT, Words, chart};
use crate::error::Result;
use crate::record::RunRecord;
use crate::report::numbers::Style;
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

pub(super) const NAME: &str = "satir_kayiplari";

/// Side of the square panel: 9 cm, so that equal losses lie on its diagonal.
const SIDE: i32 = 1080;
/// Radius of a row's mark, large and small.
const RADIUS: (u32, u32) = (11, 7);

/// What became of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Fell,
    Rose,
    None,
}

/// Mean loss of each evaluation row's response tokens: base model across, fine-tuned model up.
///
/// A scatter and not a slope plot: 200 slopes cover each other, 200 points do not.
///
/// # Errors
/// `Error::Report` where a number cannot be printed.
pub(super) fn rows(record: &RunRecord, style: Style) -> Result<Option<Chart>> {
    let points: Vec<(f64, f64)> = record
        .evaluation
        .rows
        .iter()
        .filter(|row| row.masked_tokens > 0)
        .filter_map(|row| {
            let tokens = row.masked_tokens as f64;
            row.fine_tuned.map(|fine_tuned| (row.baseline.masked / tokens, fine_tuned.masked / tokens))
        })
        .filter(|(before, after)| before.is_finite() && after.is_finite())
        .collect();
    if points.is_empty() {
        return Ok(None);
    }
    let values: Vec<f64> = points.iter().flat_map(|&(before, after)| [before, after]).collect();
    let x = Axis::measured("Temel modelin kaybı", LOSS_UNIT, &values, Origin::Data, 6, style)?;
    let y = Axis::measured("İnce ayarlı modelin kaybı", LOSS_UNIT, &values, Origin::Data, 6, style)?;
    let count = |wanted: Change| points.iter().filter(|&&point| change(point) == wanted).count();
    let printed = |wanted: Change| style.count(count(wanted) as u64);
    let (fell, rose, none) = (printed(Change::Fell), printed(Change::Rose), printed(Change::None));

    let caption = "Değerlendirme örneklerinin ince ayar öncesi ve sonrası yanıt kayıpları".to_string();
    let alt = format!(
        "Saçılım grafiği: her nokta bir değerlendirme örneğidir; yatay eksende temel modelin, dikey eksende ince \
         ayarlı modelin yanıt kaybı (nat/belirteç) yer almaktadır. {} örneğin {fell} tanesinde kayıp azalmış \
         (köşegenin altı), {rose} tanesinde artmış (köşegenin üstü), {none} tanesinde değişmemiştir.",
        style.count(points.len() as u64),
    );
    let mean = match (&record.evaluation.baseline, &record.evaluation.fine_tuned) {
        (Some(before), Some(after)) if before.masked.loss.is_finite() && after.masked.loss.is_finite() => {
            let (before, after) = (before.masked.loss, after.masked.loss);
            let digits = digits_between(&[(before, after)]);
            let [from, to] = [amount(before, digits, style)?, amount(after, digits, style)?];
            Some((before, after, format!("{from} → {to}")))
        }
        _ => None,
    };
    let mut area = Area::beside(&y, &x, 0, HEAD + SIDE + FOOT);
    area.right = area.left + SIDE;
    let radius = if points.len() <= 400 { RADIUS.0 } else { RADIUS.1 };
    let (low, high) = x.ends();
    chart(Words { name: NAME, caption, alt }, HEAD + SIDE + FOOT, |sheet| {
        let mut frame = Frame::draw(sheet, area, &x, &y)?;
        frame.draw_vertical_grid(area.top, area.bottom)?;
        frame.line(&[(low, low), (high, high)], INK, 3, Dash::Dashed)?;
        for &point in &points {
            draw_mark(sheet, frame.at(point.0, point.1), radius, change(point))?;
        }
        if let Some((before, after, _)) = mean {
            draw_mean(sheet, frame.at(before, after))?;
        }
        draw_key(sheet, area, [&fell, &rose, &none], mean.as_ref().map(|(.., text)| text.as_str()))
    })
    .map(Some)
}

fn change((before, after): (f64, f64)) -> Change {
    match after.total_cmp(&before) {
        std::cmp::Ordering::Less => Change::Fell,
        std::cmp::Ordering::Greater => Change::Rose,
        std::cmp::Ordering::Equal => Change::None,
    }
}

fn draw_mark(sheet: &Sheet<'_>, at: Point, radius: u32, change: Change) -> Drawn {
    match change {
        Change::Fell => sheet.disc(at, radius, BLUE.mix(0.6)),
        Change::Rose => sheet.triangle(at, radius, VERMILION.mix(0.85)),
        Change::None => sheet.diamond(at, radius, GREY),
    }
}

/// A cross with a bright edge, seen over any number of marks.
fn draw_mean(sheet: &Sheet<'_>, (x, y): Point) -> Drawn {
    for (color, width, reach) in [(PAPER, 15, 30), (INK, 7, 26)] {
        sheet.line(&[(x - reach, y), (x + reach, y)], color, width, Dash::Solid)?;
        sheet.line(&[(x, y - reach), (x, y + reach)], color, width, Dash::Solid)?;
    }
    Ok(())
}

/// What the marks mean, with their counts, beside the panel.
fn draw_key(sheet: &Sheet<'_>, area: Area, [fell, rose, none]: [&str; 3], mean: Option<&str>) -> Drawn {
    let left = area.right + 50;
    let mut y = area.top + 40;
    let entries = [
        (Change::Fell, format!("kayıp azaldı: {fell}"), fell),
        (Change::Rose, format!("kayıp arttı: {rose}"), rose),
        (Change::None, format!("değişmedi: {none}"), none),
    ];
    for (change, text, count) in entries {
        // No mark of it is drawn.
        if count == "0" {
            continue;
        }
        draw_mark(sheet, (left + 16, y), 13, change)?;
        sheet.text(&text, (left + 56, y), LABEL_SIZE, INK, (HPos::Left, VPos::Center))?;
        y += 66;
    }
    sheet.line(&[(left - 12, y), (left + 40, y)], INK, 3, Dash::Dashed)?;
    sheet.text("eşit kayıp", (left + 56, y), LABEL_SIZE, INK, (HPos::Left, VPos::Center))?;
    if let Some(mean) = mean {
        y += 66;
        draw_mean(sheet, (left + 16, y))?;
        sheet.text(
            "belirteç ağırlıklı ortalama:",
            (left + 56, y),
            LABEL_SIZE,
            INK,
            (HPos::Left, VPos::Center),
        )?;
        sheet.text(mean, (left + 56, y + 50), LABEL_SIZE, INK, (HPos::Left, VPos::Center))?;
    }
    Ok(())
}
