//! # The demonstration model
//!
//! A Llama small enough to be part of the program, so that `cargo run --example a1` needs no network. It has
//! read plain synthetic English (data/README.md says of what), never an instruction: what LoRA then teaches it is
//! both the format and the level. Its results are no thesis results, and every document says so.
//!
//!     cargo run --example demo_model -- --corpus corpus.txt
//!
//! Everything is trained, not only a low-rank part, so this program uses candle's autograd and AdamW. The same
//! corpus and seed give the same files on the same machine.

use anyhow::Context;
use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::optim::{AdamW, Optimizer, ParamsAdamW};
use candle_nn::{loss, ops, rotary_emb};
use clap::Parser;
use std::path::PathBuf;
use tezgah::random;
use tezgah::record::{PromptTemplate, store};
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, Tokenizer, TokenizerBuilder};

#[derive(Parser)]
struct Flags {
    /// Texts to read, one a line
    #[arg(long)]
    corpus: PathBuf,
    /// Where config.json, tokenizer.json and model.safetensors go
    #[arg(long, default_value = "data/demo")]
    out: PathBuf,
    /// Optimizer steps
    #[arg(long, default_value_t = 700)]
    steps: usize,
}

// ## Shape
// Two wide layers rather than many thin ones: LoRA of rank 128 costs rank x (input + output) a projection,
// and on a narrow layer it would be larger than what it updates. The vocabulary has most words of the corpus whole: a row of
// fewer tokens is read faster by every layer, which here outweighs the larger head.
const VOCABULARY: usize = 4096;
const HIDDEN: usize = 256;
const MLP: usize = 704;
const LAYERS: usize = 2;
const HEADS: usize = 4;
const KEY_VALUE_HEADS: usize = 2;
const HEAD: usize = HIDDEN / HEADS;
const EPS: f64 = 1e-5;
const THETA: f32 = 10_000.0;

// ## Training
// 16 sequences x 192 tokens = 3072 tokens a step.
const SEQUENCES: usize = 16;
const LENGTH: usize = 192;
const PEAK_RATE: f64 = 2e-3;
const WARMUP: usize = 100;
const SEED: u64 = 20251024;
const BOS: &str = "<|begin_of_text|>";
const EOS: &str = "<|end_of_text|>";

/// A byte-level BPE, its begin-of-text token set by the post-processor as Llama 3's is.
fn train_tokenizer(corpus: &str) -> anyhow::Result<Tokenizer> {
    let special = [BOS, EOS].map(|token| AddedToken::from(token, true));
    let mut trainer = BpeTrainer::builder()
        .vocab_size(VOCABULARY)
        .special_tokens(special.to_vec())
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .show_progress(false)
        .build();
    let template = TemplateProcessing::builder()
        .try_single(format!("{BOS} $A"))
        .map_err(anyhow::Error::msg)?
        .special_tokens(vec![(BOS, 0)])
        .build()?;
    let mut tokenizer = TokenizerBuilder::new()
        .with_model(BPE::default())
        .with_normalizer(None::<tokenizers::NormalizerWrapper>)
        .with_pre_tokenizer(Some(ByteLevel::new(false, true, true)))
        .with_post_processor(Some(template))
        .with_decoder(Some(ByteLevel::default()))
        .build()
        .map_err(anyhow::Error::msg)?;
    // The prompt's own words belong to the vocabulary too, or every row would spell them out: as often as the common ones.
    let PromptTemplate { instruction, input, response } = PromptTemplate::ALPACA;
    let prompt = [instruction, input, response].concat().repeat(2000);
    let texts = corpus.lines().chain([prompt.as_str()]);
    tokenizer.train(&mut trainer, texts.map(str::to_owned)).map_err(anyhow::Error::msg)?;
    let text = tokenizer.to_string(false).map_err(anyhow::Error::msg)?;
    Tokenizer::from_bytes(text).map_err(anyhow::Error::msg)
}

/// The weights by their checkpoint names, in a declared order: the optimizer walks them in it.
struct Weights(Vec<(String, Var)>);

