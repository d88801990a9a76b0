//! Tokens a second and peak memory of whole training steps: the program whose figures are divided by
//! PyTorch's (`benches/README.md` has the commands and the results).
//!
//!     cargo bench --profile dev --bench whole_step -- --model SRC (--rows FILE | --length TOKENS) [--steps 3] [--batch 16]
//!         [--rank 128] [--dropout 0.05] [--quantization q4_0] [--dtype bf16] [--checkpointing] [--evaluate] [--out FOLDER]

use candle_core::DType;
use clap::Parser;
use rand_chacha::rand_core::Rng;
use std::path::PathBuf;
use std::time::Instant;
use tezgah::data::alpaca;
use tezgah::data::batches::{Batch, Targets};
use tezgah::data::encode::{EncodedRow, RowEncoder};
use tezgah::evaluate::nll;
use tezgah::model::files::config::LlamaConfig;
use tezgah::model::files::source::{BaseModel, ModelSource, open};
use tezgah::model::network::adapter;
use tezgah::model::network::linear::LoraUse;
use tezgah::model::network::llama::{Activations, Llama};
use tezgah::model::network::loading;
use tezgah::model::ops::dropout::DropoutStream;
use tezgah::random;
use tezgah::recipe::{Bias, LoraRecipe, Projection, Quantization};
use tezgah::record::environment::peak_memory;
use tezgah::train::memory::{Estimate, Largest, Need, Place};
use tezgah::train::optimizer::AdamW;

#[derive(Parser)]
struct Arguments {
    /// Base model: a folder, a .gguf file or demo.
    #[arg(long)]
    model: String,
    /// Alpaca rows.
    #[arg(long, required_unless_present = "length")]
    rows: Option<PathBuf>,
    /// Rows of exactly so many random tokens instead, a quarter of them prompt.
    #[arg(long, conflicts_with = "rows")]
    length: Option<usize>,
    /// Steps; the first is cold and not counted.
    #[arg(long, default_value_t = 3)]
    steps: usize,
    #[arg(long, default_value_t = 16)]
    batch: usize,
    #[arg(long, default_value_t = 128)]
    rank: usize,
    #[arg(long, default_value_t = 0.0)]
    dropout: f64,
    #[arg(long, default_value = "none")]
    quantization: String,
    /// Type of activations and dense weights: f32 or bf16.
    #[arg(long, default_value = "f32")]
    dtype: String,
    #[arg(long)]
    checkpointing: bool,
    /// Measure the evaluation instead, masked and full together; --rank 0 evaluates the base alone.
    #[arg(long)]
    evaluate: bool,
    /// Where the quantized weights are kept.
    #[arg(long, default_value = "target/whole_step/quantized")]
    out: PathBuf,
    /// What `cargo bench` passes.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    tezgah::device::among_threads(measure)
}

fn measure() -> anyhow::Result<()> {
    let began = Instant::now();
    let arguments = Arguments::parse();
    let source: ModelSource = arguments.model.parse()?;
    let base = open(&source)?;
    let quantization: Quantization = serde_json::from_value(arguments.quantization.clone().into())?;
    let device = tezgah::device::open("cpu")?.device;
    let dtype: DType = arguments.dtype.parse()?;
    let say = |line: &str| println!("{line}");
    let mut model = loading::load(&base, quantization, dtype, &device, &arguments.out, &say)?;
    let rows = rows(&arguments, &base)?;
    let lora = LoraRecipe {
        rank: arguments.rank,
        alpha: 2.0 * arguments.rank as f64,
        dropout: arguments.dropout,
        bias: Bias::None,
        target_modules: Projection::ALL.to_vec(),
    };
    if arguments.rank > 0 {
        adapter::attach(&mut model, &lora, 3407)?;
    }
    if arguments.evaluate {
        return evaluate(&arguments, &model, &rows);
    }
    let activations = if arguments.checkpointing { Activations::Recompute } else { Activations::Keep };
    let batches: Vec<Batch> = rows
        .chunks_exact(arguments.batch)
        .take(arguments.steps)
        .map(|chunk| Batch::new(&chunk.iter().collect::<Vec<_>>(), Targets::Response))
        .collect();
    let largest = rows
        .chunks_exact(arguments.batch)
        .take(arguments.steps)
        .map(|chunk| {
            let lengths: Vec<usize> = chunk.iter().map(|row| row.ids.len()).collect();
            Largest::of(&lengths, chunk.iter().map(|row| row.targets()).sum())
        })
        .fold(Largest::default(), Largest::or);
    let (config, weights) = (&base.config, &base.weights);
    let need = Need { config, weights, quantization, lora: &lora, dtype, place: Place::Cpu, largest };
    let estimate = Estimate::new(need, activations).total();
    println!("start to first step {:.1} s", began.elapsed().as_secs_f64());
    let warm = train(&arguments, &mut model, &batches, activations, (&base.config, &lora))?;
    let peak = peak_memory() as f64;
    println!(
        "peak {:.3} GB, estimated {:.3} GB ({:+.1} %)",
        peak / 1e9,
        estimate as f64 / 1e9,
        100.0 * (estimate as f64 / peak - 1.0)
    );
    if let Some(rate) = warm {
        println!("warm {rate:.1} tok/s");
    }
    Ok(())
}

