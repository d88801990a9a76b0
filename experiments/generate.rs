//! # One text
//!
//! **Question.** What does the fine-tuned model write when a teacher asks for something new, and is it of the level?
//!
//! | | |
//! |---|---|
//! | reads | the folder of a finished run: its record, its adapter, its training rows; the run's base model |
//! | writes | the text on the standard output, words above the level in colour, and under it what it measures |
//! | run | `cargo run --example generate -- --run reports/a1 "Write about your family"`, `--base` for the base model |

use clap::Parser;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use tezgah::cli::{self, Flags};
use tezgah::device;
use tezgah::diff::Paint;
use tezgah::error::Error;
use tezgah::run;
use tezgah::run::writing::Writer;

/// What the user typed.
#[derive(Debug, Parser)]
#[command(
    name = "generate",
    about = "Lets the model of a finished run answer one task, and measures the text",
    after_help = "Exit code: 0 done; 2 a flag, file, model or device was at fault; 130 or 143 interrupted"
)]
struct Arguments {
    /// The task, as the rows of the level have it
    task: String,
    /// The task's input, where it has one
    #[arg(long, default_value = "")]
    input: String,
    /// The folder of the run
    #[arg(long, value_name = "DIR", default_value = "reports/a1")]
    run: PathBuf,
    /// The base model, without the run's adapter
    #[arg(long)]
    base: bool,
    /// The base model's place [default: the one that the record names]
    #[arg(long, value_name = "SRC")]
    model: Option<String>,
    /// auto, cpu, cuda, cuda:N or metal
    #[arg(long, default_value = "auto")]
    device: String,
    /// Words and their CEFR levels: a table with the columns headword and CEFR or level [default: the most frequent words]
    #[arg(long, value_name = "FILE")]
    word_list: Vec<PathBuf>,
    /// How it is written, e.g. samples.temperature=0.7 [default: as in the run]
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run::answer(device::among_threads(|| write(&arguments)).map_err(Into::into))
}

fn write(arguments: &Arguments) -> Result<(), Error> {
    // ## The model of the run
    let flags = Flags {
        device: arguments.device.clone(),
        word_list: arguments.word_list.clone(),
        settings: arguments.settings.clone(),
        ..Flags::parse_from(["generate"])
    };
    let writer = Writer::open(&arguments.run, arguments.model.as_deref(), &flags, arguments.base)?;

    // ## The text, and what it measures
    let writing = writer.write(&arguments.task, &arguments.input)?;
    cli::print(&writer.shown(&writing, Paint::for_output(std::io::stdout().is_terminal())))
}
