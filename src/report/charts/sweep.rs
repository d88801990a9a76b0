//! Selection loss by combination of settings: a panel a level, a row a combination, a point a seed, and their mean.
//!
//! Each level has a scale of its own: what is to be seen is how far combinations of one level are apart, and levels are further
//! apart than these.

use super::area::{Area, EDGE, TICK_GAP};
use super::axis::{Axis, Origin, amount};
use super::sheet::{
    BLUE, Dash, Drawn, GREY, INK, LABEL_SIZE, PALE, Point, SKY, Sheet, TICK_SIZE, WIDTH, text_height,
    text_width,
};
use super::{Chart, LOSS_UNIT, Words, chart};
use crate::error::Result;
use crate::level::Level;
use crate::report::numbers::Style;
use plotters::style::text_anchor::{HPos, VPos};

/// Height of a row, of a level's name above its rows, and of the numbers below them.
const ROW: i32 = 52;
const HEADING: i32 = 62;
const TICKS: i32 = 70;
/// Room for the key above the panels, and for the axis' title below them.
const TOP: i32 = EDGE + 62;
const TITLE: i32 = 62;
/// A page has 16 cm for a figure, and one of less than 3 cm is a strip.
const TALLEST: i32 = 1850;
const LOWEST: i32 = 370;
/// Width that the names of combinations may take.
const WIDEST_NAME: i32 = 620;

/// The words of the key.
const SEED: &str = "bir tohum";
const MEAN: &str = "ortalama (sağda)";

/// The finished runs of one combination of settings on one level.
#[derive(Debug, Clone, PartialEq)]
pub struct Combination {
    /// The level.
    pub level: Level,
    /// Its settings, as a row is named: `lora.rank=16`.
    pub name: String,
    /// Selection loss a seed, in nats a token.
    pub losses: Vec<f64>,
    /// Their mean.
    pub mean: f64,
}

/// The combinations of one level that have a row.
struct Panel<'a> {
    level: Level,
    rows: Vec<&'a Combination>,
    /// Means, as they are printed.
    means: Vec<String>,
    x: Axis,
}

/// Selection losses of all combinations, level by level in the order given; `None` where no combination has finite losses. Where
/// they do not fit a page, those of the lowest means of each level are shown, and the caption says so.
///
/// # Errors
/// `Error::Report` where a number cannot be printed.
pub fn losses(combinations: &[Combination], style: Style) -> Result<Option<Chart>> {
    let is_finite = |of: &&Combination| {
        !of.losses.is_empty() && of.losses.iter().chain([&of.mean]).all(|loss| loss.is_finite())
    };
    let finite: Vec<&Combination> = combinations.iter().filter(is_finite).collect();
    let mut levels: Vec<Level> = finite.iter().map(|of| of.level).collect();
    levels.dedup();
    if levels.is_empty() {
        return Ok(None);
    }
    let room = (TALLEST - TOP - TITLE) / levels.len() as i32 - HEADING - TICKS;
    let most = usize::try_from(room / ROW).unwrap_or(1).max(1);
    let panels: Vec<Panel<'_>> =
        levels.iter().map(|level| panel(*level, &finite, most, style)).collect::<Result<_>>()?;
    let rows: usize = panels.iter().map(|panel| panel.rows.len()).sum();
    let words = words(&panels, rows < finite.len());
    let height = TOP + TITLE + panels.len() as i32 * (HEADING + TICKS) + rows as i32 * ROW;
    chart(words, height.max(LOWEST), |sheet| draw(sheet, &panels)).map(Some)
}

fn panel<'a>(level: Level, all: &[&'a Combination], most: usize, style: Style) -> Result<Panel<'a>> {
    let of_level: Vec<&Combination> = all.iter().copied().filter(|of| of.level == level).collect();
    let mut places: Vec<usize> = (0..of_level.len()).collect();
    places.sort_by(|left, right| of_level[*left].mean.total_cmp(&of_level[*right].mean));
    places.truncate(most);
    places.sort_unstable();
    let rows: Vec<&Combination> = places.into_iter().map(|place| of_level[place]).collect();
    let values: Vec<f64> = rows.iter().flat_map(|of| of.losses.iter().copied().chain([of.mean])).collect();
    Ok(Panel {
        level,
        means: rows.iter().map(|of| amount(of.mean, 3, style)).collect::<Result<_>>()?,
        x: Axis::measured("Seçim kaybı", LOSS_UNIT, &values, Origin::Data, 4, style)?,
        rows,
    })
}

