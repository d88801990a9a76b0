//! What holds of every `tarama.md`, whatever varies.

use super::fixtures::{finished, sweeps};
use super::{collected, document, each_document, references, sweep};
use crate::prose::{
    check_endings, check_markdown, check_not_read_aloud, check_origins, check_sentences, check_table_heads,
    check_tables, check_turkish, check_untraced, prose, sentences, without_levels, without_traced, words_of,
};
use tezgah::level::Level;
use tezgah::report::charts::sweep::{Combination, losses};
use tezgah::report::numbers::Style;
use tezgah::report::profile::Profile;
use tezgah::report::sweep::{charts, render};
use tezgah::report::trace::{END, PATH, TEXT};

#[test]
fn a_line_is_one_whole_sentence() {
    each_document(|_, document| check_sentences(&document.markdown));
}

#[test]
fn the_turkish_is_a_thesis_turkish() {
    each_document(|_, document| check_turkish(&document.markdown));
}

#[test]
fn no_sentence_turns_into_markdown() {
    each_document(|_, document| check_markdown(&document.markdown));
}

#[test]
fn every_number_comes_from_the_record() {
    each_document(|record, document| {
        check_origins(&document.traced, record);
        for line in sentences(&document.traced) {
            check_untraced(&without_levels(&without_traced(line)), line);
        }
        for line in prose(&document.traced).into_iter().filter(|line| line.starts_with('|')) {
            let rest = without_levels(&without_traced(line));
            assert!(!rest.contains(|c: char| c.is_ascii_digit()), "a number without an origin: {rest}");
        }
    });
}

#[test]
fn tables_are_whole_and_spoken_of() {
    each_document(|_, document| {
        check_tables(&document.markdown);
        check_table_heads(&document.markdown);
        let text = sentences(&document.markdown).join("\n");
        let labels: Vec<String> = prose(&document.markdown)
            .iter()
            .filter_map(|line| line.strip_prefix("**")?.split_once("**"))
            .map(|(label, _)| label.trim_end_matches(['.', ':']).to_string())
            .filter(|label| ["Tablo ", "Çizelge ", "Şekil "].iter().any(|word| label.starts_with(word)))
            .collect();
        for label in &labels {
            assert!(text.contains(label.as_str()), "{label} is not spoken of");
        }
    });
    let text = document(&sweep("acik"), "varsayilan").markdown;
    for label in ["**Tablo 1.**", "**Tablo 2.**", "**Tablo 3.**", "**Şekil 1.**"] {
        assert!(text.contains(label), "{label}\n{text}");
    }
}

#[test]
fn sentences_vary_and_tables_speak_for_themselves() {
    each_document(|_, document| {
        check_endings(&document.markdown);
        check_not_read_aloud(&document.traced);
    });
}

/// Every piece of words in the sweep's templates is printed for some fixture: no branch is left out.
#[test]
fn sweeps_touch_every_branch_of_the_templates() {
    let mut printed = String::new();
    for (name, record) in sweeps() {
        for charts in [references(&record), Vec::new()] {
            printed.push_str(&render(&record, &charts, &Profile::default()).expect(name).markdown);
        }
    }
    let (mut count, mut unprinted) = (0, Vec::new());
    for template in [
        include_str!("../../../templates/tarama.md.j2"),
        include_str!("../../../templates/tarama_bulgulari.md.j2"),
    ] {
        for (line, words) in words_of(template) {
            count += 1;
            if !printed.contains(&words) {
                unprinted.push(format!("line {line}: {words}"));
            }
        }
    }
    assert_eq!(unprinted, Vec::<String>::new());
    assert!(count > 100, "{count} pieces are not both templates");
}

#[test]
fn only_times_change_between_equal_runs() {
    let planned = super::clear();
    let before = document(&collected(&planned), "varsayilan").markdown;
    let mut again = planned;
    for (_, record) in &mut again {
        let record = record.as_mut().expect("a finished run");
        record.training.seconds = 61.0;
        record.training.peak_memory_bytes += 1;
        record.environment.started_at = "2027-01-02T03:04:05+03:00".into();
        record.environment.cpu = "another".into();
    }
    let after = document(&collected(&again), "varsayilan").markdown;
    for (old, new) in before.lines().zip(after.lines()) {
        let without_time = |line: &str| match line.starts_with("| ") {
            true => {
                line.trim_end_matches(" |").rsplit_once(" | ").map_or(String::new(), |(rest, _)| rest.into())
            }
            false => line.to_string(),
        };
        assert_eq!(without_time(old), without_time(new));
    }
    assert_ne!(before, after, "the time is in the table");
}

#[test]
fn the_chart_shows_every_level_and_fits_a_page() {
    let drawn = charts(&sweep("acik"), Style::default()).expect("drawn");
    assert_eq!(drawn.iter().map(|chart| chart.name).collect::<Vec<_>>(), ["secim_kayiplari"]);
    for level in Level::ALL {
        let expected = format!("{level}: lora.rank=16 ortalama");
        assert!(drawn[0].alt.contains(&expected), "{expected}: {}", drawn[0].alt);
    }
    // A disc with its rim a seed of a run and one in the key, a diamond a combination and one in the key.
    assert_eq!(drawn[0].svg.matches("<circle").count(), 2 * (30 + 1));
    assert_eq!(drawn[0].svg.matches("<polygon").count(), 2 * (10 + 1));
    assert!(charts(&sweep("baslamadi"), Style::default()).expect("nothing to draw").is_empty());
    // Sixty combinations a level do not fit: the best are shown, and the caption says so.
    let of_level = |level: Level| {
        (0..60).map(move |place| Combination {
            level,
            name: format!(
                "train.learning_rate=0.000{place}, {}",
                "lora.target_modules=q_proj,k_proj,".repeat(9)
            ),
            losses: vec![2.0 - 0.01 * f64::from(place), 2.1 - 0.01 * f64::from(place)],
            mean: 2.05 - 0.01 * f64::from(place),
        })
    };
    let many: Vec<Combination> = Level::ALL.into_iter().flat_map(of_level).collect();
    let chart = losses(&many, Style::default()).expect("drawn").expect("measured");
    assert!(chart.caption.contains("en düşük birleşimler") && !drawn[0].caption.contains("en düşük"));
    assert!(chart.alt.contains("0.00059,") && !chart.alt.contains("0.0001,"), "{}", chart.alt);
    let height: u32 = u32::from_be_bytes(chart.png[20..24].try_into().expect("four bytes"));
    assert!(height <= 1890, "{height} px are more than 16 cm");
    let nothing = Combination { level: Level::A1, name: "x".into(), losses: vec![f64::NAN], mean: 1.0 };
    assert_eq!(losses(&[nothing], Style::default()).expect("not drawn"), None);
}

#[test]
fn text_of_others_stays_where_it_is_put() {
    let mut planned = vec![finished(Level::A1, &[], 1, 1.0), finished(Level::A1, &[], 2, 1.1)];
    let nasty = "a | b `c` {{ x }} <b> $z$ **k** \u{E000}p\u{E001}9\u{E002}\n3. x";
    for (_, record) in &mut planned {
        record.as_mut().expect("a finished run").model.name = nasty.into();
    }
    planned[0].0.name = nasty.into();
    let document = document(&collected(&planned), "varsayilan");
    assert!(!document.markdown.contains([PATH, TEXT, END]));
    check_tables(&document.markdown);
}
