//! Charts of good and of broken records: their bytes, their marks, their labels.

mod records;

use std::sync::LazyLock;
use tezgah::record::RunRecord;
use tezgah::report::DecimalMark;
use tezgah::report::charts::{self, Chart};
use tezgah::report::numbers::Style;
use tezgah::report::trace;

const STYLES: [Style; 2] = [Style { decimal: DecimalMark::Comma }, Style { decimal: DecimalMark::Point }];

/// What the systems wrote, by the names of its charts.
const OF_TEXTS: [&str; 2] = ["kelime_duzeyleri", "kopyalanan_kelimeler"];

/// Charts of every fixture, in the default style and with a decimal point, and those across levels.
fn every_chart() -> &'static [(String, Chart)] {
    static CHARTS: LazyLock<Vec<(String, Chart)>> = LazyLock::new(draw_every_chart);
    &CHARTS
}

fn draw_every_chart() -> Vec<(String, Chart)> {
    let mut named = Vec::new();
    for (fixture, record) in records::all() {
        for style in STYLES {
            let charts = charts::all(&record, style).unwrap_or_else(|error| panic!("{fixture}: {error}"));
            named.extend(charts.into_iter().map(|chart| (format!("{fixture}/{}", chart.name), chart)));
        }
    }
    for fixture in ["metinleri_yakin", "metinleri_uzak"] {
        let charts = charts::all(&crate::fixtures::fixture(fixture), STYLES[0]).expect("printable");
        let of_texts = charts.into_iter().filter(|chart| OF_TEXTS.contains(&chart.name));
        named.extend(of_texts.map(|chart| (format!("{fixture}/{}", chart.name), chart)));
    }
    for chart in [
        charts::levels::losses(&records::levels(), 0.95, STYLES[0]),
        charts::levels::losses(&records::levels()[..1], 0.95, STYLES[0]),
        charts::levels::matrix(&records::matrix(), STYLES[0]),
    ] {
        let chart = chart.expect("printable").expect("measured");
        named.push((format!("levels/{}", chart.name), chart));
    }
    for (sweep, record) in crate::sweep::fixtures::sweeps() {
        let drawn = tezgah::report::sweep::charts(&record, STYLES[0]).expect("printable");
        named.extend(drawn.into_iter().map(|chart| (format!("{sweep}/{}", chart.name), chart)));
    }
    named
}

fn chart(record: &RunRecord, name: &str) -> Chart {
    let charts = charts::all(record, STYLES[0]).expect("printable");
    charts.into_iter().find(|chart| chart.name == name).unwrap_or_else(|| panic!("no chart {name}"))
}

fn names(record: &RunRecord) -> Vec<&'static str> {
    charts::all(record, STYLES[0]).expect("printable").iter().map(|chart| chart.name).collect()
}

/// Numbers of an attribute of the elements of one kind, in order: `attributes(svg, "rect", "width")`.
fn attributes(svg: &str, element: &str, attribute: &str) -> Vec<f64> {
    svg.lines()
        .filter(|line| line.starts_with(&format!("<{element} ")))
        .filter_map(|line| line.split_once(&format!(" {attribute}=\"")))
        .map(|(_, rest)| rest.split('"').next().and_then(|number| number.parse().ok()).expect("a number"))
        .collect()
}

