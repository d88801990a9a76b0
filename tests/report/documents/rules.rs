//! What holds of every document, whatever the record: rules that a snapshot would let slip.

use crate::fixtures::{self, charts_of};
use std::collections::BTreeMap;
use tezgah::record::RunRecord;
use tezgah::report::document::{self, Document};
use tezgah::report::profile::Profile;
use tezgah::report::trace::{END, PATH, TEXT};

/// Checks each document of each fixture under each profile; the message names all three.
fn each_document(check: impl Fn(&RunRecord, &Document)) {
    for (fixture, record) in fixtures::records() {
        for name in Profile::NAMES {
            let profile = Profile::ready(name).expect("a ready profile");
            let documents = document::render(&record, &charts_of(&record), &profile)
                .unwrap_or_else(|error| panic!("{fixture}, {name}: {error}"));
            for document in documents {
                let place = format!("{fixture}, {name}, {}", document.file_name);
                let caught =
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&record, &document)));
                assert!(caught.is_ok(), "in {place}");
            }
        }
    }
}

/// Lines outside of code blocks and formulas.
pub(crate) fn prose(text: &str) -> Vec<&str> {
    let mut inside: Option<&str> = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        let fence = if line.starts_with("$$") { "$$" } else { line.trim_end_matches(|c: char| c != '`') };
        match inside {
            Some(open) if line == open => inside = None,
            Some(_) => {}
            None if fence == "$$" || fence.starts_with("```") => {
                inside = Some(if fence == "$$" {
                    "$$"
                } else {
                    &line[..line.len() - line.trim_start_matches('`').len()]
                });
            }
            None => lines.push(line),
        }
    }
    assert_eq!(inside, None, "a block that does not end");
    lines
}

/// Lines that are sentences: no headings, tables, images, captions, list of references.
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    let text = prose(text);
    let end = text.iter().position(|line| line.ends_with("Kaynaklar"));
    let is_sentence = |line: &&str| {
        !line.is_empty() && !line.starts_with(['#', '|', '!', '*']) && !line.starts_with("> **")
    };
    match end {
        // The whole document goes on after the references of its method section.
        Some(end) => {
            let rest = text[end + 1..].iter().skip_while(|line| !line.starts_with('#'));
            text[..end].iter().chain(rest).copied().filter(|line| is_sentence(line)).collect()
        }
        None => text.into_iter().filter(is_sentence).collect(),
    }
}

#[test]
fn a_line_is_one_whole_sentence() {
    each_document(|_, document| {
        for line in sentences(&document.markdown) {
            let line = line.trim_start_matches("- ").trim_start_matches("> ");
            assert!(line.ends_with(['.', ':']), "no end of a sentence: {line}");
            let mut words = line.split(' ').peekable();
            while let Some(word) = words.next() {
                let is_end = word.ends_with('.')
                    && !word.trim_end_matches('.').ends_with(|c: char| c.is_ascii_digit());
                let is_abbreviation = word == "vd." || word == "vd.,";
                if let Some(next) = words.peek() {
                    assert!(!is_end || is_abbreviation, "a second sentence at '{next}': {line}");
                }
            }
            let first = line.chars().next().expect("a sentence has letters");
            assert!(
                first.is_uppercase() || first.is_ascii_digit() || "$`%−".contains(first),
                "a small letter: {line}"
            );
        }
    });
}

#[test]
fn no_sentence_turns_into_markdown() {
    each_document(|_, document| {
        for line in prose(&document.markdown) {
            let digits = line.bytes().take_while(u8::is_ascii_digit).count();
            let is_ordered =
                digits > 0 && (line[digits..].starts_with(". ") || line[digits..].starts_with(") "));
            assert!(!is_ordered, "an ordered list: {line}");
            assert!(!line.starts_with("+ ") && !line.starts_with("* "), "a list: {line}");
            assert!(!line.starts_with(' ') && !line.starts_with('\t'), "an indented line: {line:?}");
            assert!(!line.ends_with(' '), "a space at the end: {line:?}");
            assert!(!line.starts_with("===") && !line.starts_with("---"), "a heading by underline: {line}");
        }
        assert!(!document.markdown.contains("\n\n\n"), "two empty lines");
    });
}

