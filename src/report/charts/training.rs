//! The course of the training over its optimizer steps: losses, learning rate, gradient norm.

use super::area::Area;
use super::axis::{Axis, Origin, amount};
use super::frame::Frame;
use super::sheet::{BLUE, Dash, Drawn, GREY, INK, LABEL_SIZE, PAPER, Sheet, VERMILION, text_width};
use super::{Chart, LOSS_UNIT, Words, chart};
use crate::error::Result;
use crate::record::{RunRecord, Status, Step};
use crate::report::numbers::Style;

/// Name of the chart of both losses.
pub(super) const LOSSES: &str = "egitim_kaybi";
/// Height of these figures: 8 cm.
const HEIGHT: i32 = 945;
const STEP_TITLE: &str = "Eniyileme adımı";
const LOSS_DIGITS: usize = 3;
/// Names of the two losses at the ends of their lines, in two lines of text.
const LOSS_NAMES: [[&str; 2]; 2] = [["Eğitim", "kaybı"], ["Değerlendirme", "kaybı"]];

/// Points of one line: optimizer step and value.
type Curve = Vec<(f64, f64)>;

/// Training and evaluation loss with the best evaluation marked.
///
/// # Errors
/// `Error::Report` where a number cannot be printed.
pub fn training_loss(record: &RunRecord, style: Style) -> Result<Option<Chart>> {
    let train = curve(&record.training.steps, |step| step.loss);
    let eval: Curve = finite(record.training.evals.iter().map(|eval| (eval.step as f64, eval.loss)));
    let values: Vec<f64> = train.iter().chain(&eval).map(|point| point.1).collect();
    if values.is_empty() {
        return Ok(None);
    }
    let best = record.training.best.as_ref().filter(|best| best.loss.is_finite());
    // Its point, its loss and its step, as they are printed.
    let best = match best {
        Some(best) => {
            let point = (best.step as f64, best.loss);
            Some((point, amount(best.loss, LOSS_DIGITS, style)?, style.count(best.step as u64)))
        }
        None => None,
    };
    let mut words = loss_words(&train, &eval, style)?;
    words.alt.extend(
        best.iter().map(|(_, loss, step)| {
            format!(" En düşük değerlendirme kaybı {step}. adımda ölçülmüştür: {loss}.")
        }),
    );
    words.alt.extend(stop(record, style));

    let y = Axis::measured("Kayıp", LOSS_UNIT, &values, Origin::Data, 6, style)?;
    let x = step_axis([&train, &eval], style);
    let widest = if eval.is_empty() { LOSS_NAMES[0][0] } else { LOSS_NAMES[1][0] };
    let area = Area::beside(&y, &x, text_width(widest, LABEL_SIZE) + 46, HEIGHT);
    chart(words, HEIGHT, |sheet| {
        let mut frame = Frame::draw(sheet, area, &x, &y)?;
        draw_losses(sheet, &mut frame, &train, &eval)?;
        let Some((point, loss, step)) = &best else { return Ok(()) };
        let mark = frame.at(point.0, point.1);
        sheet.disc(mark, 21, INK)?;
        sheet.disc(mark, 17, PAPER)?;
        sheet.disc(mark, 12, VERMILION)?;
        frame.occupy(mark, 21);
        frame.name(mark, 21, &format!("en düşük: {loss} ({step}. adım)"), INK)
    })
    .map(Some)
}

fn loss_words(train: &Curve, eval: &Curve, style: Style) -> Result<Words> {
    let caption = match (train.is_empty(), eval.is_empty()) {
        (false, false) => "Eğitim ve değerlendirme kayıplarının eniyileme adımlarına göre değişimi",
        (_, true) => "Eğitim kaybının eniyileme adımlarına göre değişimi",
        (true, false) => "Değerlendirme kaybının eniyileme adımlarına göre değişimi",
    };
    let mut alt =
        "Çizgi grafik: yatay eksende eniyileme adımı, dikey eksende kayıp (nat/belirteç).".to_string();
    for (name, curve) in [("Eğitim", train), ("Değerlendirme", eval)] {
        if let Some(ends) = ends(curve, style)? {
            alt.push_str(&format!(" {name} kaybı: {ends}."));
        }
    }
    Ok(Words { name: LOSSES, caption: caption.to_string(), alt })
}

