//! Settings by their dotted paths: changed from the command line, checked, and how far each of them reaches.

use super::{Cell, DataRecipe, Recipe};
use crate::error::{Error, Result};
use crate::paths::leaves;
use serde_json::Value;

/// How far a setting reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The losses of the trained model.
    Losses,
    /// The last digits of the losses, and figures that depend on how rows are put into batches.
    Rounding,
    /// The generated texts alone.
    Texts,
    /// The files that are kept.
    Files,
}

/// How far the setting at `path` reaches: from the cells that read it.
pub(crate) fn reach(path: &str) -> Reach {
    match path {
        "train.eval_batch_size" | "train.gradient_checkpointing" => Reach::Rounding,
        _ if Cell::Training.reads(path) => Reach::Losses,
        _ if Cell::Texts.reads(path) => Reach::Texts,
        _ => Reach::Files,
    }
}

impl Recipe {
    /// Changes a field as `--set` has it: `lora.rank=64`.
    ///
    /// # Errors
    /// As [`Recipe::set`], and where there is no `=`.
    pub(crate) fn assign(&mut self, setting: &str) -> Result<()> {
        let (key, value) = setting.split_once('=').ok_or_else(|| Error::Setting {
            key: setting.to_string(),
            message: "expected KEY=VALUE, got no '='".into(),
        })?;
        self.set(key.trim(), value.trim())
    }

    /// Changes the field at `path` (dotted, `lora.rank`) to `value` as typed on a command line.
    ///
    /// # Errors
    /// `Error::Setting`: an unknown path (the message lists the known ones), a value of another type,
    /// or one that leaves the recipe invalid.
    pub fn set(&mut self, path: &str, value: &str) -> Result<()> {
        let mut tree = self.tree();
        let field = path.split('.').try_fold(&mut tree, |node, name| node.get_mut(name));
        let field = field.filter(|field| !field.is_object()).ok_or_else(|| Error::Setting {
            key: path.to_string(),
            message: format!("unknown; the known settings are {}", self.paths().join(", ")),
        })?;
        let wrong = |expected: String| Error::Setting {
            key: path.to_string(),
            message: format!("expected {expected}, got '{value}'"),
        };
        *field = match field {
            Value::Array(_) => value.split(',').map(|part| Value::String(part.trim().to_string())).collect(),
            Value::String(_) => serde_json::from_str::<bool>(value)
                .map_or_else(|_| Value::String(value.to_string()), Value::Bool),
            Value::Bool(_) if value == "auto" => Value::String(value.to_string()),
            Value::Bool(_) => Value::Bool(value.parse().map_err(|_| wrong("true or false".into()))?),
            Value::Number(number) if number.is_f64() => {
                let parsed: f64 = value.parse().map_err(|_| wrong("a number".into()))?;
                serde_json::Number::from_f64(parsed).ok_or_else(|| wrong("a finite number".into()))?.into()
            }
            _ => Value::from(value.parse::<u64>().map_err(|_| wrong("a whole number from 0 on".into()))?),
        };
        let changed: Recipe = serde_json::from_value(tree).map_err(|error| {
            // serde's "unknown variant `x`, expected one of ...": what was got is said by `wrong`.
            let text = error.to_string();
            let expected = text.split_once("expected ").map_or(text.as_str(), |(_, expected)| expected);
            wrong(expected.split(", got").next().unwrap_or(expected).to_string())
        })?;
        changed.check()?;
        *self = changed;
        Ok(())
    }

    /// The dotted paths of all settings, in the order of the record.
    pub fn paths(&self) -> Vec<String> {
        self.settings().into_iter().map(|(path, _)| path).collect()
    }

    /// Each setting's dotted path and its value as JSON has it, in the order of the record.
    pub fn settings(&self) -> Vec<(String, String)> {
        leaves(&self.tree()).into_iter().map(|(path, value)| (path, value.to_string())).collect()
    }

    /// Refuses values that no run can have, and sizes that none would live to see the end of.
    ///
    /// # Errors
    /// `Error::Setting` with the path, the range and the value.
    pub fn check(&self) -> Result<()> {
        self.check_sizes()?;
        self.check_numbers()?;
        self.data.check_shares()?;
        self.check_modules()
    }

