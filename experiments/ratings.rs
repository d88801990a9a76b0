//! # Raters
//!
//! **Question.** What do people who know the level say of the texts of a run, when they do not know who wrote them?
//!
//! | | |
//! |---|---|
//! | reads | the folder of a finished run: its record with the texts, its held-out rows; `collect` reads what raters sent back |
//! | writes | `prepare`: a workbook and a printable form a rater, and the key that nobody gets; `collect`: `ratings.json` beside the record |
//! | run | `cargo run --example ratings -- prepare --run reports/a1 --raters 3`, then `-- collect --run reports/a1 returned/` |

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use tezgah::cli;
use tezgah::error::Error;
use tezgah::ratings::criteria::Questionnaire;
use tezgah::ratings::items::{self, Key, Plan};
use tezgah::ratings::rated::Rated;
use tezgah::ratings::{collect, keep, panel, sheets};
use tezgah::record::folder::RunFolder;
use tezgah::record::texts::System;
use tezgah::run;

/// What the user typed.
#[derive(Debug, Parser)]
#[command(
    name = "ratings",
    about = "Sheets for people who rate a run's texts blind, and what came back",
    after_help = "Exit code: 0 done; 2 a flag, file or sheet was at fault, and nothing was written"
)]
struct Arguments {
    #[command(subcommand)]
    step: Step,
}

/// Before the raters, or after them.
#[derive(Debug, Subcommand)]
enum Step {
    /// Draws the items and writes a sheet a rater, and the key
    Prepare(Prepare),
    /// Reads returned sheets into ratings.json
    Collect(Collect),
}

#[derive(Debug, clap::Args)]
struct Prepare {
    /// The folder of the run
    #[arg(long, value_name = "DIR", default_value = "reports/a1")]
    run: PathBuf,
    /// People who get a sheet
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    raters: u16,
    /// Items that set the fine-tuned text beside the other system's; controls come besides
    #[arg(long, value_name = "N", default_value_t = 40)]
    items: usize,
    /// Of the choice, the orders and the sides
    #[arg(long, default_value_t = 3407)]
    seed: u64,
    /// The system beside the fine-tuned one [default: prompted where the run has it, else baseline]
    #[arg(long)]
    against: Option<Against>,
    /// What is asked and told, a changed copy of templates/ratings/olcutler.toml [default: that file]
    #[arg(long, value_name = "FILE")]
    criteria: Option<PathBuf>,
    /// Where the sheets go [default: ratings/ in the run's folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Collect {
    /// The folder of the run
    #[arg(long, value_name = "DIR", default_value = "reports/a1")]
    run: PathBuf,
    /// The key of the sheets [default: ratings/anahtar.json in the run's folder]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The word list that the run was measured with, where it was given one
    #[arg(long, value_name = "FILE")]
    word_list: Vec<PathBuf>,
    /// Returned workbooks and CSV files, or folders of them
    #[arg(required = true, value_name = "DIR")]
    sheets: Vec<PathBuf>,
}

/// The systems that may stand beside the fine-tuned one.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Against {
    /// The base model in the prompt of the training rows
    Baseline,
    /// The base model told to write at the level
    Prompted,
}

impl From<Against> for System {
    fn from(against: Against) -> Self {
        match against {
            Against::Baseline => System::Baseline,
            Against::Prompted => System::Prompted,
        }
    }
}

fn main() -> ExitCode {
    let done = match Arguments::parse().step {
        Step::Prepare(arguments) => prepare(&arguments),
        Step::Collect(arguments) => gather(&arguments),
    };
    run::answer(done.map_err(Into::into))
}

fn prepare(arguments: &Prepare) -> Result<(), Error> {
    // ## The run, and what is asked of its texts
    let rated = Rated::open(RunFolder::new(&arguments.run))?;
    let level = rated.record.level;
    let questionnaire = match &arguments.criteria {
        None => Questionnaire::standard(level)?,
        Some(path) => {
            let bytes = std::fs::read(path).map_err(|error| Error::file(path, error))?;
            Questionnaire::parse(&path.display().to_string(), &bytes, level)?
        }
    };

    let is_open = questionnaire.consent.iter().any(|paragraph| paragraph.contains('['));

    // ## The items, and the sheets
    let against = arguments.against.map_or_else(|| items::fairest(rated.texts()), System::from);
    let plan =
        Plan { raters: arguments.raters.into(), items: arguments.items, seed: arguments.seed, against };
    let out = arguments.out.clone().unwrap_or_else(|| rated.folder.sheets());
    let written = sheets::prepare(&rated, questionnaire, plan, &out)?;
    let mut lines: String = written.iter().map(|path| format!("{}\n", path.display())).collect();
    lines += &format!("fine_tuned against {}; nobody who rates gets {}\n", against.name(), sheets::KEY);
    if is_open {
        lines += "the consent still has places to fill in, in square brackets: change a copy of \
                  templates/ratings/olcutler.toml and give it with --criteria before a sheet goes out\n";
    }
    cli::print(&lines)
}

fn gather(arguments: &Collect) -> Result<(), Error> {
    // ## What came back, all of it checked
    let rated = Rated::open(RunFolder::new(&arguments.run))?;
    let key = arguments.key.clone().unwrap_or_else(|| rated.folder.sheets().join(sheets::KEY));
    let key = Key::read(&key)?;
    let collected = collect::collect(&rated, &key, &arguments.sheets)?;
    let mut lines: String = collected.notices.iter().map(|notice| format!("{notice}\n")).collect();

    // ## What follows from it, beside the record
    let panel = panel::of_people(&rated, &key, collected);
    let returned = panel.answered();
    let (answers, raters) = (panel.answers.len(), panel.raters.len());
    keep(&rated, panel, &arguments.word_list)?;
    lines += &format!(
        "kept {answers} answers of {returned} of {raters} raters in {}\n",
        rated.folder.ratings().display()
    );
    let level = rated.record.level.label().to_lowercase();
    let out = arguments.run.display();
    lines +=
        &format!("cargo run --example {level} -- --render-only --out {out} makes the documents with them\n");
    cli::print(&lines)
}
