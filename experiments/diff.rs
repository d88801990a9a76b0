//! # What changed between two runs
//!
//! **Question.** A run was repeated: do its numbers, its conclusions and its text still hold, and if not, which
//! words of the thesis have to follow?
//!
//! | | |
//! |---|---|
//! | reads | two `record.json`, or the report folders that hold them |
//! | writes | a page of Markdown on the standard output or into `--out`; `--json` for programs |
//! | run | `cargo run --example diff -- reports/a1 reports/a1-again` |
//!
//! The exit code is 0 where nothing has to be done (the same, or within noise and no text changes), 1 where
//! something changed, 2 where the two cannot be compared or read.

use clap::Parser;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use tezgah::cli;
use tezgah::diff::{self, Difference, Paint, SeedNoise};
use tezgah::record::RunRecord;
use tezgah::record::store;

/// What the user typed.
#[derive(Debug, Parser)]
#[command(
    name = "diff",
    about = "Compares two runs: identity, metrics, conclusions, printed numbers, and the words of the thesis sections",
    after_help = "Exit code: 0 same, or within noise and no text changes; 1 changed; 2 incomparable, or an error"
)]
struct Flags {
    /// The earlier run: its record.json, or the report folder that holds it
    old: PathBuf,
    /// The later run
    new: PathBuf,
    /// JSON instead of Markdown
    #[arg(long)]
    json: bool,
    /// Write to this file instead of the standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Typography in which numbers are printed and compared: varsayilan, apa7, tohum, or a TOML file
    #[arg(long, value_name = "NAME", default_value = "varsayilan")]
    profile: String,
    /// Records or folders of runs that differ in their training seed alone, at least three, by commas: the seed noise [default:
    /// those that --seeds left beside OLD or NEW]
    #[arg(long, value_name = "RUN", value_delimiter = ',')]
    replicates: Vec<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Flags::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // That nobody reads it any more must not be a panic.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(flags: &Flags) -> anyhow::Result<u8> {
    // An error of this crate names its file and cause itself; as text its cause is not told twice.
    let read = |path: &PathBuf| diff::read(path).map_err(anyhow::Error::msg);

    // ## The two runs
    let (old, new) = (read(&flags.old)?, read(&flags.new)?);

    // ## How much chance explains
    // The evaluation rows of the two records say it for the losses; runs with other seeds say it for the rest:
    // those that are named, else those that `--seeds` left beside one of the two, else their summary in its record.
    let replicates: Vec<RunRecord> = flags.replicates.iter().map(read).collect::<anyhow::Result<_>>()?;
    let beside = || SeedNoise::beside(&flags.old, &old).or_else(|| SeedNoise::beside(&flags.new, &new));
    let noise = match replicates.as_slice() {
        [] => beside(),
        replicates => Some(SeedNoise::of(replicates)?),
    };

    // ## What changed
    let difference = diff::compare(&old, &new, noise.as_ref(), &cli::profile(&flags.profile)?)?;
    let text = page(flags, &difference)?;
    match &flags.out {
        Some(path) => store::write_file(path, text.as_bytes()).map_err(anyhow::Error::msg)?,
        None => cli::print(&text).map_err(anyhow::Error::msg)?,
    }
    Ok(difference.verdict.exit_code())
}

fn page(flags: &Flags, difference: &Difference) -> anyhow::Result<String> {
    if flags.json {
        return Ok(serde_json::to_string_pretty(difference)? + "\n");
    }
    let paint = Paint::for_output(flags.out.is_none() && std::io::stdout().is_terminal());
    let names = [&flags.old, &flags.new].map(|path| path.display().to_string());
    Ok(diff::print(difference, [&names[0], &names[1]], paint))
}