fn draw_losses(sheet: &Sheet<'_>, frame: &mut Frame<'_, '_>, train: &Curve, eval: &Curve) -> Drawn {
    frame.line(train, BLUE, 5, Dash::Solid)?;
    if let [(step, loss)] = train[..] {
        sheet.disc(frame.at(step, loss), 10, BLUE)?;
    }
    frame.line(eval, VERMILION, 5, Dash::Dashed)?;
    // Every evaluation has its mark, unless the marks would touch.
    if eval.len() <= 80 {
        for &(step, loss) in eval {
            let mark = frame.at(step, loss);
            sheet.disc(mark, 13, VERMILION)?;
            frame.occupy(mark, 13);
        }
    }
    let curves = [train, eval].into_iter().zip(LOSS_NAMES).zip([BLUE, VERMILION]);
    let ends: Vec<_> = curves
        .filter_map(|((curve, name), color)| {
            curve.last().map(|&(step, loss)| (frame.at(step, loss).1, name, color))
        })
        .collect();
    frame.name_ends(&ends)
}

/// The learning rate of each step; where the warmup does not end before the training does, also the peak that
/// was planned and not passed.
///
/// # Errors
/// `Error::Report` where a number cannot be printed.
pub(super) fn learning_rate(record: &RunRecord, style: Style) -> Result<Option<Chart>> {
    let recipe = &record.recipe.train;
    let rates = curve(&record.training.steps, |step| step.learning_rate);
    let Some(&highest) = rates.iter().reduce(|best, point| if point.1 > best.1 { point } else { best })
    else {
        return Ok(None);
    };
    let planned = recipe.learning_rate;
    let is_cut_short = recipe.warmup_steps >= record.training.total_steps && planned.is_finite();
    let mut values: Vec<f64> = rates.iter().map(|point| point.1).collect();
    // Room above the peak for its name.
    values.push(if is_cut_short { planned } else { highest.1 * 1.15 });
    let y = Axis::measured("Öğrenme oranı", "", &values, Origin::Zero, 6, style)?;
    let x = step_axis([&rates, &Vec::new()], style);
    let area = Area::beside(&y, &x, 40, HEIGHT);

    let highest_rate = rate(highest.1, style)?;
    let highest_step = style.count(highest.0 as u64);
    let planned_name = format!("planlanan en yüksek değer: {}", rate(planned, style)?);
    let mut alt = "Çizgi grafik: yatay eksende eniyileme adımı, dikey eksende öğrenme oranı.".to_string();
    if let (Some(first), Some(last)) = (rates.first(), rates.last()) {
        let step = |point: &(f64, f64)| style.count(point.0 as u64);
        let (from, to) = (rate(first.1, style)?, rate(last.1, style)?);
        let (first, last) = (step(first), step(last));
        alt.push_str(&format!(" Öğrenme oranı: {first}. adımda {from}; {last}. adımda {to}."));
    }
    alt.push_str(&format!(" Kullanılan en yüksek oran {highest_rate} ({highest_step}. adım)."));
    if is_cut_short {
        alt.push_str(&format!(
            " Isınma {} adım, eğitim {} adım olarak planlandığından, planlanan en yüksek değere ({}) \
             ulaşılmadan eğitim sona ermektedir.",
            style.count(recipe.warmup_steps as u64),
            style.count(record.training.total_steps as u64),
            rate(planned, style)?,
        ));
    }
    alt.extend(stop(record, style));

    let caption = "Öğrenme oranının eniyileme adımlarına göre değişimi".to_string();
    chart(Words { name: "ogrenme_orani", caption, alt }, HEIGHT, |sheet| {
        let mut frame = Frame::draw(sheet, area, &x, &y)?;
        frame.line(&rates, BLUE, 6, Dash::Solid)?;
        let mark = frame.at(highest.0, highest.1);
        sheet.disc(mark, 13, BLUE)?;
        frame.occupy(mark, 13);
        if is_cut_short {
            frame.level(planned, &planned_name, VERMILION)?;
        }
        frame.name(
            mark,
            13,
            &format!("kullanılan en yüksek değer: {highest_rate} ({highest_step}. adım)"),
            INK,
        )
    })
    .map(Some)
}

