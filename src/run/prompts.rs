//! What each system is asked: the prompts of the held-out rows.

use crate::data::Prepared;
use crate::data::alpaca::Row;
use crate::data::encode::RowEncoder;
use crate::error::Result;
use crate::level::Level;
use crate::model::files::source::BaseModel;
use crate::model::generate::Prompt;
use crate::random;
use crate::recipe::SamplesRecipe;
use crate::record::texts::{Absent, System};
use rand_chacha::rand_core::Rng;

/// The prompts of one system.
pub(super) struct Asked {
    pub(super) system: System,
    /// Each with its row, and which of several texts it is for.
    pub(super) prompts: Vec<(usize, usize, Prompt)>,
}

/// What the prompted system is told before each task.
pub(super) fn told(level: Level) -> String {
    format!(
        "Answer in English for a learner at CEFR level {level}. Use only words and grammar of that level."
    )
}

/// The prompts of all systems that there are, and why one is not.
pub(super) struct Prompts {
    pub(super) asked: Vec<Asked>,
    pub(super) absent: Vec<Absent>,
}

impl Prompts {
    /// Those of the first held-out rows, as many as `recipe` asks for.
    ///
    /// # Errors
    /// As [`BaseModel::chat_template`] and [`RowEncoder::encode_prompt`].
    pub(super) fn of(
        rows: &Prepared,
        base: &BaseModel,
        encoder: &RowEncoder,
        recipe: &SamplesRecipe,
        level: Level,
    ) -> Result<Self> {
        let template = base.chat_template()?;
        let (mut asked, mut absent) = (Vec::new(), Vec::new());
        for system in System::WRITING {
            let template = match (system, &template) {
                (System::Prompted, None) => {
                    absent.push(Absent { system, reason: "the model has no chat template".into() });
                    continue;
                }
                (System::Prompted, Some(template)) => Some(template),
                _ => None,
            };
            let mut prompts = Vec::new();
            for (index, row) in rows.sampled(recipe.count) {
                let ids = match template {
                    Some(template) => encoder.encode_text(&template.render(&request(level, row))?)?,
                    None => encoder.encode_prompt(row)?,
                };
                for draw in 0..recipe.per_prompt {
                    let stream = format!("text {} {index} {draw}", system.name());
                    let seed = random::stream(recipe.seed, &stream).next_u64();
                    prompts.push((index, draw, Prompt { ids: ids.clone(), eos: encoder.eos(), seed }));
                }
            }
            asked.push(Asked { system, prompts });
        }
        Ok(Prompts { asked, absent })
    }

    /// Tokens of the longest; 0 where there is none.
    pub(super) fn longest(&self) -> usize {
        let prompts = self.asked.iter().flat_map(|asked| &asked.prompts);
        prompts.map(|(.., prompt)| prompt.ids.len()).max().unwrap_or(0)
    }
}

fn request(level: Level, row: &Row) -> String {
    let parts = [&*told(level), &*row.instruction, &*row.input];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}
