//! The commands of a document: the run's own, and those of the levels that are still to be done.

use crate::level::Level;
use crate::record::RunRecord;

/// Options of the command line that hold at another level as well.
const KEPT: [&str; 5] = ["--model", "--init-adapter", "--set", "--device", "--seeds"];

/// The command of the run as it can be given again: the program is named as cargo starts it, whatever the file was
/// called that ran.
pub(super) fn own(record: &RunRecord) -> String {
    let (program, options) = match record.environment.command.split_first() {
        Some((program, options)) => (program.as_str(), options),
        None => ("", [].as_slice()),
    };
    let example = if program.contains("levels") { "levels" } else { record.level.slug() };
    typed(example, options)
}

/// The commands of `level` that look at its rows, train it, and compare all levels.
pub(super) fn of_level(record: &RunRecord, level: Level) -> String {
    let kept = kept(&record.environment.command);
    let with = |more: &[&str]| -> Vec<String> {
        kept.iter().cloned().chain(more.iter().map(|option| option.to_string())).collect()
    };
    let file = format!("training_data_{}.json", level.slug());
    let (rows, folder): (&[&str], &[&str]) = match record.dataset.synthetic {
        true => (&[], &[]),
        false => (&["--data", &file], &["--data", "."]),
    };
    [
        typed(level.slug(), &with(&[rows, &["--dry-run"]].concat())),
        typed(level.slug(), &with(rows)),
        typed("levels", &with(folder)),
    ]
    .join("\n")
}

/// The options of `command` that are in [`KEPT`], each with its value.
fn kept(command: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut words = command.iter().skip(1);
    while let Some(word) = words.next() {
        let name = word.split('=').next().unwrap_or_default();
        if !KEPT.contains(&name) {
            continue;
        }
        kept.push(word.clone());
        // `--set=a=b` holds its value, `--set a=b` is followed by it.
        if name.len() == word.len() {
            kept.extend(words.next().cloned());
        }
    }
    kept
}

/// `cargo run --example a1 -- --set lora.rank=64`.
fn typed(example: &str, options: &[String]) -> String {
    let start = format!("cargo run --example {example}");
    let options: Vec<String> = options.iter().map(|option| quoted(option)).collect();
    if options.is_empty() { start } else { format!("{start} -- {}", options.join(" ")) }
}

/// A word as a shell takes it: quoted where it holds more than letters, digits and the signs of paths.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "-_./:=@,+".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_word_to_a_shell() {
        for (word, expected) in [
            ("lora.rank=64", "lora.rank=64"),
            ("benim modelim", "'benim modelim'"),
            ("O'Neil", "'O'\\''Neil'"),
            ("$HOME;ls", "'$HOME;ls'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn what_holds_at_one_level_alone_is_left_out() {
        let command = [
            "a1-run3",
            "--model",
            "m",
            "--data=a1.json",
            "--set",
            "lora.rank=64",
            "--set=train.seed=1",
            "--out",
            "o",
        ];
        let kept = kept(&command.map(String::from));
        assert_eq!(kept, ["--model", "m", "--set", "lora.rank=64", "--set=train.seed=1"]);
    }
}