/// The norm of all gradients at each step, before clipping, with the threshold of the clipping.
///
/// # Errors
/// `Error::Report` where a number cannot be printed.
pub(super) fn gradient_norm(record: &RunRecord, style: Style) -> Result<Option<Chart>> {
    let norms = curve(&record.training.steps, |step| step.grad_norm);
    if norms.is_empty() {
        return Ok(None);
    }
    let threshold = record.recipe.train.max_grad_norm;
    let mut values: Vec<f64> = norms.iter().map(|point| point.1).collect();
    let largest = values.iter().copied().fold(0.0, f64::max);
    // A threshold far above the norms would press them onto the axis, one far below would lie on it.
    let is_drawn = threshold <= 5.0 * largest && threshold >= 0.02 * largest;
    let threshold_name = if is_drawn {
        values.push(threshold);
        format!("kırpma eşiği: {}", trimmed(threshold, style)?)
    } else {
        format!("kırpma eşiği ({}) bu ölçekte gösterilememektedir", trimmed(threshold, style)?)
    };
    let y = Axis::measured("Gradyan normu (L2)", "", &values, Origin::Zero, 6, style)?;
    let x = step_axis([&norms, &Vec::new()], style);
    let area = Area::beside(&y, &x, 40, HEIGHT);

    let clipped = norms.iter().filter(|point| point.1 > threshold).count();
    let mut alt =
        "Çizgi grafik: yatay eksende eniyileme adımı, dikey eksende gradyan normu (L2).".to_string();
    if let Some(ends) = ends(&norms, style)? {
        alt.push_str(&format!(" Kırpma öncesi gradyan normu: {ends}."));
    }
    alt.push_str(&format!(
        " Kırpma eşiği {}; eşiğin aşıldığı adım sayısı: {} / {}.",
        trimmed(threshold, style)?,
        style.count(clipped as u64),
        style.count(norms.len() as u64),
    ));
    alt.extend(stop(record, style));

    let caption = "Kırpma öncesi gradyan normunun eniyileme adımlarına göre değişimi".to_string();
    chart(Words { name: "gradyan_normu", caption, alt }, HEIGHT, |sheet| {
        let mut frame = Frame::draw(sheet, area, &x, &y)?;
        frame.line(&norms, BLUE, 5, Dash::Solid)?;
        if let [(step, norm)] = norms[..] {
            sheet.disc(frame.at(step, norm), 10, BLUE)?;
        }
        if is_drawn {
            frame.level(threshold, &threshold_name, VERMILION)
        } else {
            frame.note(&threshold_name, GREY)
        }
    })
    .map(Some)
}

/// One value a step, without those that are no numbers.
fn curve(steps: &[Step], value: impl Fn(&Step) -> f64) -> Curve {
    finite(steps.iter().map(|step| (step.step as f64, value(step))))
}

fn finite(points: impl Iterator<Item = (f64, f64)>) -> Curve {
    points.filter(|point| point.1.is_finite()).collect()
}

fn step_axis(lines: [&Curve; 2], style: Style) -> Axis {
    let last = lines.into_iter().flatten().map(|point| point.0 as usize).max().unwrap_or(1);
    // One step alone stands in the middle, not at the edge.
    Axis::steps(STEP_TITLE, last.max(2), style)
}

/// A line's first and last value, `1. adımda 2,510; 87. adımda 1,230`; none of an empty one.
fn ends(curve: &Curve, style: Style) -> Result<Option<String>> {
    let at = |point: &(f64, f64)| -> Result<String> {
        Ok(format!("{}. adımda {}", style.count(point.0 as u64), amount(point.1, LOSS_DIGITS, style)?))
    };
    let (Some(first), Some(last)) = (curve.first(), curve.last()) else { return Ok(None) };
    Ok(Some(if first.0 == last.0 { at(first)? } else { format!("{}; {}", at(first)?, at(last)?) }))
}

/// A learning rate, whose digits lie far behind the decimal mark: `1,74 × 10⁻⁴`.
fn rate(value: f64, style: Style) -> Result<String> {
    Ok(style.scientific(value)?)
}

/// A setting as its author wrote it: `1`, `0,5`.
fn trimmed(value: f64, style: Style) -> Result<String> {
    let digits = (0..6).find(|&digits| (value * 10_f64.powi(digits)).fract() == 0.0).unwrap_or(3);
    amount(value, digits as usize, style)
}

/// That the training did not reach its end, where it did not.
fn stop(record: &RunRecord, style: Style) -> Option<String> {
    let failure = record.failure.as_ref().filter(|_| record.status == Status::Failed)?;
    Some(format!(" Eğitim {}. adımda hatayla durmuştur.", style.count(failure.step as u64)))
}
