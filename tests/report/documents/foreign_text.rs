//! Text of others, names and rows and paths, stays text wherever it is put.

use crate::fixtures::{charts_of, fixture};
use crate::prose::check_tables;
use tezgah::report::document;
use tezgah::report::profile::Profile;
use tezgah::report::trace::{END, PATH, TEXT};

#[test]
fn text_of_others_stays_where_it_is_put() {
    let mut record = fixture("iyi");
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
            "yontem.md" | "sonuclar.md" => 2,
            "tartisma.md" => 0,
            "ekler.md" => 5,
            _ => 3,
        };
        assert!(read.matches(shown).count() >= expected, "{}: {read}", document.file_name);
        assert!(!markup.iter().any(|event| event.contains("<b>")), "{}: raw HTML", document.file_name);
        assert!(!markup.iter().any(|event| event == "m" || event == "o"), "{}: a link", document.file_name);
        check_tables(&document.markdown);
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