#[test]
fn the_turkish_is_a_thesis_turkish() {
    each_document(|_, document| {
        for line in prose(&document.markdown) {
            let lower = line.to_lowercase();
            for word in
                ["başarıyla", "maalesef", "harika", "mükemmel", "dramatik", "kanıtla", "eğitilmemiş) model"]
            {
                assert!(!lower.contains(word), "'{word}': {line}");
            }
            for word in ["NaN", "None", "null", "undefined", "True", "False", "Some("] {
                assert!(!line.contains(word), "'{word}': {line}");
            }
            let is_picture = |c: char| ('\u{2600}'..='\u{27BF}').contains(&c) || c >= '\u{1F000}';
            assert!(!line.contains(is_picture), "an emoji: {line}");
            assert!(!line.contains('!') || line.starts_with("!["), "an exclamation: {line}");
            assert!(!line.contains("  "), "two spaces: {line}");
            assert!(!line.contains(" ,") && !line.contains(" ."), "a space before a mark: {line}");
        }
        assert!(!document.markdown.contains([PATH, TEXT, END]), "a mark in the printed text");
    });
}

#[test]
fn every_number_of_a_sentence_comes_from_the_record() {
    each_document(|record, document| {
        for line in sentences(&document.traced) {
            let rest = without_traced(line);
            let rest = rest.replace(record.model.name.as_str(), "").replace("Llama-3.2-1B-Instruct", "");
            let rest =
                rest.replace(&record.environment.cpu, "").replace(&record.environment.tezgah_version, "");
            let rest = match &record.environment.accelerator {
                Some(name) => rest.replace(name.as_str(), ""),
                None => rest,
            };
            let mut before = "";
            for word in rest.split(' ') {
                let is_known = before.ends_with("Tablo")
                    || before.ends_with("Çizelge")
                    || before.ends_with("Şekil")
                    || ["A1", "A2", "B1", "B2", "C1"].iter().any(|level| word.trim_end_matches([',', '.']) == *level)
                    || word.starts_with('`')
                    || word.starts_with('$')
                    || ["Q4_0", "(Q4_1)", "NF4"].contains(&word)
                    // A year of a citation: (Hu vd., 2022).
                    || (word.len() >= 4 && word.chars().take(4).all(|c| c.is_ascii_digit()) && rest.contains("vd.,"))
                    || (["2017)", "2019),", "1993).", "1945)"].contains(&word));
                let has_digit = word.contains(|c: char| c.is_ascii_digit());
                assert!(!has_digit || is_known, "'{word}' does not come from the record: {line}");
                before = word;
            }
        }
    });
}

/// Tables too: what is a digit and not code, a level or a name of a digest comes from the record.
#[test]
fn every_number_of_a_table_comes_from_the_record() {
    each_document(|record, document| {
        for line in prose(&document.traced).into_iter().filter(|line| line.starts_with('|')) {
            let rest = without_traced(line).replace("(SHA-256)", "").replace(record.level.label(), "");
            assert!(!rest.contains(|c: char| c.is_ascii_digit()), "a number without an origin: {rest}");
        }
    });
}

/// How numbers are rounded is said where the thesis takes over the method, and nowhere else.
#[test]
fn rounding_is_told_once() {
    each_document(|_, document| {
        let expected = match document.file_name.as_str() {
            "sonuclar.md" | "tartisma.md" => 0,
            _ => 1,
        };
        assert_eq!(document.markdown.matches("yuvarlanmıştır").count(), expected);
    });
}

/// The text without its traced numbers and without inline code and formulas.
pub(crate) fn without_traced(line: &str) -> String {
    let mut out = String::new();
    let (mut is_traced, mut quote) = (false, None);
    for character in line.chars() {
        match character {
            PATH => is_traced = true,
            END => is_traced = false,
            _ if is_traced => {}
            '`' | '$' if quote == Some(character) => quote = None,
            '`' | '$' if quote.is_none() => quote = Some(character),
            _ if quote.is_some() => {}
            _ => out.push(character),
        }
    }
    out
}

#[test]
fn every_path_leads_into_the_record() {
    each_document(|record, document| {
        let tree = serde_json::to_value(record).expect("a record is JSON");
        for part in document.traced.split(PATH).skip(1) {
            let (path, text) = part.split_once(TEXT).expect("a path, then its text");
            assert!(
                text.split_once(END).is_some_and(|(printed, _)| !printed.is_empty()),
                "nothing printed for {path}"
            );
            let is_formula = path.contains([' ', '(', '*']);
            assert!(
                is_formula || lookup(&tree, path).is_some_and(|leaf| leaf.is_number() || leaf.is_string()),
                "nothing at {path}"
            );
        }
    });
}

