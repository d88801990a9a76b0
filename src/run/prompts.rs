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
///
/// # Errors
/// As [`BaseModel::chat`] and [`RowEncoder::encode_prompt`].
pub(super) fn asked(
    rows: &[(usize, &Row)],
    base: &BaseModel,
    encoder: &RowEncoder,
    recipe: &SamplesRecipe,
    level: Level,
) -> Result<(Vec<Asked>, Vec<Absent>)> {
    let (mut all, mut absent) = (Vec::new(), Vec::new());
    for system in System::WRITING {
        if system == System::Prompted && base.chat("")?.is_none() {
            absent.push(Absent { system, reason: "the model has no chat template".into() });
            continue;
        }
        let mut prompts = Vec::new();
        for (index, row) in rows {
            let ids = match system {
                System::Prompted => {
                    encoder.encode_text(&base.chat(&request(level, row))?.unwrap_or_default())?
                }
                _ => encoder.encode_prompt(row)?,
            };
            for draw in 0..recipe.per_prompt {
                let stream = format!("text {} {index} {draw}", system.name());
                let seed = random::stream(recipe.seed, &stream).next_u64();
                prompts.push((*index, draw, Prompt { ids: ids.clone(), eos: encoder.eos(), seed }));
            }
        }
        all.push(Asked { system, prompts });
    }
    Ok((all, absent))
}

/// Tokens of the longest prompt of all systems; 0 where there is none.
///
/// # Errors
/// As [`asked`].
pub(super) fn longest(
    rows: &Prepared,
    base: &BaseModel,
    encoder: &RowEncoder,
    recipe: &SamplesRecipe,
    level: Level,
) -> Result<usize> {
    let rows: Vec<(usize, &Row)> = rows.sampled(recipe.count).collect();
    let (asked, _) = asked(&rows, base, encoder, recipe, level)?;
    let lengths = asked.iter().flat_map(|asked| &asked.prompts).map(|(.., prompt)| prompt.ids.len());
    Ok(lengths.max().unwrap_or(0))
}

fn request(level: Level, row: &Row) -> String {
    let parts = [&*told(level), &*row.instruction, &*row.input];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}
