//! Lengths of the data set's rows, in tokens and in words.

use super::area::Area;
use super::axis::{Axis, Origin, amount};
use super::frame::Frame;
use super::sheet::{BLUE, INK, SKY, VERMILION};
use super::{Chart, Words, chart};
use crate::error::Result;
use crate::record::{Histogram, RunRecord};
use crate::report::numbers::Style;

pub(super) const TOKENS: &str = "token_uzunluklari";
pub(super) const WORDS: &str = "kelime_uzunluklari";

/// Height of these figures: 7 cm.
const HEIGHT: i32 = 827;

/// What is counted, and how it is called.
struct Lengths<'a> {
    name: &'static str,
    caption: &'static str,
    /// `Örnek uzunluğu`, over its unit.
    quantity: &'static str,
    unit: &'static str,
    mean: f64,
    min: usize,
    max: usize,
    histogram: &'a Histogram,
    /// A length at which rows are cut.
    limit: Option<usize>,
}

/// Token lengths of the encoded rows, before truncation.
///
/// # Errors
/// `Error::Report` where a number cannot be printed.
pub(super) fn tokens(record: &RunRecord, style: Style) -> Result<Option<Chart>> {
    let tokens = &record.dataset.tokens;
    let lengths = Lengths {
        name: TOKENS,
        caption: "Veri kümesindeki örneklerin belirteç cinsinden uzunluklarının dağılımı",
        quantity: "Örnek uzunluğu",
        unit: "belirteç",
        mean: tokens.mean,
        min: tokens.min,
        max: tokens.max,
        histogram: &tokens.histogram,
        limit: Some(record.recipe.data.max_seq_len),
    };
    histogram(&lengths, style)
}

/// Word lengths of the answers.
///
/// # Errors
/// `Error::Report` where a number cannot be printed.
pub(super) fn words(record: &RunRecord, style: Style) -> Result<Option<Chart>> {
    let words = &record.dataset.words;
    let lengths = Lengths {
        name: WORDS,
        caption: "Veri kümesindeki yanıtların kelime sayılarının dağılımı",
        quantity: "Yanıt uzunluğu",
        unit: "kelime",
        mean: words.mean,
        min: words.min,
        max: words.max,
        histogram: &words.histogram,
        limit: None,
    };
    histogram(&lengths, style)
}

fn histogram(lengths: &Lengths<'_>, style: Style) -> Result<Option<Chart>> {
    let Histogram { first, width, counts } = lengths.histogram;
    let Some(tallest) = counts.iter().copied().max().filter(|&tallest| tallest > 0 && *width > 0) else {
        return Ok(None);
    };
    // A bin holds whole numbers: half a unit to either side puts each number into the middle of its place.
    let edge = |bin: usize| (first + bin * width) as f64 - 0.5;
    let end = first + counts.len() * width;
    let x = Axis::counted(&format!("{} ({})", lengths.quantity, lengths.unit), *first, end, style);
    let y = Axis::measured("Örnek sayısı", "", &[tallest as f64], Origin::Zero, 5.min(tallest), style)?;
    let area = Area::beside(&y, &x, 40, HEIGHT);
    let mean = amount(lengths.mean, 1, style)?;
    let limit = lengths.limit.filter(|limit| (*first..end).contains(limit));

    let alt = format!(
        "Histogram: yatay eksende {} ({unit}), dikey eksende örnek sayısı. {} örneğin ortalama uzunluğu {mean} \
         {unit}, en kısası {} {unit}, en uzunu {} {unit}; sınıf genişliği {} {unit}.",
        crate::report::turkish::lower(lengths.quantity),
        style.count(counts.iter().sum::<usize>() as u64),
        style.count(lengths.min as u64),
        style.count(lengths.max as u64),
        style.count(*width as u64),
        unit = lengths.unit,
    );
    let words = Words { name: lengths.name, caption: lengths.caption.to_string(), alt };
    chart(words, HEIGHT, |sheet| {
        let mut frame = Frame::draw(sheet, area, &x, &y)?;
        for (bin, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (left, top) = frame.at(edge(bin), count as f64);
            let (right, bottom) = frame.at(edge(bin + 1), 0.0);
            // Paper between the bars, where there is room for it.
            let gap = if right - left >= 12 { 2 } else { 0 };
            sheet.bar((left + gap, top), ((right - gap).max(left + gap + 1), bottom), SKY)?;
            sheet.bar((left + gap, top), ((right - gap).max(left + gap + 1), top + 4), BLUE)?;
            frame.occupy_area((left, top), (right, bottom));
        }
        frame.draw_base_line()?;
        if let Some(limit) = limit {
            frame.abscissa(
                limit as f64,
                &format!("uzunluk sınırı: {}", style.count(limit as u64)),
                VERMILION,
            )?;
        }
        frame.abscissa(lengths.mean, &format!("ortalama: {mean}"), INK)
    })
    .map(Some)
}
