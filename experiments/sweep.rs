//! # A sweep: levels, seeds, settings
//!
//! **Question.** Which settings matter, on which level, and is the difference more than the noise between training seeds?
//!
//! | | |
//! |---|---|
//! | reads | what the experiments of the levels read; `--data DIR` with a file for each level |
//! | writes | `reports/sweep`: a folder a run, the list of the runs, and after `collect` the document `tarama.md` |
//! | run | `cargo run --example sweep -- --levels a1,b1 --seeds 3407,1,2 --vary lora.rank=16,128`; all flags of the experiments |
#![allow(dead_code, reason = "of a level's program the question is asked, and its main is not called")]

mod a1;
mod a2;
mod b1;
mod b2;
mod c1;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use tezgah::cli::{self, EXIT_CODES, Flags};
use tezgah::device;
use tezgah::level::Level;
use tezgah::run::{self, Question};
use tezgah::series::sweep::{self, Keep, Options, Rerender};
use tezgah::thesis;

/// What the user typed.
#[derive(Debug, Parser)]
#[command(
    name = "sweep",
    about = "Runs levels x settings x training seeds, on this machine or as a Slurm job array: what is done is skipped, and the list can grow",
    after_help = format!("For several levels --data names a folder: a1.json or training_data_a1.json (.jsonl), and so on\n\n{EXIT_CODES}"),
    args_conflicts_with_subcommands = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Levels to run, e.g. a1,b1; all without any
    #[arg(long, value_delimiter = ',')]
    levels: Vec<Level>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    flags: Flags,
}

/// What there is to do beside running.
#[derive(Debug, Subcommand)]
enum Command {
    /// Tell what is queued, running, done and failed, and why
    Status {
        /// The sweep's folder
        out: PathBuf,
    },
    /// Put the runs side by side, finished or not, and write what they say
    Collect {
        /// The sweep's folder
        out: PathBuf,
        /// Typography of the document: varsayilan, apa7, tohum, or a TOML file
        #[arg(long, value_name = "NAME")]
        profile: Option<String>,
        /// Render the documents of the runs again too whose records got the summary over their seeds
        #[arg(long)]
        documents: bool,
    },
    #[command(
        about = "Fetch the model and read the rows, for nodes without internet",
        after_help = "Prints the lines that a job begins with on such a node"
    )]
    Prefetch {
        /// Levels whose rows are read, e.g. a1,b1; all without any
        #[arg(long, value_delimiter = ',')]
        levels: Vec<Level>,
        #[command(flatten)]
        flags: Box<Flags>,
    },
    /// Make one run of the list, as an element of the job array does
    Task {
        /// The sweep's folder
        out: PathBuf,
        /// The run's place in the list, from 0
        index: usize,
        /// What it keeps when it is done
        #[arg(long, value_enum, default_value_t = Keep::All)]
        keep: Keep,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run::answer(device::among_threads(|| answer(arguments)))
}

fn answer(Arguments { command, levels, options, flags }: Arguments) -> anyhow::Result<()> {
    match command {
        None => sweep::run(&questions(&levels), thesis::PROCEDURE, &options, &flags),
        Some(Command::Task { out, index, keep }) => {
            sweep::task(&out, index, &questions(&[]), thesis::PROCEDURE, keep)
        }
        Some(Command::Status { out }) => Ok(cli::print(&sweep::status(&out)?)?),
        Some(Command::Collect { out, profile, documents }) => {
            let rerender = if documents { Rerender::Runs } else { Rerender::Sweep };
            Ok(sweep::collect(&out, &questions(&[]), profile.as_deref(), rerender)?)
        }
        Some(Command::Prefetch { levels, flags }) => {
            Ok(cli::print(&sweep::prefetch(&questions(&levels), &flags)?)?)
        }
    }
}

/// The questions of these levels, of all without any.
fn questions(levels: &[Level]) -> Vec<Question> {
    let mut questions = vec![a1::question(), a2::question(), b1::question(), b2::question(), c1::question()];
    questions.retain(|question| levels.is_empty() || levels.contains(&question.level));
    questions
}