pub(crate) fn lookup<'a>(tree: &'a serde_json::Value, path: &str) -> Option<&'a serde_json::Value> {
    path.split('.').try_fold(tree, |node, step| {
        let mut parts = step.split('[');
        let node = node.get(parts.next()?)?;
        // loss[0][1]: one index a level of the list.
        parts.try_fold(node, |node, index| node.get(index.trim_end_matches(']').parse::<usize>().ok()?))
    })
}

#[test]
fn tables_are_whole_numbered_in_order_and_spoken_of() {
    each_document(|_, document| {
        let lines = prose(&document.markdown);
        let mut columns = None;
        for line in &lines {
            if !line.starts_with('|') {
                columns = None;
                continue;
            }
            let count = line.replace("\\|", "").matches('|').count();
            assert_eq!(*columns.get_or_insert(count), count, "a row with another number of cells: {line}");
        }
        let mut captioned: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
        for line in &lines {
            let Some(label) = line.strip_prefix("**").and_then(|rest| rest.split_once("**")) else {
                continue;
            };
            let label = label.0.trim_end_matches(['.', ':']);
            let Some((word, number)) = label.split_once(' ') else { continue };
            if ["Tablo", "Çizelge", "Şekil"].contains(&word) {
                let (chapter, number) = number.rsplit_once('.').unwrap_or(("", number));
                let number = number.parse().expect("a label ends in a number");
                captioned.entry((word.into(), chapter.into())).or_default().push(number);
            }
        }
        for ((word, chapter), numbers) in &captioned {
            let expected: Vec<usize> = (1..=numbers.len()).collect();
            assert_eq!(*numbers, expected, "{word} {chapter}");
        }
        for line in sentences(&document.markdown) {
            for word in ["Tablo", "Şekil"] {
                for rest in line.split(&format!("{word} ")).skip(1) {
                    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
                        continue; // The word without a number: "Tablo ve şekil numaraları".
                    }
                    let label: String =
                        rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
                    let (chapter, number) = label.rsplit_once('.').unwrap_or(("", label.as_str()));
                    let key = (word.to_string(), chapter.to_string());
                    let number: usize = number.parse().expect("a label");
                    assert!(
                        captioned.get(&key).is_some_and(|all| all.contains(&number)),
                        "no {word} {label}: {line}"
                    );
                }
            }
        }
    });
}

#[test]
fn only_the_training_time_changes_between_equal_runs() {
    let record = fixtures::records().into_iter().find(|(name, _)| *name == "iyi").expect("a fixture").1;
    let mut again = record.clone();
    again.environment.started_at = "2027-01-02T03:04:05+03:00".into();
    again.environment.finished_at = Some("2027-01-02T04:04:05+03:00".into());
    again.environment.command = vec!["a1".into(), "--out".into(), "elsewhere".into()];
    again.environment.git_commit = Some("f".repeat(40));
    again.model.source = "/another/folder/smollm2.gguf".into();
    again.dataset.source = "/another/folder/a1.json".into();
    again.training.seconds = 61.0;
    again.training.tokens_per_second = 900.0;
    again.training.peak_memory_bytes = 1;
    again.training.steps.iter_mut().for_each(|step| step.seconds = 1.0);
    let render = |record: &RunRecord| {
        document::render(record, &charts_of(record), &Profile::default()).expect("a fixture renders")
    };
    for (before, after) in render(&record).into_iter().zip(render(&again)) {
        let changed: Vec<(&str, &str)> =
            before.markdown.lines().zip(after.markdown.lines()).filter(|(a, b)| a != b).collect();
        let name = &before.file_name;
        let before_facts = before.markdown.split("## Koşu Bilgileri").next().expect("a first part");
        for (line, _) in changed {
            let is_time = line.starts_with("Eğitim ") && line.ends_with(" sürmüştür.");
            assert!(is_time || !before_facts.contains(line), "{name}: {line}");
        }
    }
}