/// Masked and full losses, tokens a second; the first batch is cold and not counted.
fn evaluate(arguments: &Arguments, model: &Llama, rows: &[EncodedRow]) -> anyhow::Result<()> {
    let (warm, rows) = rows.split_at(arguments.batch);
    let rows = &rows[..arguments.batch * (arguments.steps - 1)];
    let lora = if arguments.rank > 0 { LoraUse::Applied } else { LoraUse::Ignored };
    nll::rows(model, warm, arguments.batch, Targets::All, lora, |_| Ok(()))?;
    let start = Instant::now();
    let sums = nll::rows(model, rows, arguments.batch, Targets::All, lora, |_| Ok(()))?;
    let tokens: usize = rows.iter().map(|row| row.ids.len()).sum();
    let scores = nll::scores(&sums);
    let rate = tokens as f64 / start.elapsed().as_secs_f64();
    println!("masked {:.6} full {:.6}", scores.masked.loss, scores.full.loss);
    println!("evaluation {rate:.1} tok/s peak {:.2} GB", peak_memory() as f64 / 1e9);
    Ok(())
}

/// A line a step; returns the tokens a second of all but the first, where there is more than one.
fn train(
    arguments: &Arguments,
    model: &mut Llama,
    batches: &[Batch],
    activations: Activations,
    (config, lora): (&LlamaConfig, &LoraRecipe),
) -> anyhow::Result<Option<f64>> {
    let mut optimizer = AdamW::new(model, 0.01, 1.0)?;
    let (mut warm_tokens, mut warm_seconds) = (0, 0f64);
    for (step, batch) in batches.iter().enumerate() {
        let start = Instant::now();
        let dropout = DropoutStream { rate: arguments.dropout, seed: 3407, micro_batch: step as u64 };
        let targets = batch.targets.len() as f64;
        let nll = model.accumulate_gradients(batch, activations, 1.0 / targets, dropout)?.sum()?;
        let norm = optimizer.step(model, 2e-4)?;
        let (seconds, tokens) = (start.elapsed().as_secs_f64(), batch.tokens());
        if step > 0 {
            warm_tokens += tokens;
            warm_seconds += seconds;
        }
        println!(
            "step {step} loss {:.4} grad_norm {norm:.4} {seconds:.2} s {:.1} tok/s {:.0} GFLOPS peak {:.2} GB",
            nll / targets,
            tokens as f64 / seconds,
            operations(config, lora, batch, activations) / seconds / 1e9,
            peak_memory() as f64 / 1e9
        );
    }
    Ok((warm_seconds > 0.0).then(|| warm_tokens as f64 / warm_seconds))
}

fn rows(arguments: &Arguments, base: &BaseModel) -> anyhow::Result<Vec<EncodedRow>> {
    let encoder = RowEncoder::new(base.tokenizer.clone(), base.eos_token_id, 2048)?;
    if let Some(path) = &arguments.rows {
        let rows = alpaca::read(path)?.rows;
        return Ok(rows.iter().map(|row| encoder.encode(row)).collect::<Result<_, _>>()?);
    }
    let length = arguments.length.unwrap_or_default();
    let mut generator = random::stream(3407, "whole_step");
    let vocabulary = base.config.vocab_size as u32;
    let row = |_| EncodedRow {
        ids: (0..length).map(|_| generator.next_u32() % vocabulary).collect(),
        prompt_len: length / 4,
        untruncated_len: length,
        prompt_bytes: 0,
        response_bytes: 0,
        special_in_text: 0,
        dropped_letters: Default::default(),
    };
    Ok((0..arguments.batch * arguments.steps).map(row).collect())
}

/// Floating-point operations of the products of a step, 2 for each multiplication with its addition; norms, softmax and the
/// like are left out.
///
/// With W the projections' parameters, T targets, L a row's length: 2 N W forward and backward each and,
/// recomputed, forward again without down_proj; for each A and B 2 N (A + B) forward and 2 N (3 A + 2 B) backward (the hidden
/// values again, both gradients, both ways through); 4 T V H for the head; causal attention 2 L^2 width a layer forward and
/// 5 L^2 width backward.
fn operations(config: &LlamaConfig, lora: &LoraRecipe, batch: &Batch, activations: Activations) -> f64 {
    let (layers, tokens) = (config.num_hidden_layers as f64, batch.tokens() as f64);
    let parameters = |projection: Projection| {
        let (output, input) = config.projection_shape(projection);
        (output * input) as f64
    };
    let all: f64 = Projection::ALL.into_iter().map(parameters).sum();
    let down = parameters(Projection::DownProj);
    let thin = |side: fn((usize, usize)) -> usize| -> f64 {
        let sizes = lora.target_modules.iter().map(|&projection| side(config.projection_shape(projection)));
        (lora.rank * sizes.sum::<usize>()) as f64
    };
    let (a, b) = (thin(|(_, input)| input), thin(|(output, _)| output));
    let width = (config.num_attention_heads * config.head_dim) as f64;
    let squares: f64 = batch.offsets.windows(2).map(|row| ((row[1] - row[0]) as f64).powi(2)).sum();
    let again = if activations == Activations::Recompute { 1.0 } else { 0.0 };
    let products = 2.0 * tokens * (2.0 * all + again * (all - down));
    let update = 2.0 * tokens * ((1.0 + again) * (a + b) + 3.0 * a + 2.0 * b);
    let attention = squares * width * (7.0 + 2.0 * again);
    let head = 4.0 * (batch.targets.len() * config.vocab_size * config.hidden_size) as f64;
    layers * (products + update + attention) + head
}
