//! Texts from prompts, token by token: all prompts of a batch at once, each token's keys and values kept.
//!
//! A pass has one token a row, so its cost is that of reading the weights, and a batch shares it. A row that has ended leaves
//! the batch: the last row takes its slot.

use crate::error::Result;
use crate::model::network::linear::LoraUse;
use crate::model::network::llama::Llama;
use crate::model::ops;
use crate::model::ops::argmax::argmax;
use crate::model::ops::attention::kept::{Kept, Places, Room, Seen};
use crate::model::ops::attention::{Rows, attention};
use crate::recipe::SamplesRecipe;
use candle_core::{DType, Device, Tensor};
use candle_transformers::generation::{LogitsProcessor, Sampling};
use candle_transformers::utils::apply_repeat_penalty;

/// What a text goes on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Token ids, at least one.
    pub ids: Vec<u32>,
    /// The token that ends the text.
    pub eos: u32,
    /// What draws its tokens, where they are drawn.
    pub seed: u64,
}

/// A continuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Token ids after the prompt, without the end-of-sequence token.
    pub ids: Vec<u32>,
    /// Ended by the model rather than cut at the limit.
    pub stopped: bool,
}

/// Continues all `prompts` at once by at most `max_new_tokens` tokens each, in the order of the prompts: greedily at
/// temperature 0, else drawn from softmax(logits / temperature), cut to `top_p`. `observe` is told of each pass's new tokens.
///
/// # Errors
/// A token id outside the vocabulary; a device that has no memory left; what `observe` returns.
pub fn batch(
    model: &Llama,
    prompts: &[Prompt],
    how: &SamplesRecipe,
    lora: LoraUse,
    mut observe: impl FnMut(usize) -> Result<()>,
) -> Result<Vec<Generated>> {
    let mut texts = vec![Generated { ids: Vec::new(), stopped: false }; prompts.len()];
    if prompts.is_empty() || how.max_new_tokens == 0 {
        return Ok(texts);
    }
    let mut rows: Vec<Row> =
        prompts.iter().enumerate().map(|(text, prompt)| Row::new(text, prompt, how)).collect();
    let mut memory = Memory::new(model, prompts, how.max_new_tokens)?;
    let mut logits = memory.read(model, prompts, lora)?;
    ops::with_threads_awake(&model.device, || {
        loop {
            let next = next_tokens(&logits, &mut rows, &texts, how)?;
            observe(next.len())?;
            // From the last to the first: what takes the slot of a row that leaves was looked at before.
            for (slot, token) in next.into_iter().enumerate().rev() {
                let text = &mut texts[rows[slot].text];
                text.stopped = token == rows[slot].prompt.eos;
                if !text.stopped {
                    text.ids.push(token);
                }
                if text.stopped || text.ids.len() == how.max_new_tokens {
                    memory.bring(rows.len() - 1, slot)?;
                    rows.swap_remove(slot);
                }
            }
            if rows.is_empty() {
                return Ok(());
            }
            let fresh: Vec<(u32, usize)> = rows.iter().map(|row| row.fresh(&texts)).collect();
            logits = memory.go_on(model, &fresh, lora)?;
        }
    })
    .map(|()| texts)
}

/// A text that is not finished; its slot is its place among the rows.
struct Row<'a> {
    /// Its place among the texts.
    text: usize,
    prompt: &'a Prompt,
    processor: LogitsProcessor,
}

impl<'a> Row<'a> {
    fn new(text: usize, prompt: &'a Prompt, how: &SamplesRecipe) -> Self {
        let sampling = match how {
            SamplesRecipe { temperature: 0.0, .. } => Sampling::ArgMax,
            &SamplesRecipe { temperature, top_p: 1.0, .. } => Sampling::All { temperature },
            &SamplesRecipe { temperature, top_p, .. } => Sampling::TopP { p: top_p, temperature },
        };
        Row { text, prompt, processor: LogitsProcessor::from_sampling(prompt.seed, sampling) }
    }

    /// Its last token, and its position.
    fn fresh(&self, texts: &[Generated]) -> (u32, usize) {
        let ids = &texts[self.text].ids;
        let last = ids.last().or(self.prompt.ids.last());
        (last.copied().unwrap_or(self.prompt.eos), self.prompt.ids.len() + ids.len() - 1)
    }
}

