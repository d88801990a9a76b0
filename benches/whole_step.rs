//! Tokens a second and peak memory of whole training steps: the program whose figures are divided by
//! PyTorch's (`benches/README.md` has the commands and the results).
//!
//!     cargo bench --profile dev --bench whole_step -- --model SRC --rows FILE [--steps 3] [--batch 16] [--rank 128]
//!         [--dropout 0.05] [--quantization q4_0] [--checkpointing] [--evaluate]

use clap::Parser;
use std::path::PathBuf;
use std::time::Instant;
use tezgah::data::alpaca;
use tezgah::data::batches::{Batch, Targets};
use tezgah::data::encode::{EncodedRow, RowEncoder};
use tezgah::evaluate::nll;
use tezgah::model::adapter;
use tezgah::model::llama::{Activations, Llama};
use tezgah::model::ops::dropout::DropoutStream;
use tezgah::model::source::{ModelSource, open};
use tezgah::recipe::{Bias, LoraRecipe, Projection, Quantization};
use tezgah::record::environment::peak_memory;
use tezgah::train::optimizer::AdamW;

#[derive(Parser)]
struct Arguments {
    /// Base model: a folder, a .gguf file or demo.
    #[arg(long)]
    model: String,
    /// Alpaca rows.
    #[arg(long)]
    rows: PathBuf,
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
    #[arg(long)]
    checkpointing: bool,
    /// Measure the evaluation instead, masked and full together.
    #[arg(long)]
    evaluate: bool,
    /// What `cargo bench` passes.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let source: ModelSource = arguments.model.parse()?;
    let base = open(&source)?;
    let quantization: Quantization = serde_json::from_value(arguments.quantization.clone().into())?;
    let device = candle_core::Device::Cpu;
    let mut model = Llama::load(&base.config, &base.weights, quantization, candle_core::DType::F32, &device)?;
    let encoder = RowEncoder::new(base.tokenizer.clone(), base.eos_token_id, 2048)?;
    let rows = alpaca::read(&arguments.rows)?.rows;
    let rows: Vec<EncodedRow> = rows.iter().map(|row| encoder.encode(row)).collect::<Result<_, _>>()?;
    drop(base);
    let lora = LoraRecipe {
        rank: arguments.rank,
        alpha: 2.0 * arguments.rank as f64,
        dropout: arguments.dropout,
        bias: Bias::None,
        target_modules: Projection::ALL.to_vec(),
    };
    if arguments.evaluate {
        let rows = &rows[..arguments.batch * arguments.steps];
        let start = Instant::now();
        let sums = nll::rows(&model, rows, arguments.batch, Targets::All, None, |_| ())?;
        let tokens: usize = rows.iter().map(|row| row.ids.len()).sum();
        let scores = nll::scores(&sums);
        let rate = tokens as f64 / start.elapsed().as_secs_f64();
        println!("masked {:.6} full {:.6}", scores.masked.loss, scores.full.loss);
        println!("evaluation {rate:.1} tok/s peak {:.2} GB", peak_memory() as f64 / 1e9);
        return Ok(());
    }
    adapter::attach(&mut model, &lora, 3407)?;
    let mut optimizer = AdamW::new(&model, 0.01, 1.0)?;
    let activations = if arguments.checkpointing { Activations::Recompute } else { Activations::Keep };
    let (mut warm_tokens, mut warm_seconds) = (0, 0f64);
    for (step, chunk) in rows.chunks_exact(arguments.batch).take(arguments.steps).enumerate() {
        let start = Instant::now();
        let batch = Batch::new(&chunk.iter().collect::<Vec<_>>(), Targets::Response);
        let dropout = DropoutStream { rate: arguments.dropout, seed: 3407, micro_batch: step as u64 };
        let targets = batch.targets.len() as f64;
        let nll = model.accumulate_gradients(&batch, activations, 1.0 / targets, 2.0, Some(dropout))?;
        let norm = optimizer.step(&mut model, 2e-4)?;
        let (seconds, tokens) = (start.elapsed().as_secs_f64(), batch.tokens());
        if step > 0 {
            warm_tokens += tokens;
            warm_seconds += seconds;
        }
        println!(
            "step {step} loss {:.4} grad_norm {norm:.4} {seconds:.2} s {:.1} tok/s peak {:.2} GB",
            nll / targets,
            tokens as f64 / seconds,
            peak_memory() as f64 / 1e9
        );
    }
    println!("warm {:.1} tok/s", warm_tokens as f64 / warm_seconds);
    Ok(())
}
