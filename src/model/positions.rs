//! What fits the positions that a model was made for.

use crate::data::Prepared;
use crate::error::{Error, Result};
use crate::model::files::config::LlamaConfig;

/// Refuses texts that would go on by `max_new_tokens` tokens beyond the model's positions, before anything is computed; the
/// `longest` prompt has so many tokens, 0 where there is none. Gives how many rows are longer than the positions: a model was
/// never trained there.
///
/// # Errors
/// `Error::Setting` with the longest text that fits.
pub(crate) fn check(
    config: &LlamaConfig,
    max_new_tokens: usize,
    longest: usize,
    rows: &Prepared,
) -> Result<usize> {
    let positions = config.max_position_embeddings;
    // Without a prompt no text is generated, whatever its limit.
    if longest > 0 && max_new_tokens > positions.saturating_sub(longest) {
        return Err(Error::Setting {
            key: "samples.max_new_tokens".into(),
            message: format!(
                "expected at most {} (the model has {positions} positions, the longest prompt takes {longest}), \
                 got {max_new_tokens}; --samples 0 generates none",
                positions.saturating_sub(longest),
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
