//! The page of a run: each cell once under the code that called it, while the run goes on and when it has ended; and what
//! TensorBoard is given.

use crate::program::{program, read, record, said, text, tiny_arguments, with_out};
use clap::Parser;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tezgah::cli::Flags;
use tezgah::level::Level;
use tezgah::recipe::Cell;
use tezgah::run::{self, Listing, Notebook, Procedure, Question};
use tezgah::series;
use tezgah::train::training;

/// What stands between each `before` and the next `after`.
fn all_between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
}

fn cells(page: &str) -> Vec<&str> {
    all_between(page, "data-hucre=\"", "\"")
}

#[test]
fn a_run_leaves_its_page_with_each_cell_once_and_a_second_call_says_what_it_used_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = text(folder.path().to_path_buf());
    said("a1", &["--smoke", "--quiet", "--out", &out]);
    let page = read(&folder.path().join("defter.html"));
    assert_eq!(cells(&page), Cell::ALL.map(Cell::name));
    // The level's own source comes first, then the thesis's, as they are.
    let files = all_between(&page, "<p class=\"kaynak\"><code>", "</code>");
    assert_eq!(files, ["experiments/a1.rs", "experiments/thesis.rs"]);
    // Each under the heading of its prose.
    let mut at = 0;
    for words in [
        ">The rows</h2>",
        "data-hucre=\"rows\"",
        ">Before</h2>",
        "data-hucre=\"base_model\"",
        "data-hucre=\"baseline\"",
        ">Training</h2>",
        "data-hucre=\"training\"",
        ">After</h2>",
        "data-hucre=\"fine_tuned\"",
        "data-hucre=\"texts\"",
        ">What is kept, and what is said about it</h2>",
        "data-hucre=\"export\"",
    ] {
        at += page[at..].find(words).unwrap_or_else(|| panic!("{words} is missing, or not in its place"));
    }
    // Though the run was quiet, its page has what was said.
    assert!(page.contains("  step 2/2  loss "), "the lines of the training");
    assert_eq!(page.matches("<p class=\"zaman\">hesaplandı: ").count(), Cell::ALL.len());
    assert!(read(&folder.path().join("canli.html")).contains("url=defter.html"));

    said("a1", &["--smoke", "--quiet", "--out", &out]);
    let again = read(&folder.path().join("defter.html"));
    let kept = page.replace("<p class=\"zaman\">hesaplandı: ", "<p class=\"zaman\">önceki bir çağrıdan: ");
    assert_eq!(again, kept, "all else is as it came out");
}

/// # An experiment of a user's own
///
/// In a file of its own, with a helper between the program and a cell.
fn own(notebook: Notebook) -> anyhow::Result<()> {
    // ## My rows
    let study = notebook.prepare()?;

    // ## My training
    let mut evaluated = tuned(study)?.evaluate()?;
    evaluated.sample()?;
    Ok(evaluated.finish()?)
}

// ## My helper
fn tuned(study: run::Study) -> anyhow::Result<run::Tuned> {
    Ok(study.load()?.evaluate_baseline()?.train(training::LOOP)?)
}

/// One that gives up between two cells.
fn given_up(notebook: Notebook) -> anyhow::Result<()> {
    notebook.prepare()?.load()?.evaluate_baseline()?;
    Ok(())
}

/// Runs `cells` in this process; what it left.
fn page_of(cells: fn(Notebook) -> anyhow::Result<()>, out: &Path) -> String {
    let source = Listing { file: file!(), text: include_str!("weaving.rs") };
    let question = Question {
        level: Level::A1,
        rows: include_bytes!("../../data/a1.json"),
        source,
        recipe: tezgah::thesis::recipe(),
    };
    let flags = ["own", "--smoke", "--quiet", "--out", out.to_str().expect("UTF-8 path")];
    series::run(&question, Procedure { source, cells }, &Flags::parse_from(flags)).expect("a run");
    read(&out.join("defter.html"))
}

