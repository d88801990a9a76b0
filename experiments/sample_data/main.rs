//! # The sample data
//!
//! Writes `data/a1.json` to `data/c1.json`: 2000 synthetic rows a level in the Alpaca format, the same bytes on
//! every run and every platform. Nothing here was taken from a corpus: scenes written for this program
//! (`scenes/*.txt`) are told by drawn people in drawn words.
//!
//! Reads  nothing but the scenes compiled in.
//! Writes `--out`/LEVEL.json, one row a line; with `--corpus FILE`, plain text for the demonstration model instead.
//! Run    `cargo run --example sample_data -- [LEVEL...] [--out data] [--corpus FILE]`.
#![allow(
    unreachable_pub,
    unused_qualifications,
    reason = "the modules of one program read as a library's would"
)]

mod compose;
mod dice;
mod grammar;
mod level;
mod people;
mod rows;
mod scene;
mod voice;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Parser;

use level::{LEVELS, Level};

/// The seed of the committed files. Another seed gives other texts of the same kind.
const SEED: u64 = 20_261_124;

/// Writes the sample data sets, or a plain corpus of the same English.
#[derive(Parser)]
struct Flags {
    /// Levels to write (a1 a2 b1 b2 c1); all without any.
    levels: Vec<String>,
    /// Folder of the data files.
    #[arg(long, default_value = "data")]
    out: PathBuf,
    /// Write a plain text corpus here instead of the data files.
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// Words in the corpus, in thousands.
    #[arg(long, default_value_t = 3600)]
    corpus_thousands: usize,
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    let levels = chosen(&flags.levels)?;
    if let Some(path) = &flags.corpus {
        let text = rows::corpus(&levels, SEED, flags.corpus_thousands * 1000)?;
        std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
        return Ok(());
    }
    std::fs::create_dir_all(&flags.out).with_context(|| format!("making {}", flags.out.display()))?;
    for level in levels {
        let rows = rows::level(level, SEED)?;
        let path = flags.out.join(format!("{}.json", level.name.to_lowercase()));
        std::fs::write(&path, rows::json(&rows)?).with_context(|| format!("writing {}", path.display()))?;
        println!("{}: {}", path.display(), rows::summary(&rows));
    }
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<&'static Level>> {
    for name in names {
        if !LEVELS.iter().any(|level| level.name.eq_ignore_ascii_case(name)) {
            bail!("unknown level {name:?}, expected a1, a2, b1, b2 or c1");
        }
    }
    let wanted =
        |level: &&Level| names.is_empty() || names.iter().any(|name| level.name.eq_ignore_ascii_case(name));
    Ok(LEVELS.iter().filter(wanted).collect())
}