/// Points of the lines of one colour.
fn lines(svg: &str, color: &str) -> Vec<Vec<(i32, i32)>> {
    svg.lines()
        .filter(|line| line.starts_with("<polyline") && line.contains(&format!("stroke=\"{color}\"")))
        .map(|line| {
            let points =
                line.split("points=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("points");
            let point = |pair: &str| {
                let (x, y) = pair.split_once(',').expect("a pair");
                (x.parse().expect("x"), y.parse().expect("y"))
            };
            points.split_whitespace().map(point).collect()
        })
        .collect()
}

#[test]
fn each_record_gives_the_charts_it_can() {
    let all = [
        "token_uzunluklari",
        "kelime_uzunluklari",
        "egitim_kaybi",
        "ogrenme_orani",
        "gradyan_normu",
        "temel_ince_ayarli",
        "satir_kayiplari",
    ];
    assert_eq!(names(&records::realistic()), all);
    assert_eq!(names(&records::short(1, 3)), all);
    assert_eq!(names(&records::diverged()), all[..5], "no fine-tuned model, no comparison");
    assert_eq!(names(&records::damaged()), all[2..], "histograms without bins are not drawn");
    assert_eq!(names(&records::unstarted()), [""; 0]);
}

/// Shares of one whole: the pieces of each system's bar, side by side, are as long as the axis.
#[test]
fn words_by_level_fill_their_bars() {
    let record = crate::fixtures::fixture("metinleri_uzak");
    let svg = chart(&record, OF_TEXTS[0]).svg;
    let of = |attribute| attributes(&svg, "rect", attribute);
    let mut bars: std::collections::BTreeMap<i64, (f64, f64)> = std::collections::BTreeMap::new();
    for ((x, y), (width, height)) in
        of("x").into_iter().zip(of("y")).zip(of("width").into_iter().zip(of("height")))
    {
        // The border of a piece is as high as a bar; what it holds is less.
        if height == 56.0 {
            let (from, to) = bars.entry(y as i64).or_insert((f64::INFINITY, 0.0));
            (*from, *to) = (from.min(x), to.max(x + width));
        }
    }
    let systems = record.texts.expect("measured").profiles.len();
    assert_eq!(bars.len(), systems);
    let axis = lines(&svg, "#202020").into_iter().map(|line| line[line.len() - 1].0 - line[0].0).max();
    for (from, to) in bars.values() {
        assert!((to - from - f64::from(axis.expect("an axis"))).abs() <= 6.0, "{from} to {to}, {axis:?}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a report sees no tensor")]
fn the_same_record_gives_the_same_bytes() {
    for (fixture, record) in records::all().into_iter().filter(|(fixture, _)| *fixture != "damaged") {
        let text = serde_json::to_string(&record).expect("a record is JSON");
        let read: RunRecord = serde_json::from_str(&text).expect("its JSON is a record");
        let first = charts::all(&record, STYLES[0]).expect("printable");
        // Another thread, as a rerun has other threads.
        let second = std::thread::spawn(move || charts::all(&read, STYLES[0]).expect("printable"));
        assert!(first == second.join().expect("no panic"), "{fixture}");
    }
}

#[test]
fn pngs_are_15_cm_wide_at_300_dpi() {
    for (name, chart) in every_chart() {
        // PNG (ISO/IEC 15948): signature, IHDR with width and height at byte 16, pHYs with 2 x 4 bytes and a unit.
        let png = &chart.png;
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n", "{name}");
        assert_eq!(number(16), 1772, "{name}");
        let height: f64 = 15.0 * f64::from(number(20)) / 1772.0;
        assert!((3.0..16.0).contains(&height), "{name} is {height} cm high");
        let at =
            png.windows(4).position(|chunk| chunk == b"pHYs").unwrap_or_else(|| panic!("{name}: no pHYs"))
                + 4;
        assert_eq!((number(at), number(at + 4), png[at + 8]), (11_811, 11_811, 1), "{name}");
        assert!(chart.svg.contains(&format!("width=\"15cm\" height=\"{height:.3}cm\"")), "{name}");

        let mut decoder = png::Decoder::new(std::io::Cursor::new(png)).read_info().expect("a PNG");
        let mut pixels = vec![0; decoder.output_buffer_size().expect("it fits memory")];
        decoder.next_frame(&mut pixels).expect("whole");
        let inked = pixels.chunks_exact(3).filter(|pixel| pixel.iter().any(|&value| value < 128)).count();
        assert!(inked > 5_000, "{name}: {inked} dark pixels");
        let edge = pixels[..1772 * 3].iter().chain(&pixels[pixels.len() - 1772 * 3..]);
        assert!(edge.copied().all(|value| value == 255), "{name} is drawn up to its edge");
    }
}

/// The texts of an SVG: left, right, top and bottom in pixels, from the places of their glyphs.
fn texts(svg: &str) -> Vec<[f64; 4]> {
    let numbers = |text: &str, before: &str| -> Vec<f64> {
        let inside =
            text.split(before).nth(1).and_then(|rest| rest.split([')', '"']).next()).expect("numbers");
        inside.split(' ').map(|number| number.parse().expect("a number")).collect()
    };
    svg.lines()
        .filter(|line| line.starts_with("<g "))
        .map(|line| {
            let (place, scale) = (numbers(line, "translate("), numbers(line, "scale(")[0]);
            let last = &line[line.rfind(" x=").expect("a glyph")..];
            // Hardly a glyph is narrower than 600 of 2816 units; capitals are 2048 units high.
            let right = place[0] + (numbers(last, "\"")[0] + 600.0) * scale;
            [place[0], right, place[1] - 2048.0 * scale, place[1]]
        })
        .collect()
}

#[test]
fn labels_stay_inside_and_apart() {
    for (name, chart) in every_chart() {
        let height = attributes(&chart.svg, "rect", "height")[0];
        let texts = texts(&chart.svg);
        assert!(texts.len() > 5, "{name}");
        for (index, [left, right, top, bottom]) in texts.iter().enumerate() {
            let inside = *left >= 5.0 && *right <= 1767.0 && *top >= 5.0 && *bottom <= height - 5.0;
            assert!(inside, "{name}: text {index} at {left} {right} {top} {bottom}");
            for (other, [left2, right2, top2, bottom2]) in texts.iter().enumerate().take(index) {
                let overlap = left < right2 && left2 < right && top < bottom2 && top2 < bottom;
                assert!(!overlap, "{name}: texts {other} and {index} overlap");
            }
        }
    }
}

#[test]
fn every_character_is_in_the_font() {
    for (name, chart) in every_chart() {
        // Glyph 0 is the box that a font shows for what it lacks.
        assert!(!chart.svg.contains(&format!("#{}-0\"", chart.name)), "{name}");
        assert!(!chart.svg.contains("<text"), "{name}: text that needs a font");
        assert!(!chart.svg.contains("NaN") && !chart.svg.contains("inf\""), "{name}");
        assert_eq!(chart.svg.matches("<g ").count(), chart.svg.matches("</g>").count(), "{name}");
        let words = format!("{} {}", trace::plain(&chart.caption), chart.alt);
        assert!(!words.contains("NaN") && !words.contains("inf"), "{name}: {words}");
        assert!(!chart.caption.ends_with('.'), "{name}");
        assert!(chart.svg.contains(&format!("<desc>{}</desc>", chart.alt)), "{name}");
    }
}

#[test]
fn lines_go_through_the_records_points() {
    let record = records::realistic();
    let svg = chart(&record, "egitim_kaybi").svg;
    let line = lines(&svg, "#0072B2").into_iter().next().expect("the training loss");
    let losses: Vec<f64> = record.training.steps.iter().map(|step| step.loss).collect();
    assert_eq!(line.len(), losses.len());
    // Pixels are a linear function of the values, which two of them determine.
    let (first, last) = (line[0], line[86]);
    let slope = f64::from(last.1 - first.1) / (losses[86] - losses[0]);
    assert!(slope < 0.0, "a higher loss stands higher");
    for (index, &(x, y)) in line.iter().enumerate() {
        let expected_x = f64::from(first.0) + f64::from(last.0 - first.0) * index as f64 / 86.0;
        let expected_y = f64::from(first.1) + slope * (losses[index] - losses[0]);
        assert!(
            (f64::from(x) - expected_x).abs() <= 1.0 && (f64::from(y) - expected_y).abs() <= 2.0,
            "step {index}"
        );
    }
    // The ring of the best evaluation is where its step and loss are.
    let best = record.training.best.expect("evaluated");
    let y = f64::from(first.1) + slope * (best.loss - losses[0]);
    let circle =
        svg.lines().find(|line| line.starts_with("<circle") && line.contains("r=\"21\"")).expect("a ring");
    assert_eq!(attributes(circle, "circle", "cx"), [f64::from(last.0)]);
    assert!((attributes(circle, "circle", "cy")[0] - y).abs() <= 2.0);
}

#[test]
fn bars_are_as_long_as_losses() {
    let record = records::realistic();
    let svg = chart(&record, "temel_ince_ayarli").svg;
    let widths: Vec<f64> = svg
        .lines()
        .filter(|line| line.contains("fill=\"#E69F00\"") || line.contains("fill=\"#0072B2\""))
        .flat_map(|line| attributes(line, "rect", "width"))
        .collect();
    let (before, after) =
        (record.evaluation.baseline.expect("scored"), record.evaluation.fine_tuned.expect("scored"));
    let losses = [before.masked.loss, after.masked.loss, before.full.loss, after.full.loss];
    assert_eq!(widths.len(), 4);
    for (width, loss) in widths.iter().zip(losses) {
        assert!((width / widths[0] - loss / losses[0]).abs() < 0.003, "{width} px for {loss}");
    }
}

#[test]
fn rows_are_sorted_by_what_became_of_them() {
    let record = records::overfitted();
    let svg = chart(&record, "satir_kayiplari").svg;
    let rows = &record.evaluation.rows;
    let rose = rows.iter().filter(|row| row.fine_tuned.expect("scored").masked > row.baseline.masked).count();
    // One mark of each kind more, in the key.
    assert_eq!(svg.matches("<polygon").count(), rose + 1);
    assert_eq!(svg.matches("<circle").count(), rows.len() - rose + 1);
}

#[test]
fn histogram_bars_sum_to_the_rows() {
    let record = records::realistic();
    let svg = chart(&record, "kelime_uzunluklari").svg;
    let bars: Vec<f64> = svg
        .lines()
        .filter(|line| line.contains("fill=\"#56B4E9\""))
        .flat_map(|line| attributes(line, "rect", "height"))
        .collect();
    let counts: Vec<f64> = record
        .dataset
        .words
        .histogram
        .counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| count as f64)
        .collect();
    assert_eq!(bars.len(), counts.len());
    let pixels = bars.iter().sum::<f64>() / counts.iter().sum::<f64>();
    for (bar, count) in bars.iter().zip(&counts) {
        assert!((bar - count * pixels).abs() <= 1.5, "{bar} px for {count} rows");
    }
}

#[test]
fn a_warmup_longer_than_the_run_is_shown_and_said() {
    let chart_of = |record: RunRecord| chart(&record, "ogrenme_orani");
    let cut_short = chart_of(records::realistic());
    assert!(cut_short.alt.contains("Isınma 100 adım, eğitim 87 adım"), "{}", cut_short.alt);
    assert!(cut_short.alt.contains("1,74 × 10⁻⁴") && cut_short.alt.contains("2 × 10⁻⁴"), "{}", cut_short.alt);
    assert!(lines(&cut_short.svg, "#D55E00").len() > 20, "dashes at the planned peak");
    let whole = chart_of(records::overfitted());
    assert!(!whole.alt.contains("Isınma"), "{}", whole.alt);
    assert!(lines(&whole.svg, "#D55E00").is_empty());
}

#[test]
fn whiskers_and_their_explanation_come_with_the_statistics_only() {
    let with = chart(&records::realistic(), "temel_ince_ayarli");
    assert!(trace::plain(&with.caption).contains("%95 güven aralığı"), "{}", with.caption);
    let without = chart(&records::damaged(), "temel_ince_ayarli");
    assert!(
        !without.caption.contains("güven") && !without.alt.contains('['),
        "{} {}",
        without.caption,
        without.alt
    );
}

#[test]
fn numbers_follow_the_decimal_mark() {
    let alt = |style| {
        let chart = charts::training_loss(&records::realistic(), style).expect("printable").expect("trained");
        chart.alt
    };
    assert!(alt(STYLES[0]).contains("87. adımda ölçülmüştür: 1,313."), "{}", alt(STYLES[0]));
    assert!(alt(STYLES[1]).contains("87. adımda ölçülmüştür: 1.313."), "{}", alt(STYLES[1]));
}

#[test]
fn a_matrix_that_does_not_fit_its_levels_is_refused() {
    let mut cross = records::matrix();
    cross.losses[2].pop();
    let error = charts::levels::matrix(&cross, STYLES[0]).expect_err("a row of 4").to_string();
    assert_eq!(error, "report: cross-level losses: expected 5 rows of 5, got rows of [5, 5, 4, 5, 5, 5]");
    cross.losses.pop();
    assert!(charts::levels::matrix(&cross, STYLES[0]).is_err());
    let nothing = charts::levels::CrossLosses { levels: Vec::new(), losses: Vec::new(), baseline: None };
    assert_eq!(charts::levels::matrix(&nothing, STYLES[0]).expect("empty is no error"), None);
    assert_eq!(charts::levels::losses(&[], 0.95, STYLES[0]).expect("empty is no error"), None);
}