#[test]
fn an_experiment_of_a_users_own_is_woven_where_it_calls_its_cells() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = page_of(own, folder.path());
    assert_eq!(
        all_between(&page, "<p class=\"kaynak\"><code>", "</code>"),
        ["tests/programs/weaving.rs"],
        "question and procedure are in one file, which is shown once"
    );
    // In the order of the source, where the helper stands below what calls it.
    let expected =
        ["rows", "fine_tuned", "texts", "measures", "export", "base_model", "baseline", "training"];
    assert_eq!(cells(&page), expected);
    let place = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words}"));
    assert!(place(">My rows</h2>") < place("data-hucre=\"rows\""));
    assert!(place("data-hucre=\"export\"") < place(">My helper</h2>"));
    assert!(place(">My helper</h2>") < place("data-hucre=\"training\""));
}

#[test]
fn a_run_that_gave_up_leaves_a_page_that_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = page_of(given_up, folder.path());
    assert_eq!(cells(&page), ["rows", "base_model", "baseline"]);
    assert_eq!(record(folder.path())["status"], "failed");
    assert!(
        page.contains("<strong>Uyarı</strong>") && page.contains("the experiment ended before its last cell")
    );
    assert!(read(&folder.path().join("canli.html")).contains("url=defter.html"));
}

#[cfg(unix)]
#[test]
fn the_page_of_a_run_that_goes_on_shows_it_and_leads_to_the_end_when_it_is_interrupted() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = text(folder.path().join("run"));
    let live = folder.path().join("run/canli.html");
    let mut child = program("a1")
        .args([
            "--quiet",
            "--out",
            &out,
            "--set",
            "train.batch_size=1",
            "--set",
            "train.accumulation_steps=1",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the examples are built by `cargo test`");
    // Until the curve is on it.
    let page = loop {
        assert!(child.try_wait().expect("the child").is_none(), "ended before its page showed the training");
        match std::fs::read_to_string(&live) {
            Ok(page) if page.contains("<svg ") => break page,
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let has_ended = folder.path().join("run/defter.html").exists();
    // Nothing is asserted while it runs: a test that fails leaves no process.
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert_eq!(child.wait().expect("ended").code(), Some(130));
    assert!(page.ends_with("</html>\n"), "whole or not at all");
    assert!(page.contains("<meta http-equiv=\"refresh\" content=\"5\">") && page.contains("Koşu sürüyor."));
    assert_eq!(cells(&page), ["rows", "base_model", "baseline", "training"]);
    assert!(!has_ended, "the page of the end before the end");
    assert!(read(&live).contains("url=defter.html"));
    let end = read(&folder.path().join("run/defter.html"));
    assert!(end.contains("<p class=\"zaman\">bitmedi</p>") && !end.contains("http-equiv=\"refresh\""));
}

/// What the reader of `.ci/tensorboard-check` is not needed for: a training that went on in a second call has the steps of one
/// that did not, each once.
#[test]
fn a_resumed_training_gives_tensorboard_each_step_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let [whole, resumed] = ["whole", "resumed"].map(|name| text(folder.path().join(name)));
    let arguments = tiny_arguments();
    let events = |out: &str| {
        let path = Path::new(out).join("tensorboard/events.out.tfevents.0.tezgah");
        let bytes = std::fs::read(path).expect("events");
        // Without the times, which are eight bytes behind the first of each event, and the checksums over them.
        let (mut events, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let length = u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes")) as usize;
            events.push(bytes[at + 12 + 9..at + 12 + length].to_vec());
            at += 12 + length + 4;
        }
        events
    };
    said("a1", &with_out(&arguments, &whole, &[]));
    said("a1", &with_out(&arguments, &resumed, &[]));
    let (cells, checkpoints) = ("cells/training", "checkpoints/checkpoint-8");
    for gone in [cells, checkpoints] {
        std::fs::remove_dir_all(Path::new(&resumed).join(gone)).expect(gone);
    }
    said("a1", &with_out(&arguments, &resumed, &[]));
    let expected = events(&whole);
    let steps = record(Path::new(&whole))["training"]["steps"].as_array().expect("steps").len();
    let evals = record(Path::new(&whole))["training"]["evals"].as_array().expect("evals").len();
    assert_eq!(expected.len(), 1 + steps + evals);
    assert_eq!(events(&resumed), expected);
}
