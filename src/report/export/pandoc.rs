//! The thesis sections for Word and LaTeX, by [pandoc](https://pandoc.org) where it is installed.
//!
//! pandoc reads them as CommonMark with tables and `$` formulas, and nothing else of its Markdown: no smart
//! quotes, no raw HTML, no citations, no numbered examples. A Lua filter of ours gives captions, tables,
//! figures, citations and references the forms of each format; a reference document of ours gives Word its styles.
//! LaTeX gets the keys of `kaynakca.bib` for its citations, and one list of references for all sections.
//!
//! pandoc works in a folder of its own, without the user's pandoc settings, and sees the texts and charts alone.

use super::File;
use super::program::{PATIENCE, ended};
use crate::error::{Error, Result};
use crate::report::charts::Chart;
use crate::report::citations::{self, Citation, Work};
use crate::report::document::Document;
use crate::report::files;
use crate::report::profile::{AfterNumber, Profile};
use crate::report::trace::{self, Stretch};
use pulldown_cmark::{Event, Options, Parser, Tag};
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Its name on the `PATH`.
pub(crate) const PROGRAM: &str = "pandoc";

/// The oldest pandoc that the filter was tried with.
const OLDEST: (u32, u32) = (2, 17);

/// What pandoc is told to read: CommonMark and these two, with raw HTML as the text that it is.
const DIALECT: &str = "commonmark+pipe_tables+tex_math_dollars-raw_html";

const FILTER: &str = include_str!("../../../templates/export/bolum.lua");
const REFERENCE: &[u8] = include_bytes!("../../../templates/export/reference.docx");
const WRAPPER: &str = include_str!("../../../templates/export/tez.tex");

/// The two formats: ending of the file, and what pandoc is told besides.
///
/// Headings of the sections begin at 1; in Word they are sections of a chapter, so heading 2. LaTeX calls its
/// first level `\section` already.
const FORMATS: [(&str, &[&str]); 2] = [
    (
        "docx",
        &[
            "--to=docx",
            "--reference-doc=reference.docx",
            "--shift-heading-level-by=1",
            "--metadata=lang:tr-TR",
        ],
    ),
    ("tex", &["--to=latex", "--wrap=preserve"]),
];

/// What became of the conversion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversion {
    /// There is no pandoc.
    NotInstalled,
    /// The pandoc found is older than the filter needs.
    TooOld {
        /// Its version.
        found: String,
    },
    /// pandoc ran.
    Converted {
        /// What it made, in the order of the documents.
        files: Vec<File>,
        /// What it could not make, a line each.
        failures: Vec<String>,
    },
}

impl Conversion {
    /// The files that were made.
    pub fn files(&self) -> &[File] {
        match self {
            Conversion::Converted { files, .. } => files,
            Conversion::NotInstalled | Conversion::TooOld { .. } => &[],
        }
    }

    /// What the person at the terminal should know, a line each; nothing where all went well.
    pub fn notices(&self) -> Vec<String> {
        match self {
            Conversion::Converted { failures, .. } => failures.clone(),
            other => vec![other.to_string()],
        }
    }
}

impl fmt::Display for Conversion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Conversion::NotInstalled => {
                write!(formatter, "pandoc is not installed: no .docx and .tex of the sections")
            }
            Conversion::TooOld { found } => write!(
                formatter,
                "pandoc {found} is too old, expected {}.{} or newer: no .docx and .tex of the sections",
                OLDEST.0, OLDEST.1
            ),
            Conversion::Converted { files, failures } => {
                write!(formatter, "pandoc made {} files, {} failed", files.len(), failures.len())
            }
        }
    }
}