    fn check_sizes(&self) -> Result<()> {
        let Recipe { train, samples, .. } = self;
        let sizes = [
            (
                "lora.rank",
                self.lora.rank,
                1,
                WIDEST_RANK,
                "the width of the largest Llama, more adds nothing",
            ),
            ("train.batch_size", train.batch_size, 1, MOST_ROWS, "rows of a step"),
            ("train.eval_batch_size", train.eval_batch_size, 1, MOST_ROWS, "rows of a step"),
            ("train.accumulation_steps", train.accumulation_steps, 1, MOST_ROWS, "rows of a step"),
            ("samples.batch_size", samples.batch_size, 1, MOST_ROWS, "rows of a step"),
            ("samples.per_prompt", samples.per_prompt, 1, MOST_TEXTS, "texts of one prompt"),
            ("train.max_steps", train.max_steps, 0, MOST_STEPS, "each is an entry of the record"),
        ];
        for (key, got, least, most, reason) in sizes {
            if !(least..=most).contains(&got) {
                return refused(key, format!("expected {least} to {most} ({reason}), got {got}"));
            }
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<()> {
        let Recipe { train, samples, .. } = self;
        let is_long_enough = train.epochs > 0.0 || train.max_steps > 0;
        let numbers = [
            ("lora.alpha", self.lora.alpha > 0.0, "more than 0", self.lora.alpha),
            (
                "lora.dropout",
                (0.0..1.0).contains(&self.lora.dropout),
                "at least 0 and below 1",
                self.lora.dropout,
            ),
            ("train.epochs", is_long_enough, "more than 0", train.epochs),
            (
                "train.epochs",
                train.epochs <= MOST_EPOCHS,
                "at most 1000 (passes over the same rows)",
                train.epochs,
            ),
            ("train.learning_rate", train.learning_rate > 0.0, "more than 0", train.learning_rate),
            ("train.weight_decay", train.weight_decay >= 0.0, "at least 0", train.weight_decay),
            ("train.max_grad_norm", train.max_grad_norm > 0.0, "more than 0", train.max_grad_norm),
            ("train.eval_steps", train.eval_steps >= 1, "at least 1", train.eval_steps as f64),
            ("train.save_steps", train.save_steps >= 1, "at least 1", train.save_steps as f64),
            (
                "train.save_total_limit",
                train.save_total_limit >= 1,
                "at least 1",
                train.save_total_limit as f64,
            ),
            ("samples.temperature", samples.temperature >= 0.0, "at least 0", samples.temperature),
            (
                "samples.top_p",
                samples.top_p > 0.0 && samples.top_p <= 1.0,
                "more than 0 and at most 1",
                samples.top_p,
            ),
            (
                "samples.repetition_penalty",
                samples.repetition_penalty > 0.0,
                "more than 0",
                samples.repetition_penalty,
            ),
            ("data.max_seq_len", self.data.max_seq_len >= 2, "at least 2", self.data.max_seq_len as f64),
        ];
        if let Some((key, _, range, got)) = numbers.into_iter().find(|(_, holds, ..)| !holds) {
            return refused(key, format!("expected {range}, got {got}"));
        }
        Ok(())
    }

    fn check_modules(&self) -> Result<()> {
        let modules = &self.lora.target_modules;
        if modules.is_empty() {
            return refused("lora.target_modules", "expected at least one projection, got none".into());
        }
        let twice = modules.iter().enumerate().find(|(index, module)| modules[..*index].contains(module));
        if let Some((_, module)) = twice {
            let message = format!("expected each projection once, got {} twice", module.name());
            return refused("lora.target_modules", message);
        }
        Ok(())
    }

    fn tree(&self) -> Value {
        serde_json::to_value(self).expect("a recipe is plain numbers, names and lists")
    }
}

impl DataRecipe {
    /// Refuses parts of the rows that no split has.
    ///
    /// # Errors
    /// `Error::Setting` with the path, the range and the value.
    pub(crate) fn check_shares(&self) -> Result<()> {
        let DataRecipe { eval_fraction, test_fraction, near_duplicate_share, .. } = *self;
        if !(eval_fraction > 0.0 && eval_fraction < 1.0) {
            return refused("data.eval_fraction", format!("expected between 0 and 1, got {eval_fraction}"));
        }
        if !(test_fraction >= 0.0 && eval_fraction + test_fraction < 1.0) {
            let message = format!(
                "expected at least 0, and less than 1 together with data.eval_fraction {eval_fraction}, got {test_fraction}"
            );
            return refused("data.test_fraction", message);
        }
        if !(0.0..1.0).contains(&near_duplicate_share) {
            let message = format!("expected at least 0 and below 1, got {near_duplicate_share}");
            return refused("data.near_duplicate_share", message);
        }
        Ok(())
    }
}

/// Settings that came after runs had been made without them, and the value that stands for what was done then.
const LATER: [(&str, &str); 6] = [
    ("data.test_fraction", "0.0"),
    ("data.group_by", "\"none\""),
    ("data.near_duplicate_share", "0.5"),
    ("train.early_stopping_patience", "0"),
    ("export.gguf", "\"none\""),
    ("export.adapter_dtype", "\"f32\""),
];

/// Whether the setting at `path` came later and is as things were done before: an older program's result is then that of
/// these settings too.
pub(crate) fn is_as_before(path: &str, value: &Value) -> bool {
    let written = value.to_string();
    LATER.contains(&(path, &written))
}

/// Llama 3.1 405B is so wide: the product of A and B of its projections has no higher rank.
const WIDEST_RANK: usize = 16_384;
/// A thousand times the rows of a usual step; the product of two such counts is far from a u64's end.
const MOST_ROWS: usize = 65_536;
/// All of them are in the record.
const MOST_TEXTS: usize = 100;
/// At a second a step, twelve days.
const MOST_STEPS: usize = 1_000_000;
/// The order of the rows of every epoch is known, and looked at, before a run begins.
const MOST_EPOCHS: f64 = 1_000.0;

fn refused(key: &str, message: String) -> Result<()> {
    Err(Error::Setting { key: key.into(), message })
}
