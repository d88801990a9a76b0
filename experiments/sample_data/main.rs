//! # The sample data
//!
//! Writes `data/a1.json` to `data/c1.json`: 2000 synthetic rows a level in the Alpaca format, the same bytes on
//! every run and every platform. Nothing here was taken from a corpus: scenes written for this program
//! (`scenes/*.txt`) are told by drawn people in drawn words.
//!
//! Reads  nothing but the scenes compiled in.
//! Writes `--out`/LEVEL.json, one row a line.
//! Run    `cargo run --example sample_data -- [LEVEL...] [--out data]`.
#![allow(
    unreachable_pub,
    unused_qualifications,
    reason = "the modules of one program read as a library's would"
)]

mod cast;
mod compose;
mod dice;
mod fresh;
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

/// Writes the sample data sets.
#[derive(Parser)]
struct Flags {
    /// Levels to write (a1 a2 b1 b2 c1); all without any.
    levels: Vec<String>,
    /// Folder of the data files.
    #[arg(long, default_value = "data")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    let levels = chosen(&flags.levels)?;
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
