//! What the systems wrote: the levels of their words, and how much of it stands in the training answers.

use super::area::{Area, EDGE, FOOT};
use super::axis::{Axis, Origin};
use super::comparison::{label_after, whisker};
use super::frame::Frame;
use super::sheet::{
    BLUE, Dash, Drawn, GREY, INK, LABEL_SIZE, ORANGE, PAPER, SKY, Sheet, TICK_SIZE, VERMILION, WIDTH,
    text_height, text_width,
};
use super::{Chart, Words, chart};
use crate::error::Result;
use crate::record::RunRecord;
use crate::record::texts::{Measure, Profile, System, Texts};
use crate::report::numbers::Style;
use crate::report::quantity::{in_percent, supported};
use crate::statistics::Interval;
use plotters::style::RGBColor;
use plotters::style::text_anchor::{HPos, VPos};

pub(super) const PROFILE: &str = "kelime_duzeyleri";
pub(super) const COPIED: &str = "kopyalanan_kelimeler";

/// Distance of bars, and thickness of one.
const ROW: i32 = 84;
const BAR: i32 = 56;

/// The classes of a profile with their shades, each lighter on paper than the one before: read in grey as well, and told by
/// their order and their borders besides.
const CLASSES: [(&str, RGBColor); 7] = [
    ("A1", RGBColor(0, 48, 84)),
    ("A2", RGBColor(0, 84, 140)),
    ("B1", RGBColor(32, 120, 182)),
    ("B2", RGBColor(86, 157, 208)),
    ("C1", RGBColor(146, 194, 226)),
    ("C2", RGBColor(198, 223, 240)),
    ("listede yok", RGBColor(244, 244, 244)),
];

/// A system's name in Turkish, as tables and charts have it.
pub(in crate::report) fn title(system: System) -> &'static str {
    match system {
        System::Baseline => super::BASELINE,
        System::Prompted => "Düzey istenen temel model",
        System::FineTuned => super::FINE_TUNED,
        System::Reference => "Referans yanıt",
    }
}

/// Shares of the words of each system by their level in the word list, as one stacked bar a system.
///
/// # Errors
/// `Error::Report` where a number cannot be printed.
pub(super) fn profile(record: &RunRecord, style: Style) -> Result<Option<Chart>> {
    let profiles = record.texts.iter().flat_map(|texts| &texts.profiles);
    let profiles: Vec<&Profile> = profiles.filter(|profile| profile.words > 0).collect();
    if profiles.is_empty() {
        return Ok(None);
    }
    let mut alt =
        vec!["Yığılmış yatay çubuk grafik: her sistemin kelimelerinin düzeylere göre payı.".to_string()];
    for profile in &profiles {
        let shares = CLASSES.iter().zip(profile.levels);
        let shares = shares.map(|((class, _), share)| Ok(format!("{class} {}", style.percent(share, 1)?)));
        let shares: Vec<String> = shares.collect::<Result<_>>()?;
        alt.push(format!("{}: {}.", title(profile.system), shares.join(", ")));
    }
    let caption =
        "Üretilen metinlerdeki ve referans yanıtlardaki kelimelerin kelime listesindeki düzeylere dağılımı";
    let words = Words { name: PROFILE, caption: caption.to_string(), alt: alt.join(" ") };
    let x = Axis::measured("Kelimelerin payı", "%", &[100.0], Origin::Zero, 5, style)?;
    let area = area(profiles.iter().map(|profile| profile.system), profiles.len(), LEGEND, EDGE + 34);
    chart(words, area.bottom + FOOT, |sheet| {
        let frame = Frame::draw_upright(sheet, area, &x)?;
        legend(sheet)?;
        for (row, profile) in profiles.iter().enumerate() {
            let middle = middle(&area, row);
            name_row(sheet, &area, profile.system, middle)?;
            stack(sheet, &frame, middle, profile, style)?;
        }
        Ok(())
    })
    .map(Some)
}

/// Room for the legend above the bars of a profile.
const LEGEND: i32 = 76;

/// The shades in their order, in one line.
fn legend(sheet: &Sheet<'_>) -> Drawn {
    let side = text_height() + 6;
    let width = |name: &str| side + 12 + text_width(name, LABEL_SIZE);
    let all: i32 = CLASSES.iter().map(|(name, _)| width(name)).sum();
    let gap = (WIDTH - 2 * EDGE - all) / (CLASSES.len() as i32 - 1);
    let mut left = EDGE;
    for (name, shade) in CLASSES {
        swatch(sheet, (left, EDGE), (left + side, EDGE + side), shade)?;
        let at = (left + side + 12, EDGE + side / 2);
        sheet.text(name, at, LABEL_SIZE, INK, (HPos::Left, VPos::Center))?;
        left += width(name) + gap;
    }
    Ok(())
}

/// A filled rectangle with a border, which the lightest shade needs to be seen.
fn swatch(sheet: &Sheet<'_>, from: (i32, i32), to: (i32, i32), shade: RGBColor) -> Drawn {
    sheet.bar(from, to, GREY)?;
    sheet.bar((from.0 + 2, from.1 + 2), (to.0 - 2, to.1 - 2), shade)
}

