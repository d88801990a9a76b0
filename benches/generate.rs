//! Tokens a second of generated text, one prompt at a time and many at once: the program whose figures are divided by
//! transformers' (`benches/README.md` has the commands and the results).
//!
//!     cargo bench --profile dev --bench generate -- --model SRC --rows FILE [--prompts 32] [--batch 32] [--tokens 128]
//!         [--rank 128] [--quantization q4_0] [--dtype bf16] [--hold]

use candle_core::DType;
use clap::Parser;
use std::path::PathBuf;
use std::time::Instant;
use tezgah::data::alpaca;
use tezgah::data::encode::RowEncoder;
use tezgah::model::files::source::{ModelSource, open};
use tezgah::model::generate::{self, Prompt};
use tezgah::model::network::linear::LoraUse;
use tezgah::model::network::{adapter, loading};
use tezgah::recipe::{Bias, LoraRecipe, Projection, Quantization, SamplesRecipe};
use tezgah::record::environment::peak_memory;

#[derive(Parser)]
struct Arguments {
    /// Base model: a folder, a .gguf file or demo.
    #[arg(long)]
    model: String,
    /// Alpaca rows, whose prompts are continued.
    #[arg(long)]
    rows: PathBuf,
    #[arg(long, default_value_t = 32)]
    prompts: usize,
    #[arg(long, default_value_t = 32)]
    batch: usize,
    /// Tokens a text; the end of a sequence does not end it, so that every program does the same work.
    #[arg(long, default_value_t = 128)]
    tokens: usize,
    /// Rank of the update that takes part; 0 for none.
    #[arg(long, default_value_t = 0)]
    rank: usize,
    #[arg(long, default_value = "none")]
    quantization: String,
    /// Type of activations and dense weights: f32 or bf16.
    #[arg(long, default_value = "f32")]
    dtype: String,
    /// Hold quantized weights dense.
    #[arg(long)]
    hold: bool,
    /// Where the quantized weights are kept.
    #[arg(long, default_value = "target/generate/quantized")]
    out: PathBuf,
    /// What `cargo bench` passes.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    tezgah::device::among_threads(measure)
}

fn measure() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let base = open(&arguments.model.parse::<ModelSource>()?)?;
    let quantization: Quantization = serde_json::from_value(arguments.quantization.clone().into())?;
    let device = tezgah::device::open("cpu")?.device;
    let dtype: DType = arguments.dtype.parse()?;
    let mut model =
        loading::load(&base, quantization, dtype, &device, &arguments.out, &|line: &str| println!("{line}"))?;
    let lora = match arguments.rank {
        0 => LoraUse::Ignored,
        rank => {
            let lora = LoraRecipe {
                rank,
                alpha: 2.0 * rank as f64,
                dropout: 0.0,
                bias: Bias::None,
                target_modules: Projection::ALL.to_vec(),
            };
            adapter::attach(&mut model, &lora, 3407)?;
            LoraUse::Applied
        }
    };
    if arguments.hold {
        model.hold_dense(u64::MAX)?;
    }
    let encoder = RowEncoder::new(base.tokenizer.clone(), base.eos_token_id, 2048)?;
    let rows = alpaca::read(&arguments.rows)?.rows;
    let prompts = rows.iter().take(arguments.prompts);
    let prompt = |row| Ok(Prompt { ids: encoder.encode_prompt(row)?, eos: u32::MAX, seed: 0 });
    let prompts: Vec<Prompt> = prompts.map(prompt).collect::<tezgah::error::Result<_>>()?;
    let how = SamplesRecipe {
        count: prompts.len(),
        max_new_tokens: arguments.tokens,
        batch_size: arguments.batch,
        temperature: 0.0,
        top_p: 1.0,
        repetition_penalty: 1.0,
        per_prompt: 1,
        seed: 0,
    };
    let began = Instant::now();
    let (mut tokens, mut ids) = (0, 0u64);
    for batch in prompts.chunks(arguments.batch) {
        let texts = generate::batch(&model, batch, &how, lora, |new| {
            tokens += new;
            Ok(())
        })?;
        ids = texts
            .iter()
            .flat_map(|text| &text.ids)
            .fold(ids, |sum, &id| sum * 31 % 1_000_000_007 + u64::from(id));
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "batch {}: {tokens} tokens, {seconds:.2} s, {:.1} tok/s, ids {ids}, peak {:.2} GB",
        arguments.batch,
        tokens as f64 / seconds,
        peak_memory() as f64 / 1e9
    );
    Ok(())
}