#[test]
fn text_of_others_stays_where_it_is_put() {
    let mut record = fixtures::records().into_iter().find(|(name, _)| *name == "iyi").expect("a fixture").1;
    let nasty = "a | b `c` ``` {{ x }} {% y %} <b> $z$ **k** _u_ [l](m) ![n](o) &lt; #p ~q~ \\ \u{1b}[0m \
                 \u{E000}p\u{E001}9\u{E002}\r\n3. x\n~~~\n%";
    record.dataset.source = nasty.into();
    record.dataset.example.instruction = nasty.into();
    record.dataset.example.input = nasty.into();
    record.model.source = nasty.into();
    record.model.name = nasty.into();
    record.environment.cpu = nasty.into();
    record.environment.command = vec![nasty.into()];
    record.outputs[0].path = nasty.into();
    record.outputs[0].kind = nasty.into();
    for sample in &mut record.samples {
        for text in [
            &mut sample.instruction,
            &mut sample.input,
            &mut sample.reference,
            &mut sample.baseline,
            &mut sample.fine_tuned,
        ] {
            *text = nasty.into();
        }
    }
    let charts = charts_of(&record);
    let documents = document::render(&record, &charts, &Profile::default()).expect("any text renders");
    // As one line, what a reader must see: nothing is lost but the marks and the control character.
    let shown =
        "a | b `c` ``` {{ x }} {% y %} <b> $z$ **k** _u_ [l](m) ![n](o) &lt; #p ~q~ \\ [0m p9 3. x ~~~ %";
    for document in documents {
        assert!(!document.markdown.contains([PATH, TEXT, END]), "a mark of the text posed as ours");
        let (read, markup) = as_read(&document.markdown);
        let expected = match document.file_name.as_str() {
            // Source, device, command, samples and outputs among them.
            "yontem.md" => 2,
            "tartisma.md" => 0,
            _ => 5,
        };
        assert!(read.matches(shown).count() >= expected, "{}: {read}", document.file_name);
        assert!(!markup.iter().any(|event| event.contains("<b>")), "{}: raw HTML", document.file_name);
        assert!(!markup.iter().any(|event| event == "m" || event == "o"), "{}: a link", document.file_name);
        let mut columns = None;
        for line in prose(&document.markdown) {
            if !line.starts_with('|') {
                columns = None;
                continue;
            }
            let count = line.replace("\\|", "").matches('|').count();
            assert_eq!(*columns.get_or_insert(count), count, "a row with another number of cells: {line}");
        }
    }
}

/// What a reader sees of Markdown, and what is neither text nor code: raw HTML, places of links and pictures.
fn as_read(markdown: &str) -> (String, Vec<String>) {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    let (mut read, mut markup) = (String::new(), Vec::new());
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_MATH) {
        match event {
            Event::Text(text) | Event::Code(text) => read.push_str(&text),
            Event::SoftBreak | Event::HardBreak => read.push(' '),
            Event::Html(text) | Event::InlineHtml(text) => markup.push(text.to_string()),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                markup.push(dest_url.to_string());
            }
            Event::End(_) => read.push('\n'),
            _ => {}
        }
    }
    (read, markup)
}

/// Foreign text in a line, in a cell and in the words of a picture is read by a Markdown parser as it was written.
#[test]
fn escaped_text_is_read_as_written() {
    use tezgah::report::markdown::{cell_code, code, escaped};
    for text in [
        "Llama_3*2*_1B_",
        "a|b\\|c",
        "`x` ``y``",
        "<b>&amp;</b> <!-- c -->",
        "[a](b) ![c](d) [e]: f",
        "$x$ $$y$$",
        "100 % #1 ~~s~~",
        "https://a.b/c_d_e",
        "\\",
        "\\\\*",
        "*",
        "_",
        "C:\\model\\a_b",
        "{.class} @key ^n^",
        "**",
        "a\\",
        "``",
        "<https://a.b>",
        "&#35; &copy",
        "``` ~~~",
        "x\ty",
    ] {
        let expected = text.replace('\t', " ");
        for (markdown, place) in [
            (format!("x {} y", escaped(text)), "a line"),
            (format!("| h |\n|---|\n| x {} y |", escaped(text)), "a cell"),
            (format!("![x {} y](c.svg)", escaped(text)), "a picture"),
            (format!("x {} y", code(text)), "code"),
            (format!("| h |\n|---|\n| x {} y |", cell_code(text)), "code in a cell"),
        ] {
            // A cell cannot tell a backslash before a bar in code from an escaped bar: CommonMark's tables say so.
            if place == "code in a cell" && text.contains("\\|") {
                continue;
            }
            let (read, markup) = as_read(&markdown);
            assert!(read.contains(&format!("x {expected} y")), "{place}: {markdown} is read as {read}");
            assert!(markup.iter().all(|event| event == "c.svg"), "{place}: {markup:?}");
        }
    }
}

