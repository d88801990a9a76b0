//! # A judge model
//!
//! **Question.** What does a language model that nobody here trained say of the texts, and does it agree with the raters?
//!
//! | | |
//! |---|---|
//! | reads | the folder of a finished run with texts; the items of the raters' sheets (`ratings/anahtar.json`), else items of its own; the key of the server from `TEZGAH_JUDGE_KEY`, else `OPENAI_API_KEY` |
//! | writes | every request and raw answer into the run's folder `judge/`, and what follows from them into its `ratings.json` |
//! | run | `cargo run --example judge -- --run reports/a1 --endpoint http://127.0.0.1:5000/v1 --model NAME` |

use clap::Parser;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tezgah::error::{Error, Result};
use tezgah::ratings::criteria::Questionnaire;
use tezgah::ratings::items::{self, Key, Plan};
use tezgah::ratings::judge::{self, Secret, Settings};
use tezgah::ratings::rated::Rated;
use tezgah::ratings::{self, panel, sheets};
use tezgah::record::folder::RunFolder;
use tezgah::record::texts::System;
use tezgah::run;

/// What the user typed.
#[derive(Debug, Parser)]
#[command(
    name = "judge",
    about = "Asks a language model behind an OpenAI-compatible address to rate the texts of a finished run",
    after_help = "Exit code: 0 done; 1 the server failed or nothing that it answered can be used, and the same call goes on \
                  from what is kept; 2 a flag, file, address or key was at fault and nothing was begun"
)]
struct Arguments {
    /// The folder of the run
    #[arg(long, value_name = "DIR", default_value = "reports/a1")]
    run: PathBuf,
    /// The server's address, e.g. http://127.0.0.1:5000/v1
    #[arg(long, value_name = "URL")]
    endpoint: String,
    /// The judge, as the server names it
    #[arg(long, value_name = "NAME")]
    model: String,
    /// Times each item is asked in each order of its texts
    #[arg(long, value_name = "N", default_value_t = 3)]
    repeats: usize,
    /// The key of the sheets, whose items are asked [default: ratings/anahtar.json of the run, where it is]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Items that are drawn where there is no key [default: 40]
    #[arg(long, value_name = "N", conflicts_with = "key")]
    items: Option<usize>,
    /// What stands beside the fine-tuned text where there is no key [default: prompted, where it wrote]
    #[arg(long, value_name = "SYSTEM", value_parser = ["baseline", "prompted"], conflicts_with = "key")]
    against: Option<String>,
    /// Seed of the items that are drawn, and of the first repeat; each further one has the next
    #[arg(long, value_name = "N", default_value_t = 3407)]
    seed: u64,
    /// Sampling temperature of the judge
    #[arg(long, value_name = "T", default_value_t = 0.0)]
    temperature: f64,
    /// Longest answer, in tokens; a judge that thinks aloud needs more
    #[arg(long, value_name = "N", default_value_t = 1024)]
    max_tokens: usize,
    /// How long an answer is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    timeout: u64,
    /// The word lists of the run: the measures that the judge is held against are by them
    #[arg(long, value_name = "FILE")]
    word_list: Vec<PathBuf>,
    /// The first wait before a request is made again
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 2000, hide = true)]
    wait: u64,
}

fn main() -> ExitCode {
    run::answer(rate(&Arguments::parse()).map_err(Into::into))
}

fn rate(arguments: &Arguments) -> Result<()> {
    // ## The items, which are the raters' where there are raters
    let rated = Rated::open(RunFolder::new(&arguments.run))?;
    let key = key(arguments, &rated)?;

    // ## The judge's answers
    let settings = Settings {
        endpoint: arguments.endpoint.clone(),
        model: arguments.model.clone(),
        secret: Secret::from_environment()?,
        repeats: arguments.repeats,
        temperature: arguments.temperature,
        seed: arguments.seed,
        max_tokens: arguments.max_tokens,
        timeout: Duration::from_secs(arguments.timeout),
        wait: Duration::from_millis(arguments.wait),
    };
    let judged = judge::session(&rated, &key, &settings, &say)?;
    let (requests, malformed) = (judged.judge.requests, judged.judge.malformed);
    say(&format!("{} answers, {malformed} that count as none, by {requests} requests", judged.answers.len()));

    // ## What follows from them
    let panel = panel::of_judge(&rated, &key, judged.judge, judged.raters, judged.answers);
    ratings::keep(&rated, panel, &arguments.word_list)?;
    let folder = arguments.run.display();
    say(&format!("kept in {folder}/ratings.json; the documents have it after"));
    say(&format!(
        "  cargo run --example {} -- --out {folder} --render-only",
        rated.record.level.label().to_lowercase()
    ));
    Ok(())
}

/// The key of the sheets, else one of items that only the judge sees.
fn key(arguments: &Arguments, rated: &Rated) -> Result<Key> {
    let of_sheets = RunFolder::new(&arguments.run).sheets().join(sheets::KEY);
    if let Some(path) = &arguments.key {
        return Key::read(path);
    }
    if of_sheets.exists() {
        let asked = [("items", arguments.items.is_some()), ("against", arguments.against.is_some())];
        if let Some((flag, _)) = asked.into_iter().find(|(_, is_given)| *is_given) {
            let message = format!(
                "expected none, since the judge is asked the items of {}: leave it out",
                of_sheets.display()
            );
            return Err(Error::Setting { key: flag.into(), message });
        }
        return Key::read(&of_sheets);
    }
    let named = |name: &String| System::WRITING.into_iter().find(|system| system.name() == name);
    let against = arguments.against.as_ref().and_then(named);
    let plan = Plan {
        raters: 1,
        items: arguments.items.unwrap_or(40),
        seed: arguments.seed,
        against: against.unwrap_or_else(|| items::fairest(rated.texts())),
    };
    items::draw(rated.texts(), Questionnaire::standard(rated.record.level)?, plan)
}

/// One line on the standard error stream; that nobody reads it ends nothing.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
