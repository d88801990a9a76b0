//! Word lists: a headword and its CEFR level a row.
//!
//! Read are CEFR-J's CSV (`headword,pos,CEFR,...`), Octanove's, and any table with a column `headword` and a column `CEFR` or
//! `level`, in any order, with commas, semicolons (a Turkish Excel writes them) or tabs. A headword with slashes
//! (`a.m./A.M./am`) is several; one of several words (`according to`, `ice-cream`, `a.m.`) is a phrase, and left out with its count.
//! A headword with several levels, one a part of speech, has the lowest.
//!
//! Without a file there is the frequency list, in steps of the vocabulary that learners of a level were found to know
//! (Milton and Alexiou 2009, English, of the 5000 most frequent lemmas; their gap from 2500 to 2750 is B1's here): A1 to 1500,
//! A2 to 2500, B1 to 3250, B2 to 3750, C1 to 4500, C2 all others. That is a rank in what adults read and hear, not a rating:
//! what the first lessons are about is rare there (`grandmother`: 4058th). Of the words of the sample rows A1 to C1 it puts
//! 10.2, 8.2, 10.0, 13.3, 19.2 % above A1, where CEFR-J with Octanove has 4.9, 7.3, 13.8, 20.7, 27.6 %: it does not tell A1
//! from B1, and no claim about a level should rest on it.

use super::{frequency, words};
use crate::error::{Error, Result};
use crate::level::WordLevel;
use crate::sha256;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The name of the shipped list.
pub const BY_FREQUENCY: &str = "embedded:frequency";

/// The last rank of a level.
const STEPS: [(WordLevel, usize); 5] = [
    (WordLevel::A1, 1500),
    (WordLevel::A2, 2500),
    (WordLevel::B1, 3250),
    (WordLevel::B2, 3750),
    (WordLevel::C1, 4500),
];

/// Headwords and their levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordList {
    sources: Vec<Source>,
    levels: HashMap<String, WordLevel>,
    rest: Option<WordLevel>,
}

/// Where a list comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The file as the user named it, or [`BY_FREQUENCY`].
    pub name: String,
    /// SHA-256 of the file's bytes.
    pub sha256: String,
    /// Headwords with a level.
    pub headwords: usize,
    /// Headwords of several words, which are not looked for.
    pub phrases: usize,
}

impl WordList {
    /// The lists in `files` as one; the shipped one where there are none.
    ///
    /// # Errors
    /// As [`WordList::read`].
    pub fn of(files: &[PathBuf]) -> Result<WordList> {
        let lists = files.iter().map(WordList::read).collect::<Result<Vec<_>>>()?;
        Ok(lists.into_iter().reduce(WordList::and).unwrap_or_else(WordList::by_frequency))
    }

    /// The shipped list, see the module.
    pub fn by_frequency() -> WordList {
        let level = |rank: usize| STEPS.iter().find(|(_, last)| rank <= *last).map(|(level, _)| *level);
        let ranked = frequency::LIST.lines().enumerate();
        let levels: HashMap<String, WordLevel> =
            ranked.filter_map(|(index, headword)| Some((headword.to_string(), level(index + 1)?))).collect();
        let source = Source {
            name: BY_FREQUENCY.into(),
            sha256: sha256::of(frequency::LIST.as_bytes()),
            headwords: levels.len(),
            phrases: 0,
        };
        WordList { sources: vec![source], levels, rest: Some(WordLevel::C2) }
    }

