//! One text at a time: the model of a finished run is asked something new, as a teacher would try it.

use super::base::OpenedBase;
use super::interrupt;
use super::notebook;
use super::progress;
use crate::cli::Flags;
use crate::data::alpaca::{self, Row};
use crate::data::encode::RowEncoder;
use crate::device;
use crate::error::{Error, Result};
use crate::model::files::source::BaseModel;
use crate::model::generate::{self, Prompt};
use crate::model::network::adapter;
use crate::model::network::linear::LoraUse;
use crate::model::network::llama::Llama;
use crate::model::network::loading;
use crate::paint::{Colour, Paint};
use crate::recipe::Recipe;
use crate::record::folder::{Part, RunFolder};
use crate::record::{RunRecord, environment};
use crate::texts::copying::Answers;
use crate::texts::word_list::{BY_FREQUENCY, WordList};
use crate::texts::{self, Measures, profile, words};
use std::path::Path;
use std::rc::Rc;

/// A run's model, ready to write.
pub struct Writer {
    record: RunRecord,
    model: Llama,
    encoder: RowEncoder,
    lora: LoraUse,
    list: WordList,
    /// The answers that it was trained on, where the run's folder still has them.
    answers: Option<Answers>,
}

/// What a writer wrote, and what it measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Writing {
    /// The text, without white space at its ends.
    pub text: String,
    /// Its tokens, without the one that ended it.
    pub tokens: usize,
    /// Ended by the model rather than cut at the limit.
    pub stopped: bool,
    /// Its measures.
    pub measures: Measures,
    /// Its words above the run's level, as they are written and in its order.
    pub above: Vec<String>,
}

impl Writer {
    /// The model of the run in `folder`, over its own base model or the one that has `moved` elsewhere, as `flags` change it:
    /// `--device`, `--word-list` and `--set samples.…`. Without its adapter where `is_base`.
    ///
    /// # Errors
    /// A folder without record or adapter; a base model that is not the run's; as [`crate::model::files::source::open`] and
    /// [`adapter::load`].
    pub fn open(folder: &Path, moved: Option<&str>, flags: &Flags, is_base: bool) -> Result<Self> {
        interrupt::listen();
        let folder = RunFolder::new(folder);
        let mut record = folder.read()?;
        set(&mut record.recipe, &flags.settings)?;
        let base = base_of(&record, &folder, moved, flags)?;
        let device::Opened { device, fallback } = device::open(&flags.device)?;
        let say = |line: &str| {
            if !flags.quiet {
                progress::tell(line)
            }
        };
        fallback.iter().for_each(|line| say(line));
        let recipe = &record.recipe;
        let dtype = notebook::dtype(recipe.model.dtype, &device);
        let mut model =
            loading::load(&base, recipe.model.quantization, dtype, &device, folder.quantized(), &say)?;
        if !is_base {
            if !folder.adapter().is_dir() {
                let message = format!(
                    "expected a run with its adapter, got none in {}: the experiment makes it, or give --base",
                    folder.adapter().display()
                );
                return Err(Error::Setting { key: "run".into(), message });
            }
            adapter::attach(&mut model, &recipe.lora, recipe.train.seed)?;
            adapter::load(&mut model, &folder.adapter())?;
        }
        model.hold_dense(device::half_of_free(&device))?;
        let encoder = RowEncoder::new(base.tokenizer.clone(), base.eos_token_id, recipe.data.max_seq_len)?;
        let answers = answers_of(&record, &folder)?;
        let lora = if is_base { LoraUse::Ignored } else { LoraUse::Applied };
        Ok(Writer { model, encoder, lora, list: flags.word_list()?, answers, record })
    }

    /// Answers one task, in the form that the model was trained in.
    ///
    /// # Errors
    /// As [`generate::batch`]; `Error::Interrupted`.
    pub fn write(&self, instruction: &str, input: &str) -> Result<Writing> {
        let row = Row { instruction: instruction.into(), input: input.into(), output: String::new() };
        let ids = self.encoder.encode_prompt(&row)?;
        let samples = &self.record.recipe.samples;
        let prompt = Prompt { ids, eos: self.encoder.eos(), seed: samples.seed };
        let observe = |_| interrupt::check();
        let mut written = generate::batch(&self.model, &[prompt], samples, self.lora, observe)?;
        let written = written.pop().ok_or_else(|| Error::Report("no text of one prompt".into()))?;
        let text = self.encoder.decode_text(&written.ids)?;
        let nothing = Answers::new([]);
        let measures = texts::measure(&text, &self.list, self.answers.as_ref().unwrap_or(&nothing));
        let above = profile::above(&words::words(&text), &self.list, self.record.level);
        let above = above.into_iter().map(str::to_string).collect();
        Ok(Writing { tokens: written.ids.len(), stopped: written.stopped, measures, above, text })
    }