impl Weights {
    fn new() -> anyhow::Result<Self> {
        let mut weights = Vec::new();
        let mut add = |name: String, shape: (usize, usize)| -> anyhow::Result<()> {
            let mut stream = random::stream(SEED, &name);
            // Uniform with the variance of the usual N(0, 0.02^2).
            let bound = 0.02 * 3f64.sqrt();
            let values: Vec<f32> = (0..shape.0 * shape.1)
                .map(|_| ((2.0 * random::unit(&mut stream) - 1.0) * bound) as f32)
                .collect();
            weights.push((name, Var::from_vec(values, shape, &Device::Cpu)?));
            Ok(())
        };
        add("model.embed_tokens.weight".into(), (VOCABULARY, HIDDEN))?;
        for layer in 0..LAYERS {
            let keys = KEY_VALUE_HEADS * HEAD;
            for (name, output, input) in [
                ("self_attn.q_proj", HIDDEN, HIDDEN),
                ("self_attn.k_proj", keys, HIDDEN),
                ("self_attn.v_proj", keys, HIDDEN),
                ("self_attn.o_proj", HIDDEN, HIDDEN),
                ("mlp.gate_proj", MLP, HIDDEN),
                ("mlp.up_proj", MLP, HIDDEN),
                ("mlp.down_proj", HIDDEN, MLP),
            ] {
                add(format!("model.layers.{layer}.{name}.weight"), (output, input))?;
            }
        }
        let norms = (0..LAYERS)
            .flat_map(|layer| {
                ["input_layernorm", "post_attention_layernorm"].map(|norm| format!("layers.{layer}.{norm}"))
            })
            .chain(["norm".to_string()]);
        for norm in norms {
            weights.push((format!("model.{norm}.weight"), Var::ones(HIDDEN, DType::F32, &Device::Cpu)?));
        }
        Ok(Weights(weights))
    }

    fn get(&self, name: &str) -> &Tensor {
        let found = self.0.iter().find(|(own, _)| own == &format!("model.{name}.weight"));
        found.expect("a name that `new` made").1.as_tensor()
    }
}

fn norm(x: &Tensor, weight: &Tensor) -> candle_core::Result<Tensor> {
    ops::rms_norm_slow(x, weight, EPS as f32)
}

fn linear(x: &Tensor, weight: &Tensor) -> candle_core::Result<Tensor> {
    let (batch, length, width) = x.dims3()?;
    x.reshape((batch * length, width))?.matmul(&weight.t()?)?.reshape((batch, length, weight.dim(0)?))
}

/// Logits of a batch of full sequences, (B, T) -> (B T, V). Plain differentiable operations throughout.
fn forward(
    weights: &Weights,
    ids: &Tensor,
    cos: &Tensor,
    sin: &Tensor,
    mask: &Tensor,
) -> candle_core::Result<Tensor> {
    let (batch, length) = ids.dims2()?;
    let embedding = weights.get("embed_tokens");
    let mut x = embedding.index_select(&ids.flatten_all()?, 0)?.reshape((batch, length, HIDDEN))?;
    for layer in 0..LAYERS {
        let weight = |name: &str| weights.get(&format!("layers.{layer}.{name}"));
        let normed = norm(&x, weight("input_layernorm"))?;
        let heads = |name: &str, count: usize| {
            linear(&normed, weight(name))?
                .reshape((batch, length, count, HEAD))?
                .transpose(1, 2)?
                .contiguous()
        };
        let q = rotary_emb::rope_slow(&heads("self_attn.q_proj", HEADS)?, cos, sin)?;
        let k = rotary_emb::rope_slow(&heads("self_attn.k_proj", KEY_VALUE_HEADS)?, cos, sin)?;
        let v = heads("self_attn.v_proj", KEY_VALUE_HEADS)?;
        let repeat = |t: Tensor| {
            let group = HEADS / KEY_VALUE_HEADS;
            t.unsqueeze(2)?
                .expand((batch, KEY_VALUE_HEADS, group, length, HEAD))?
                .contiguous()?
                .reshape((batch, HEADS, length, HEAD))
        };
        let (k, v) = (repeat(k)?, repeat(v)?);
        let scores = (q.matmul(&k.t()?)? / (HEAD as f64).sqrt())?.broadcast_add(mask)?;
        let attended = ops::softmax(&scores, D::Minus1)?.matmul(&v)?;
        let attended = attended.transpose(1, 2)?.reshape((batch, length, HIDDEN))?;
        x = (x + linear(&attended, weight("self_attn.o_proj"))?)?;
        let normed = norm(&x, weight("post_attention_layernorm"))?;
        let gate = linear(&normed, weight("mlp.gate_proj"))?.silu()?;
        let hidden = (gate * linear(&normed, weight("mlp.up_proj"))?)?;
        x = (x + linear(&hidden, weight("mlp.down_proj"))?)?;
    }
    let x = norm(&x, weights.get("norm"))?;
    x.reshape((batch * length, HIDDEN))?.matmul(&embedding.t()?)
}