    /// Reads the list at `path`; see [`WordList::parse`].
    ///
    /// # Errors
    /// `Error::File` where it cannot be read, `Error::Data` as in [`WordList::parse`].
    pub fn read(path: impl AsRef<Path>) -> Result<WordList> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| Error::file(path, source))?;
        WordList::parse(&path.display().to_string(), &bytes)
    }

    /// The list in `bytes`, a table with a header line. `name` goes into the messages and into the record.
    ///
    /// # Errors
    /// `Error::Data` with the file, the row as a spreadsheet counts it (the header is row 1) and the field: invalid UTF-8, no
    /// column of headwords or of levels, two of one, a row of another length, no headword, a level that is none of A1 to C2,
    /// no row at all, or phrases alone.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<WordList> {
        let refuse = |row, message| Error::Data { path: name.to_string(), row, message };
        let text = Error::unless_text(name, bytes)?;
        let mut table = csv::ReaderBuilder::new().delimiter(delimiter(text)).from_reader(text.as_bytes());
        let header = table.headers().map_err(|error| refuse(Some(1), describe(&error)))?.clone();
        let columns = Columns::of(&header).map_err(|message| refuse(Some(1), message))?;

        let mut list = WordList { sources: Vec::new(), levels: HashMap::new(), rest: None };
        let mut phrases = 0;
        for (index, row) in table.records().enumerate() {
            let refuse = |message| refuse(Some(index + 2), message);
            let row = row.map_err(|error| refuse(describe(&error)))?;
            let (headwords, level) = columns.read(&row).map_err(refuse)?;
            for headword in headwords.split('/').map(str::trim) {
                match &words::words(headword)[..] {
                    [word] => list.add(word.key.clone(), level),
                    _ => phrases += 1,
                }
            }
        }
        if list.levels.is_empty() {
            let got = if phrases > 0 { "phrases alone" } else { "none" };
            let message = format!("expected a headword and its level in at least one row, got {got}");
            return Err(refuse(None, message));
        }
        let (headwords, sha256) = (list.levels.len(), sha256::of(bytes));
        list.sources.push(Source { name: name.to_string(), sha256, headwords, phrases });
        Ok(list)
    }

    /// Both lists as one: a headword of both has the lower level. CEFR-J ends at B2, and Octanove's goes on from there.
    pub fn and(mut self, other: WordList) -> WordList {
        // The minimum does not ask in which order headwords come.
        #[allow(clippy::iter_over_hash_type, reason = "each headword is put into its own place")]
        for (headword, level) in other.levels {
            self.add(headword, level);
        }
        self.sources.extend(other.sources);
        self.rest = self.rest.min(other.rest);
        self
    }

    /// The files that it was read from, in their order.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The level of `headword`, in lower case.
    pub fn level(&self, headword: &str) -> Option<WordLevel> {
        self.levels.get(headword).copied()
    }

    /// The level of all words that the list lacks, where it was made so that they have one.
    pub fn rest(&self) -> Option<WordLevel> {
        self.rest
    }

    fn add(&mut self, headword: String, level: WordLevel) {
        self.levels.entry(headword).and_modify(|known| *known = level.min(*known)).or_insert(level);
    }
}

/// Where a row has what is read of it.
struct Columns {
    headword: usize,
    level: usize,
}

impl Columns {
    fn of(header: &csv::StringRecord) -> std::result::Result<Columns, String> {
        let column = |names: &[&str]| {
            let is_named = |field: &str| names.iter().any(|name| field.trim().eq_ignore_ascii_case(name));
            let mut places = header.iter().enumerate().filter(|(_, field)| is_named(field));
            match (places.next(), places.next()) {
                (Some((place, _)), None) => Ok(place),
                (found, _) => {
                    let got = found.map_or_else(|| shortened(&listed(header)), |_| "several".to_string());
                    Err(format!("header: expected one column {}, got {got}", names.join(" or ")))
                }
            }
        };
        Ok(Columns { headword: column(&["headword"])?, level: column(&["CEFR", "level"])? })
    }

    fn read<'a>(&self, row: &'a csv::StringRecord) -> std::result::Result<(&'a str, WordLevel), String> {
        // The reader refuses rows that are shorter than the header.
        let (headword, level) = (&row[self.headword], row[self.level].trim());
        if words::words(headword).is_empty() {
            return Err(format!("field headword: expected a word, got '{}'", shortened(headword)));
        }
        match level.parse() {
            Ok(level) => Ok((headword, level)),
            Err(_) => Err(format!(
                "field level: expected one of A1, A2, B1, B2, C1, C2 for {}, got '{}'",
                shortened(headword),
                shortened(level)
            )),
        }
    }
}

/// The first of the separators that the header has; a table of one column has none.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    *b",;\t".iter().find(|separator| header.contains(**separator as char)).unwrap_or(&b',')
}

fn listed(header: &csv::StringRecord) -> String {
    if header.is_empty() { "none".into() } else { header.iter().collect::<Vec<_>>().join(", ") }
}

/// csv's messages name its own positions; the row is ours.
fn describe(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("expected {expected_len} fields as in the header, got {len}")
        }
        _ => format!("expected a row of a table, got {}", shortened(&error.to_string())),
    }
}

/// A foreign field in one line of a message.
fn shortened(field: &str) -> String {
    const LONGEST: usize = 60;
    let mut line: String = field.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if field.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}