/// Converts the thesis sections `documents` to .docx and .tex, and adds `tez.tex`, which sets all of them.
///
/// `pandoc` is the program, by its name or path. `seconds` since 1970 are the date that Word files carry; taken from
/// the record, they make the same record give the same files. The .tex files show `charts/<name>.png`, which the
/// caller writes beside them; the .docx files hold their charts. What cannot be done is told in the outcome: a thesis can
/// do without, and a run must not fail by it.
#[expect(clippy::disallowed_methods, reason = "a report sees no tensor")]
pub fn sections(
    pandoc: &Path,
    documents: &[Document],
    charts: &[Chart],
    profile: &Profile,
    seconds: i64,
) -> Conversion {
    let folder = match furnished(documents, charts) {
        Ok(folder) => folder,
        Err(error) => return broken(format!("no .docx and .tex of the sections: {error}")),
    };
    let jobs: Vec<(&Document, &str, &[&str])> = documents
        .iter()
        .flat_map(|document| FORMATS.iter().map(move |(ending, options)| (document, *ending, *options)))
        .collect();
    // The conversions run side by side, and beside the question which pandoc it is, whose answer seldom makes them useless.
    let (version, results) = std::thread::scope(|scope| {
        let running: Vec<_> =
            jobs.iter().map(|job| scope.spawn(|| converted(pandoc, folder.path(), *job, seconds))).collect();
        let version = version(pandoc, folder.path());
        let ended = running.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err("pandoc: a conversion was broken off".into()))
        });
        (version, ended.collect::<Vec<_>>())
    });
    match version {
        Err(unusable) => return unusable,
        Ok(version) if version.0 < OLDEST => return Conversion::TooOld { found: version.1 },
        Ok(_) => {}
    }

    let (mut files, mut failures) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(file) => files.push(file),
            Err(failure) => failures.push(failure),
        }
    }
    let works = citations::cited(documents.iter().map(|document| document.traced.as_str()));
    files.extend(wrapper(&files, &works, profile));
    Conversion::Converted { files, failures }
}

/// Major and minor version, and the whole as pandoc writes it.
fn version(pandoc: &Path, folder: &Path) -> std::result::Result<((u32, u32), String), Conversion> {
    let output = match ended(Command::new(pandoc).arg("--version"), &folder.join("version"), PATIENCE) {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(Conversion::NotInstalled),
        Err(error) => return Err(broken(format!("pandoc: {error}"))),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default();
    let written = line.split_whitespace().nth(1).unwrap_or_default();
    let mut parts = written.split('.').map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok(((major, minor), written.to_string())),
        _ => Err(broken(format!("pandoc --version: expected a version, got '{line}'"))),
    }
}

fn broken(failure: String) -> Conversion {
    Conversion::Converted { files: Vec::new(), failures: vec![failure] }
}

/// Lays out what pandoc reads.
fn furnished(documents: &[Document], charts: &[Chart]) -> Result<TempDir> {
    let made = tempfile::tempdir().map_err(|error| Error::file(std::env::temp_dir(), error))?;
    let folder = made.path();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(|error| Error::file(path, error))
    };
    let pictures = folder.join(files::CHARTS);
    std::fs::create_dir(&pictures).map_err(|error| Error::file(&pictures, error))?;
    write("bolum.lua", FILTER.as_bytes())?;
    write("reference.docx", REFERENCE)?;
    for document in documents {
        let text = with_keys(&document.traced);
        write(&document.file_name, with_bitmaps(&text, charts).as_bytes())?;
    }
    for chart in charts {
        write(&files::chart(chart.name, "png"), &chart.png)?;
    }
    Ok(made)
}

/// The Markdown of a traced text, in which a citation is a link to its work's key.
fn with_keys(traced: &str) -> String {
    let stretches = trace::stretches(traced).into_iter().map(|stretch| match stretch {
        Stretch::Text(text) => text.to_string(),
        Stretch::Number { path, text } => match citations::of_path(path) {
            Some(Citation::Cited(key)) => format!("[{text}](#{key})"),
            _ => text.to_string(),
        },
    });
    stretches.collect()
}

