//! What fits the positions that a model was made for.

use crate::data::Prepared;
use crate::data::encode::RowEncoder;
use crate::error::{Error, Result};
use crate::model::files::config::LlamaConfig;
use crate::recipe::SamplesRecipe;

/// Refuses sample texts that would go on beyond the model's positions, before anything is computed. Gives how many rows
/// are longer than these: a model was never trained there.
///
/// # Errors
/// `Error::Setting` with the longest text that fits; as [`RowEncoder::encode_prompt`].
pub(crate) fn check(
    config: &LlamaConfig,
    samples: &SamplesRecipe,
    rows: &Prepared,
    encoder: &RowEncoder,
) -> Result<usize> {
    let positions = config.max_position_embeddings;
    let mut longest = 0;
    for (_, row) in rows.sampled(samples.count) {
        longest = longest.max(encoder.encode_prompt(row)?.len());
    }
    // Without a prompt no text is generated, whatever its limit.
    if longest > 0 && samples.max_new_tokens > positions.saturating_sub(longest) {
        return Err(Error::Setting {
            key: "samples.max_new_tokens".into(),
            message: format!(
                "expected at most {} (the model has {positions} positions, the longest prompt takes {longest}), got {}; \
                 --samples 0 generates none",
                positions.saturating_sub(longest),
                samples.max_new_tokens
            ),
        });
    }
    Ok(rows
        .train
        .iter()
        .chain(&rows.validation)
        .chain(&rows.evaluation)
        .filter(|row| row.ids.len() > positions)
        .count())
}