    /// The text with the words above the level in colour, and under it what it measures, a line each.
    pub fn shown(&self, writing: &Writing, paint: Paint) -> String {
        let level = self.record.level;
        let of = &writing.measures;
        let number = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.1}"));
        let mut lines = vec![coloured(&writing.text, &writing.above, paint), String::new()];
        let end = if writing.stopped { "ended by the model" } else { "cut at samples.max_new_tokens" };
        lines.push(format!("{} words in {} tokens, {end}", of.words, writing.tokens));
        let share = of.levels.above(level).map(|share| 100.0 * share);
        let by = match self.list.sources().iter().any(|list| list.name == BY_FREQUENCY) {
            true => ", by frequency, which tells no level; --word-list FILE does",
            false => "",
        };
        let named = if writing.above.is_empty() { "no word".to_string() } else { writing.above.join(", ") };
        lines.push(format!("above {level}: {} % of the words ({named}){by}", number(share)));
        lines.push(format!(
            "{} words a sentence, Flesch-Kincaid grade {}, MTLD {}, repeated 4-grams {:.1} %",
            number(of.sentence_length),
            number(of.flesch_kincaid),
            number(of.mtld),
            100.0 * of.repeated_4grams
        ));
        lines.push(match &self.answers {
            Some(_) => format!(
                "{:.1} % of the words copied from training answers, the longest span {} words",
                100.0 * of.copied.share(),
                of.copied.longest
            ),
            None => "the training rows are not in the run's folder: copies were not looked for".into(),
        });
        lines.join("\n") + "\n"
    }
}

/// Changes how texts are written, which is all that a finished model leaves open.
fn set(recipe: &mut Recipe, settings: &[String]) -> Result<()> {
    for setting in settings {
        if !setting.trim_start().starts_with("samples.") {
            let message = "expected samples.KEY=VALUE: the model is trained".into();
            return Err(Error::Setting { key: setting.clone(), message });
        }
        recipe.assign(setting)?;
    }
    recipe.check()
}

/// The base model of the run: where it has `moved` to, else where its record says.
fn base_of(
    record: &RunRecord,
    folder: &RunFolder,
    moved: Option<&str>,
    flags: &Flags,
) -> Result<Rc<BaseModel>> {
    let model = moved.map_or_else(|| environment::to_home(&record.model.source), str::to_string);
    let base = OpenedBase::new(&Flags { model, ..flags.clone() }).open()?;
    if base.sha256 == record.model.sha256 {
        return Ok(base);
    }
    let (path, expected) = (folder.record(), &record.model.sha256);
    let message =
        format!("expected the base model of {}, SHA-256 {expected}, got {}", path.display(), base.sha256);
    Err(Error::model(base.source.clone(), message))
}

/// The answers that the run was trained on, where its folder has them: they are not committed.
fn answers_of(record: &RunRecord, folder: &RunFolder) -> Result<Option<Answers>> {
    let path = folder.split(record.level, Part::Train);
    if !path.is_file() {
        return Ok(None);
    }
    let rows = alpaca::read(&path)?.rows;
    Ok(Some(Answers::new(rows.iter().map(|row| row.output.as_str()))))
}

/// `text` with its words that `above` names, in this order, in colour.
fn coloured(text: &str, above: &[String], paint: Paint) -> String {
    let (mut done, mut rest) = (String::new(), text);
    let mut wanted = above.iter().peekable();
    for word in words::words(text) {
        let Some(next) = wanted.next_if(|next| ***next == *word.written) else { continue };
        let Some(at) = rest.find(next.as_str()) else { break };
        done.push_str(&rest[..at]);
        done.push_str(&paint.on(Colour::Red, next));
        rest = &rest[at + next.len()..];
    }
    done + rest
}