/// The token that each row goes on with, from logits (rows, V).
fn next_tokens(
    logits: &Tensor,
    rows: &mut [Row],
    texts: &[Generated],
    how: &SamplesRecipe,
) -> Result<Vec<u32>> {
    if how.temperature == 0.0 && how.repetition_penalty == 1.0 {
        return Ok(argmax(logits)?);
    }
    let logits = logits.to_dtype(DType::F32)?.to_device(&Device::Cpu)?;
    let mut next = Vec::with_capacity(rows.len());
    for (slot, row) in rows.iter_mut().enumerate() {
        let mut of_row = logits.get(slot)?;
        if how.repetition_penalty != 1.0 {
            let seen = [row.prompt.ids.as_slice(), &texts[row.text].ids].concat();
            of_row = apply_repeat_penalty(&of_row, how.repetition_penalty as f32, &seen)?;
        }
        next.push(row.processor.sample(&of_row)?);
    }
    Ok(next)
}

/// The keys and values of all layers.
struct Memory {
    room: Room,
    layers: Vec<Kept>,
    /// A tensor as the model's are.
    like: Tensor,
}

impl Memory {
    fn new(model: &Llama, prompts: &[Prompt], max_new_tokens: usize) -> Result<Self> {
        let longest = prompts.iter().map(|prompt| prompt.ids.len()).max().unwrap_or(0);
        let room = Room::new(prompts.len(), longest + max_new_tokens, model.heads());
        let layer = |_| Kept::new(room, model.dtype, &model.device);
        let layers = (0..model.config.num_hidden_layers).map(layer).collect::<candle_core::Result<_>>()?;
        Ok(Memory { room, layers, like: Tensor::zeros(1, model.dtype, &model.device)? })
    }

    /// Reads the prompts, packed end to end. Gives the logits after the last token of each, (rows, V).
    fn read(&self, model: &Llama, prompts: &[Prompt], lora: LoraUse) -> Result<Tensor> {
        let lengths = prompts.iter().map(|prompt| prompt.ids.len());
        let mut offsets = vec![0];
        offsets.extend(lengths.clone().scan(0, |end, length| {
            *end += length;
            Some(*end)
        }));
        let ids: Vec<u32> = prompts.iter().flat_map(|prompt| prompt.ids.iter().copied()).collect();
        let positions: Vec<usize> = lengths.clone().flat_map(|length| 0..length).collect();
        let pass = model.pass(&positions, lora)?;
        let places = Places::new(lengths.map(|length| 0..length), self.room, &self.like)?;
        let rows = Rows::new(&offsets, &model.device)?;
        let attend = |layer: usize, qkv: &Tensor| {
            self.layers[layer].keep(qkv, &places)?;
            attention(qkv, &rows, pass.heads)
        };
        let last: Vec<u32> = offsets[1..].iter().map(|end| (end - 1) as u32).collect();
        let last = Tensor::new(last, &model.device)?;
        let x = model.forward(&ids, &pass, Some(&last), attend, |_, _| ())?;
        model.logits(&model.normed(&x)?)
    }

    /// Goes on with a token a row, each at its position. Gives the logits after them, (rows, V).
    fn go_on(&self, model: &Llama, fresh: &[(u32, usize)], lora: LoraUse) -> Result<Tensor> {
        let (ids, positions): (Vec<u32>, Vec<usize>) = fresh.iter().copied().unzip();
        let pass = model.pass(&positions, lora)?;
        let seen = Seen::new(positions.iter().map(|at| at + 1).collect(), &self.like)?;
        let places = Places::new(positions.into_iter().map(|at| at..at + 1), self.room, &self.like)?;
        let attend = |layer: usize, qkv: &Tensor| {
            self.layers[layer].keep(qkv, &places)?;
            self.layers[layer].attend(qkv, &seen)
        };
        let x = model.forward(&ids, &pass, None, attend, |_, _| ())?;
        model.logits(&model.normed(&x)?)
    }

    /// Gives the slot `to` of a row that has ended to the row of slot `from`.
    fn bring(&mut self, from: usize, to: usize) -> Result<()> {
        if from != to {
            self.layers.iter().try_for_each(|layer| layer.bring(from, to))?;
        }
        Ok(())
    }
}