/// The shares of one system side by side; a share has its number where the number fits.
fn stack(sheet: &Sheet<'_>, frame: &Frame<'_, '_>, middle: i32, profile: &Profile, style: Style) -> Drawn {
    let mut before = 0.0;
    for ((_, shade), share) in CLASSES.iter().zip(profile.levels) {
        let (left, right) = (frame.across(before), frame.across(before + share * 100.0));
        before += share * 100.0;
        if right - left < 5 {
            continue;
        }
        swatch(sheet, (left, middle - BAR / 2), (right, middle + BAR / 2), *shade)?;
        // A share that is not finite has no place on the axis, and so none here.
        let Ok(label) = style.number(share * 100.0, 0) else { continue };
        if text_width(&label, TICK_SIZE) + 12 <= right - left {
            let color = if shade.0 < 100 { PAPER } else { INK };
            let at = ((left + right) / 2, middle);
            sheet.text(&label, at, TICK_SIZE, color, (HPos::Center, VPos::Center))?;
        }
    }
    Ok(())
}

/// Shares of the words that lie in running words of a training answer, as a bar a system from 0 with its interval.
///
/// # Errors
/// `Error::Report` where a number cannot be printed.
pub(super) fn copied(record: &RunRecord, style: Style) -> Result<Option<Chart>> {
    let Some(texts) = &record.texts else { return Ok(None) };
    let bars: Vec<(System, Interval)> = bars(texts);
    if bars.is_empty() {
        return Ok(None);
    }
    let label = |mean: &Interval| -> Result<String> {
        // The digits of the table.
        let digits = supported(mean.low, mean.high).map_or(1, in_percent);
        let percent = |share: f64| style.percent(share, digits);
        Ok(format!("{} [{}; {}]", percent(mean.estimate)?, percent(mean.low)?, percent(mean.high)?))
    };
    let labels: Vec<String> = bars.iter().map(|(_, mean)| label(mean)).collect::<Result<_>>()?;
    let mut alt = vec![
        "Yatay çubuk grafik: metinlerin eğitim yanıtlarından kopyalanan kelimelerinin payı.".to_string(),
    ];
    alt.extend(bars.iter().zip(&labels).map(|((system, _), label)| format!("{}: {label}.", title(*system))));
    let caption = "Metinlerin, eğitim yanıtlarındaki sekiz kelimelik dizilerin içinde kalan kelimelerinin ortalama payı \
                   (yatay çizgiler güven aralığını göstermektedir)";
    let words = Words { name: COPIED, caption: caption.to_string(), alt: alt.join(" ") };

    let highest: Vec<f64> = bars.iter().map(|(_, mean)| mean.high.max(mean.estimate) * 100.0).collect();
    let x = Axis::measured("Kopyalanan kelimelerin payı", "%", &highest, Origin::Zero, 5, style)?;
    let widest = labels.iter().map(|label| text_width(label, LABEL_SIZE)).max().unwrap_or(0);
    let area = area(bars.iter().map(|(system, _)| *system), bars.len(), EDGE, EDGE + widest + 18);
    chart(words, area.bottom + FOOT, |sheet| {
        let frame = Frame::draw_upright(sheet, area, &x)?;
        frame.draw_vertical_grid(area.top, area.bottom)?;
        for (row, ((system, mean), label)) in bars.iter().zip(&labels).enumerate() {
            let middle = middle(&area, row);
            name_row(sheet, &area, *system, middle)?;
            bar(sheet, &frame, middle, (*system, *mean), label)?;
        }
        Ok(())
    })
    .map(Some)
}

/// The copied share of each system that has one; nothing where one is not finite.
fn bars(texts: &Texts) -> Vec<(System, Interval)> {
    let of = |system| Some((system, texts.mean(Measure::CopiedWords, system)?));
    let bars: Vec<(System, Interval)> = System::ALL.into_iter().filter_map(of).collect();
    let finite = |mean: &Interval| [mean.estimate, mean.low, mean.high].into_iter().all(f64::is_finite);
    if bars.iter().all(|(_, mean)| finite(mean)) { bars } else { Vec::new() }
}

fn bar(
    sheet: &Sheet<'_>,
    frame: &Frame<'_, '_>,
    middle: i32,
    (system, mean): (System, Interval),
    label: &str,
) -> Drawn {
    let color = match system {
        System::Baseline => ORANGE,
        System::Prompted => VERMILION,
        System::FineTuned => BLUE,
        System::Reference => SKY,
    };
    let x = |share: f64| frame.across(share * 100.0);
    sheet.bar((x(0.0), middle - BAR / 2), (x(mean.estimate), middle + BAR / 2), color)?;
    whisker(sheet, (x(mean.low), middle), (x(mean.high), middle))?;
    label_after(sheet, x(mean.estimate).max(x(mean.high)), middle, label)
}

/// The panel of `rows` bars between the systems' names and `right` pixels.
fn area(systems: impl Iterator<Item = System>, rows: usize, top: i32, right: i32) -> Area {
    let names = systems.map(|system| text_width(title(system), LABEL_SIZE)).max().unwrap_or(0);
    Area { left: EDGE + names + 18, right: WIDTH - right, top, bottom: top + rows as i32 * ROW }
}

/// The height of the middle of a row's bar.
fn middle(area: &Area, row: usize) -> i32 {
    area.top + row as i32 * ROW + ROW / 2 - 6
}

/// The name of a row's system, and the axis' own line at its bar: a bar of nothing still has a place.
fn name_row(sheet: &Sheet<'_>, area: &Area, system: System, middle: i32) -> Drawn {
    sheet.text(title(system), (area.left - 18, middle), LABEL_SIZE, INK, (HPos::Right, VPos::Center))?;
    sheet.line(&[(area.left, middle - BAR / 2), (area.left, middle + BAR / 2)], INK, 3, Dash::Solid)
}