fn angles() -> candle_core::Result<(Tensor, Tensor)> {
    let angle = |i: usize| {
        let (position, pair) = (i / (HEAD / 2), i % (HEAD / 2));
        position as f32 / THETA.powf(2.0 * pair as f32 / HEAD as f32)
    };
    let angles: Vec<f32> = (0..LENGTH * HEAD / 2).map(angle).collect();
    let angles = Tensor::from_vec(angles, (LENGTH, HEAD / 2), &Device::Cpu)?;
    Ok((angles.cos()?, angles.sin()?))
}

fn causal_mask() -> candle_core::Result<Tensor> {
    let mask = (0..LENGTH * LENGTH).map(|i| if i % LENGTH > i / LENGTH { f32::NEG_INFINITY } else { 0.0 });
    Tensor::from_vec(mask.collect::<Vec<f32>>(), (1, 1, LENGTH, LENGTH), &Device::Cpu)
}

fn train(ids: &[u32], steps: usize) -> anyhow::Result<Weights> {
    let weights = Weights::new()?;
    let variables = weights.0.iter().map(|(_, var)| var.clone()).collect();
    let mut optimizer = AdamW::new(variables, ParamsAdamW { weight_decay: 0.05, ..Default::default() })?;
    let ((cos, sin), mask) = (angles()?, causal_mask()?);
    let mut stream = random::stream(SEED, "batches");
    for step in 1..=steps {
        let climb = step as f64 / WARMUP as f64;
        let fall = 0.5 * (1.0 + (std::f64::consts::PI * step as f64 / steps as f64).cos());
        optimizer.set_learning_rate(PEAK_RATE * climb.min(1.0) * fall);
        let (mut inputs, mut targets) = (Vec::new(), Vec::new());
        for _ in 0..SEQUENCES {
            let start = random::below(&mut stream, (ids.len() - LENGTH - 1) as u64) as usize;
            inputs.extend_from_slice(&ids[start..start + LENGTH]);
            targets.extend_from_slice(&ids[start + 1..=start + LENGTH]);
        }
        let inputs = Tensor::from_vec(inputs, (SEQUENCES, LENGTH), &Device::Cpu)?;
        let targets = Tensor::from_vec(targets, SEQUENCES * LENGTH, &Device::Cpu)?;
        let loss = loss::cross_entropy(&forward(&weights, &inputs, &cos, &sin, &mask)?, &targets)?;
        optimizer.backward_step(&loss)?;
        if step % 50 == 0 || step == 1 {
            eprintln!("step {step}/{steps}  loss {:.4}", loss.to_scalar::<f32>()?);
        }
    }
    Ok(weights)
}

fn config() -> serde_json::Value {
    serde_json::json!({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
        "hidden_size": HIDDEN, "intermediate_size": MLP, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "num_key_value_heads": KEY_VALUE_HEADS, "head_dim": HEAD,
        "max_position_embeddings": 2048, "rms_norm_eps": EPS, "rope_theta": THETA, "rope_scaling": null,
        "tie_word_embeddings": true, "vocab_size": VOCABULARY, "bos_token_id": 0, "eos_token_id": 1,
        "torch_dtype": "float16", "attention_bias": false, "mlp_bias": false,
    })
}

fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let corpus =
        std::fs::read_to_string(&flags.corpus).with_context(|| flags.corpus.display().to_string())?;
    let tokenizer = train_tokenizer(&corpus)?;
    let mut ids = Vec::new();
    for line in corpus.lines().filter(|line| !line.is_empty()) {
        // Begin and end of every text, so that the model knows both.
        ids.extend_from_slice(tokenizer.encode(line, true).map_err(anyhow::Error::msg)?.get_ids());
        ids.push(1);
    }
    eprintln!("{} texts, {} tokens", corpus.lines().count(), ids.len());
    let weights = train(&ids, flags.steps)?;
    let halves = weights.0.iter().map(|(name, var)| Ok((name.clone(), var.to_dtype(DType::F16)?)));
    let halves: Vec<(String, Tensor)> = halves.collect::<candle_core::Result<_>>()?;
    let metadata = [("format".to_string(), "pt".to_string())].into_iter().collect();
    store::write_file(
        &flags.out.join("model.safetensors"),
        &safetensors::serialize(halves, Some(metadata))?,
    )?;
    let tokenizer = tokenizer.to_string(true).map_err(anyhow::Error::msg)?;
    store::write_file(&flags.out.join("tokenizer.json"), tokenizer.as_bytes())?;
    store::write_file(&flags.out.join("config.json"), serde_json::to_string_pretty(&config())?.as_bytes())?;
    Ok(())
}