#[test]
fn a_document_without_charts_speaks_of_none() {
    for (name, record) in fixtures::records() {
        for document in document::render(&record, &[], &Profile::default()).expect(name) {
            assert!(
                !document.markdown.contains("Şekil ") && !document.markdown.contains("](charts/"),
                "{name}"
            );
        }
    }
}

/// Every figure that the seed's three thesis sections state, in the profile that has its look.
#[test]
fn the_seeds_sections_agree_with_the_seed() {
    let record = fixtures::records().into_iter().find(|(name, _)| *name == "tohum").expect("a fixture").1;
    let profile = Profile::ready("tohum").expect("a ready profile");
    let documents = document::render(&record, &charts_of(&record), &profile).expect("the seed renders");
    let text = |file: &str| -> &str {
        &documents.iter().find(|document| document.file_name == file).expect("a section").markdown
    };
    let stated: [(&str, &[&str]); 3] = [
        (
            "yontem.md",
            &[
                "3.3 ",
                "Llama-3.2-1B-Instruct",
                "A1 düzeyi",
                "2000 örnek",
                "%90'ı eğitim",
                "%10'u değerlendirme",
                "Rank 128",
                "NVIDIA RTX 4090 24GB",
                "2 × 10⁻⁴",
                "büyüklüğü 64",
                "3 dönem",
                "AdamW",
                "gradient checkpointing",
                "4.5 bit",
            ],
        ),
        (
            "sonuclar.md",
            &[
                "4.1 A1",
                "1800 örneklik",
                "1.95'ten",
                "0.64'e",
                "%67",
                "0.82",
                "93 saniye",
                "4.2 ",
                "**Tablo 4.1:**",
                "2.63",
                "13.86",
                "1.47",
                "4.35",
                "%44.1",
                "%68.6'lık",
            ],
        ),
        ("tartisma.md", &["5.1 ", "%44.1'lik", "0.82", "1.47", "13.86'dan 4.35'e"]),
    ];
    for (file, figures) in stated {
        for figure in figures {
            assert!(text(file).contains(figure), "{file} does not state {figure}");
        }
    }
    // Where the seed is wrong, the document says what holds: parameters, warmup, token lengths.
    assert!(!text("yontem.md").contains("%99"));
    assert!(text("yontem.md").contains("%7.3'üne"));
    assert!(text("tartisma.md").contains("%92.7 daha azdır"));
    assert!(
        text("sonuclar.md")
            .contains("Isınma süresi (100 adım) eğitimin uzunluğundan (87 adım) kısa olmadığı")
    );
    assert!(text("yontem.md").contains("En uzun örnek 207 belirteçten"));
}

/// A profile of one's own: another word, captions under the tables, a chapter that other levels share.
#[test]
fn an_institutes_own_profile_is_followed() {
    let text = "name = \"enstitü\"\ndecimal = \"comma\"\ntable_word = \"Çizelge\"\ntable_caption = \"below\"\n\
                figure_caption = \"above\"\nafter_number = \":\"\n[method]\nchapter = 2\n[results]\nchapter = 5\n\
                first_section = 3\nfirst_table = 4\nfirst_figure = 6\n[discussion]\nchapter = 6\n\
                [model]\nname = \"Lama\"\nreading = \"lama\"\n";
    let profile = Profile::parse("enstitü.toml", text).expect("a profile");
    let record = fixtures::records().into_iter().find(|(name, _)| *name == "iyi").expect("a fixture").1;
    let documents = document::render(&record, &charts_of(&record), &profile).expect("a fixture renders");
    let results =
        &documents.iter().find(|document| document.file_name == "sonuclar.md").expect("results").markdown;
    for expected in [
        "# 5.3 A1 Düzeyi",
        "Şekil 5.6, Şekil 5.7 ve Şekil 5.8'de",
        "Lama'nın ince ayardan önceki",
        "Çizelge 5.4'te verilmiştir",
        "|\n\n**Çizelge 5.4:** Temel model",
        "değişimi\n\n![",
        "# 5.5 Örnek Çıktılar",
    ] {
        assert!(results.contains(expected), "{expected}\n{results}");
    }
    assert!(!results.contains("Tablo"));
}