/// The Markdown with bitmaps for its charts, and in words whatever other picture it may hold: pandoc fetches
/// pictures, from the network too, before any filter sees them.
fn with_bitmaps(markdown: &str, charts: &[Chart]) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut written = 0;
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_MATH).into_offset_iter();
    for (event, range) in events {
        let Event::Start(Tag::Image { dest_url, .. }) = event else { continue };
        if range.start < written {
            continue; // a picture inside another's words
        }
        out.push_str(&markdown[written..range.start]);
        written = range.end;
        let source = &markdown[range];
        let name = files::charted(&dest_url);
        match source.strip_suffix(".svg)") {
            Some(head) if charts.iter().any(|chart| Some(chart.name) == name) => {
                out.push_str(&format!("{head}.png)"))
            }
            // Without its exclamation mark a picture is a link.
            _ => out.push_str(&source.replace('!', "")),
        }
    }
    out.push_str(&markdown[written..]);
    out
}

fn converted(
    pandoc: &Path,
    folder: &Path,
    (document, ending, options): (&Document, &str, &[&str]),
    seconds: i64,
) -> std::result::Result<File, String> {
    let name = files::with_ending(&document.file_name, ending);
    let failed = |cause: String| format!("{name}: {cause}");
    let mut command = Command::new(pandoc);
    command
        .current_dir(folder)
        // No settings, templates or reference documents of the user's.
        .arg("--data-dir=.")
        .arg(format!("--from={DIALECT}"))
        .args(options)
        .arg("--lua-filter=bolum.lua")
        .arg(format!("--output={name}"))
        .arg(&document.file_name)
        .env("SOURCE_DATE_EPOCH", seconds.max(0).to_string());
    let output = ended(&mut command, &folder.join(format!("{name}.said")), PATIENCE)
        .map_err(|error| failed(format!("pandoc: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let lost = said.lines().find(|line| line.contains("Could not fetch resource"));
    if !output.status.success() || lost.is_some() {
        return Err(failed(format!("pandoc: {}", lost.map_or_else(|| first_line(&output), str::to_string))));
    }
    let bytes =
        std::fs::read(folder.join(&name)).map_err(|error| failed(format!("pandoc: no output: {error}")))?;
    Ok(File { path: name, bytes })
}

/// What pandoc said first, or how it ended.
fn first_line(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().map(str::trim).find(|line| !line.is_empty());
    line.map_or_else(|| output.status.to_string(), str::to_string)
}

/// `tez.tex` around the fragments that were made.
fn wrapper(files: &[File], works: &[&Work], profile: &Profile) -> Option<File> {
    let fragments: Vec<String> = files
        .iter()
        .filter_map(|file| file.path.strip_suffix(".tex"))
        .map(|name| format!("\\input{{{name}}}"))
        .collect();
    let separator = match profile.after_number {
        AfterNumber::Stop => "period",
        AfterNumber::Colon => "colon",
        AfterNumber::Line => "newline",
    };
    let items: Vec<String> = works.iter().map(|work| work.bibitem()).collect();
    let text = WRAPPER
        .replace("<separator>", separator)
        .replace("<sections>", &fragments.join("\n\\clearpage\n"))
        .replace("<references>", &items.join("\n"));
    (!fragments.is_empty()).then(|| File { path: "tez.tex".into(), bytes: text.into_bytes() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pandoc_sees_no_picture_but_the_charts() {
        let chart = Chart {
            name: "kayip",
            caption: String::new(),
            alt: String::new(),
            svg: String::new(),
            png: Vec::new(),
        };
        let written = "a\n\n![Ka!yıp](charts/kayip.svg)\n\n![x](https://example.com/x.svg) ![y][z]\n\n`![b](c)`\n\n[z]: /etc/y\n";
        let expected = "a\n\n![Ka!yıp](charts/kayip.png)\n\n[x](https://example.com/x.svg) [y][z]\n\n`![b](c)`\n\n[z]: /etc/y\n";
        assert_eq!(with_bitmaps(written, &[chart]), expected);
    }
}