fn words(panels: &[Panel<'_>], is_cut: bool) -> Words {
    let mut alt = vec![
        "Nokta grafiği: her düzeyde ayar birleşimlerinin seçim kaybı (nat/belirteç); her nokta bir tohumdur."
            .to_string(),
    ];
    for panel in panels {
        let rows: Vec<String> = panel
            .rows
            .iter()
            .zip(&panel.means)
            .map(|(of, mean)| format!("{} ortalama {mean}", of.name))
            .collect();
        alt.push(format!("{}: {}.", panel.level, rows.join("; ")));
    }
    let cut =
        if is_cut { "; her düzeyde ortalaması en düşük birleşimler gösterilmiştir" } else { "" };
    let caption = format!(
        "Ayar birleşimlerine göre seçim kaybı (her nokta bir tohumdur; yatay eksenler düzeyden düzeye değişmektedir{cut})"
    );
    Words { name: "secim_kayiplari", caption, alt: alt.join(" ") }
}

fn draw(sheet: &Sheet<'_>, panels: &[Panel<'_>]) -> Drawn {
    let names = widest(panels.iter().flat_map(|panel| panel.rows.iter().map(|of| of.name.as_str())));
    let means = widest(panels.iter().flat_map(|panel| panel.means.iter().map(String::as_str)));
    let (left, right) = (EDGE + names.min(WIDEST_NAME) + 40, WIDTH - EDGE - means - 60);
    // One title below all panels, unless some level's losses are printed over another power of ten.
    let title = panels.first().map_or("", |panel| panel.x.title.as_str());
    let is_shared = panels.iter().all(|panel| panel.x.title == title);
    draw_key(sheet)?;
    let mut top = TOP;
    for panel in panels {
        let bottom = top + HEADING + panel.rows.len() as i32 * ROW;
        draw_panel(sheet, panel, Area { left, right, top: top + HEADING, bottom })?;
        if !is_shared {
            let at = (right, top + HEADING / 2);
            sheet.text(&panel.x.title, at, TICK_SIZE, INK, (HPos::Right, VPos::Center))?;
        }
        top = bottom + TICKS;
    }
    if is_shared {
        let at = ((left + right) / 2, top + TITLE - EDGE - 10);
        sheet.text(title, at, LABEL_SIZE, INK, (HPos::Center, VPos::Bottom))?;
    }
    Ok(())
}

/// Width of the widest text.
fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> i32 {
    texts.map(|text| text_width(text, TICK_SIZE)).max().unwrap_or(0)
}

fn draw_panel(sheet: &Sheet<'_>, panel: &Panel<'_>, area: Area) -> Drawn {
    let Area { left, right, top, bottom } = area;
    let heading = (EDGE, top - HEADING / 2);
    sheet.text(panel.level.label(), heading, LABEL_SIZE, INK, (HPos::Left, VPos::Center))?;
    for (tick, label) in &panel.x.ticks {
        let x = area.x_of(panel.x.share(*tick));
        sheet.line(&[(x, top), (x, bottom)], PALE, 2, Dash::Solid)?;
        sheet.text(label, (x, bottom + TICK_GAP), TICK_SIZE, INK, (HPos::Center, VPos::Top))?;
    }
    sheet.line(&[(left, bottom), (right, bottom)], INK, 3, Dash::Solid)?;
    for (row, (of, mean)) in panel.rows.iter().zip(&panel.means).enumerate() {
        let y = top + row as i32 * ROW + ROW / 2;
        let name = shortened(&of.name);
        sheet.text(&name, (left - 26, y), TICK_SIZE, INK, (HPos::Right, VPos::Center))?;
        sheet.text(mean, (WIDTH - EDGE, y), TICK_SIZE, INK, (HPos::Right, VPos::Center))?;
        let x = |loss: f64| area.x_of(panel.x.position(loss));
        let seeds: Vec<i32> = of.losses.iter().map(|loss| x(*loss)).collect();
        if let (Some(low), Some(high)) = (seeds.iter().min(), seeds.iter().max()) {
            sheet.line(&[(*low, y), (*high, y)], GREY, 4, Dash::Solid)?;
        }
        seeds.iter().try_for_each(|seed| seed_mark(sheet, (*seed, y)))?;
        mean_mark(sheet, (x(of.mean), y))?;
    }
    Ok(())
}

/// The name of a row, cut where it is too long for one.
fn shortened(name: &str) -> String {
    if text_width(name, TICK_SIZE) <= WIDEST_NAME {
        return name.to_string();
    }
    let mut kept = name.to_string();
    while kept.pop().is_some() && text_width(&kept, TICK_SIZE) > WIDEST_NAME - text_width("…", TICK_SIZE) {}
    format!("{kept}…")
}

fn seed_mark(sheet: &Sheet<'_>, at: Point) -> Drawn {
    sheet.disc(at, 13, INK)?;
    sheet.disc(at, 10, SKY)
}

fn mean_mark(sheet: &Sheet<'_>, at: Point) -> Drawn {
    sheet.diamond(at, 15, INK)?;
    sheet.diamond(at, 11, BLUE)
}

/// The two marks and what they are, at the figure's upper right corner.
fn draw_key(sheet: &Sheet<'_>) -> Drawn {
    let y = EDGE + text_height() / 2 + 2;
    let second = WIDTH - EDGE - text_width(MEAN, LABEL_SIZE);
    let first = second - 100 - text_width(SEED, LABEL_SIZE);
    seed_mark(sheet, (first - 36, y))?;
    sheet.text(SEED, (first, y), LABEL_SIZE, INK, (HPos::Left, VPos::Center))?;
    mean_mark(sheet, (second - 36, y))?;
    sheet.text(MEAN, (second, y), LABEL_SIZE, INK, (HPos::Left, VPos::Center))
}
