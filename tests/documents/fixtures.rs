//! Records for the tests, built and never written by hand, so that they follow the record's types.
//!
//! `records()` is the list; `tests/records/<name>.json` are its files, what `insta` globs over and what a reader
//! can look at. After a change of the types: `TEZGAH_WRITE_RECORDS=1 cargo test --test documents records_are`.
//!
//! Losses are made by a small linear generator: its rows have token counts of their own, and every sum in a
//! record is the sum of its rows, as in a real one.

use std::sync::OnceLock;
use tezgah::level::Level;
use tezgah::recipe::*;
use tezgah::record::repeated;
use tezgah::record::replicates::Replicates;
use tezgah::record::*;
use tezgah::report::document::ChartReference;
use tezgah::statistics::{self, PairedRow, Statistics};

/// Every fixture by its file's name, each named for what it shows.
///
/// Made once: each has 10,000 bootstrap resamples behind it.
pub(crate) fn records() -> Vec<(&'static str, RunRecord)> {
    static RECORDS: OnceLock<Vec<(&'static str, RunRecord)>> = OnceLock::new();
    RECORDS.get_or_init(build).clone()
}

fn build() -> Vec<(&'static str, RunRecord)> {
    vec![
        ("tohum", seed()),
        ("iyi", good()),
        ("iraksayan", diverged()),
        ("baslamayan", failed_at_once()),
        ("suren", running()),
        ("kotulesen", worse()),
        ("kotulesen_sinanmamis", worse_untested()),
        ("belirsiz", uncertain()),
        ("yalniz_yanit", only_responses()),
        ("degismeyen", unchanged()),
        ("gosterim", demonstration()),
        ("sizintili", leaked()),
        ("ekran_karti", accelerator()),
        ("yinelenen", repeated()),
        ("tohumlari_ayrisan", disagreeing_seeds()),
    ]
}

/// As `report::charts` names and captions them.
fn charts() -> Vec<ChartReference> {
    [
        ("token_uzunluklari", "Veri kümesindeki örneklerin belirteç uzunluklarının dağılımı"),
        ("kelime_uzunluklari", "Veri kümesindeki yanıtların kelime sayılarının dağılımı"),
        ("egitim_kaybi", "Eğitim ve değerlendirme kaybının eniyileme adımlarına göre değişimi"),
        ("ogrenme_orani", "Öğrenme oranının eniyileme adımlarına göre değişimi"),
        ("gradyan_normu", "Kırpma öncesi gradyan normunun eniyileme adımlarına göre değişimi"),
        ("temel_ince_ayarli", "Temel model ile ince ayarlı modelin kayıpları"),
        ("satir_kayiplari", "Değerlendirme örneklerinin ince ayar öncesi ve sonrası kayıpları"),
    ]
    .map(|(name, caption)| ChartReference {
        name: name.into(),
        caption: caption.into(),
        alt: format!("{caption}."),
    })
    .to_vec()
}

/// The charts that the record has the numbers for.
pub(crate) fn charts_of(record: &RunRecord) -> Vec<ChartReference> {
    charts()
        .into_iter()
        .filter(|chart| match chart.name.as_str() {
            "egitim_kaybi" | "ogrenme_orani" | "gradyan_normu" => !record.training.steps.is_empty(),
            "temel_ince_ayarli" => record.evaluation.fine_tuned.is_some(),
            "satir_kayiplari" => record.evaluation.statistics.is_some(),
            _ => true,
        })
        .collect()
}

/// What the seed's document states, and what it implies: 1800 rows of 16 x 4 give 29 steps an epoch, 87 in all;
/// a warmup of 100 gives the rate (s - 1) / 100 x 2e-4; perplexities 13.86 and 4.35 give losses of 2.629 and
/// 1.470. Llama-3.2-1B's counts are those of its config. Not in the seed, and needed by the types: the masked
/// baseline (the first training loss, which is the base model's on training rows, stands in for it), token
/// lengths (the seed says "at most 200" without having counted; 134 words and the template make 207), gradients.
fn seed() -> RunRecord {
    let mut record = good();
    record.dataset = dataset(2000, 200, Histograms { words: (116.0, 77, 134), tokens: (168.4, 121, 207) });
    record.dataset.source = "training_data_a1.json".into();
    record.model = llama_1b();
    record.recipe = recipe();
    record.training =
        training(87, 29, seed_loss, |s| 2e-4 * (s - 1) as f64 / 100.0, &[(50, 0.95), (87, 0.82)]);
    record.training.seconds = 93.0;
    record.training.tokens_per_second = 9763.0;
    record.training.peak_memory_bytes = 9_800_000_000;
    record.training.gradient_checkpointing = true;
    // The last window of an epoch holds 1 of 113 micro-batches: 8 rows.
    for step in &mut record.training.steps {
        let rows = if step.step % 29 == 0 { 8 } else { 64 };
        step.tokens = rows * 168;
        step.supervised_tokens = rows * 148;
    }
    let score =
        |loss: f64, tokens: usize| Score { nll: loss * tokens as f64, tokens, loss, perplexity: loss.exp() };
    let sides =
        |masked: f64, full: f64| Some(Scores { masked: score(masked, 29_640), full: score(full, 33_400) });
    record.evaluation = Evaluation {
        baseline: sides(1.95, 13.86f64.ln()),
        fine_tuned: sides(0.82, 4.35f64.ln()),
        rows: Vec::new(),
        statistics: None,
    };
    record.samples.clear();
    record.recipe.samples.count = 0;
    record.outputs = vec![
        output("train_split", "split/training_data_a1_train.json", 1_290_000),
        output("eval_split", "split/training_data_a1_eval.json", 143_000),
        output("adapter", "adapter", 200_000_000),
        output("merged", "merged", 2_500_000_000),
    ];
    record.environment.accelerator = Some("NVIDIA RTX 4090 24GB".into());
    record.environment.device = "cuda:0".into();
    record.environment.started_at = "2025-10-24T14:05:00+03:00".into();
    record.environment.finished_at = Some("2025-10-24T14:08:10+03:00".into());
    record
}

/// The seed's four training losses, straight lines between them; its "step 0" is our step 1.
fn seed_loss(step: usize) -> f64 {
    let points = [(1, 1.95), (10, 1.72), (50, 1.23), (87, 0.64)];
    let place = points.windows(2).find(|pair| step <= pair[1].0).expect("the run has 87 steps");
    let [(s0, l0), (s1, l1)] = [place[0], place[1]];
    l0 + (l1 - l0) * (step - s0) as f64 / (s1 - s0) as f64
}

/// Everything went well: short warmup, a significant improvement, samples, a clean commit.
fn good() -> RunRecord {
    let mut recipe = recipe();
    recipe.train.warmup_steps = 10;
    recipe.train.eval_steps = 20;
    recipe.train.save_steps = 20;
    let schedule = schedule(recipe.train.learning_rate, 10, 60);
    RunRecord {
        schema: SCHEMA,
        level: Level::A1,
        status: Status::Completed,
        smoke: false,
        failure: None,
        dataset: dataset(1240, 124, Histograms { words: (115.8, 77, 134), tokens: (171.3, 118, 214) }),
        model: smollm2(),
        recipe,
        training: training(
            60,
            20,
            |s| 2.1 * (-0.02 * s as f64).exp() + 0.05 * (s % 3) as f64,
            schedule,
            &[(20, 1.42), (40, 1.08), (60, 0.93)],
        ),
        evaluation: evaluation(124, Effect { masked: 1.1, full: 0.9, spread: 0.25 }),
        replicates: None,
        samples: vec![
            Sample {
                row: 0,
                instruction: "Write a short text about your weekend.".into(),
                input: String::new(),
                reference: "On Saturday I get up late.\nI eat breakfast with my family.".into(),
                baseline: "The weekend is a time for * relaxation * and `code`.".into(),
                baseline_capped: true,
                fine_tuned: "On Saturday I go to the park with my friend.".into(),
                fine_tuned_capped: false,
            },
            Sample {
                row: 3,
                instruction: "Describe your room.".into(),
                input: "Use five sentences.".into(),
                reference: "My room is small.".into(),
                baseline: "1. My room\n2. ```".into(),
                baseline_capped: false,
                fine_tuned: "My room is small and clean.".into(),
                fine_tuned_capped: true,
            },
        ],
        outputs: vec![
            output("train_split", "split/training_data_a1_train.json", 801_234),
            output("eval_split", "split/training_data_a1_eval.json", 88_720),
            output("adapter", "adapter", 156_400_000),
            output("merged", "merged", 269_060_552),
            output("checkpoint", "checkpoints/step-60", 469_200_000),
        ],
        environment: environment(),
    }
}

/// The loss stopped being a number after step 12; only the base model was evaluated.
fn diverged() -> RunRecord {
    let mut record = good();
    record.status = Status::Failed;
    record.failure =
        Some(Failure { step: 13, message: "training diverged at step 13: the loss is inf".into() });
    record.training.steps.truncate(12);
    for step in &mut record.training.steps {
        step.loss = 2.1 + 0.4 * step.step as f64;
        step.grad_norm = 0.5 * step.step as f64 + 0.8;
    }
    record.training.evals.clear();
    record.training.best = None;
    record.evaluation.fine_tuned = None;
    record.evaluation.statistics = None;
    for row in &mut record.evaluation.rows {
        row.fine_tuned = None;
    }
    record.samples.clear();
    record.outputs.truncate(2);
    record
}

/// Stopped before the model was loaded: nothing was measured, nothing was planned.
fn failed_at_once() -> RunRecord {
    let mut record = diverged();
    record.failure = Some(Failure {
        step: 0,
        message: "device cuda:0: not enough memory: 8.1 GB needed, 6.0 GB free".into(),
    });
    record.model = ModelFacts {
        sha256: String::new(),
        parameters: 0,
        trainable_parameters: 0,
        quantized_parameters: 0,
        weight_bytes: 0,
        dense_weight_bytes: 0,
        architecture: Architecture {
            layers: 0,
            hidden_size: 0,
            intermediate_size: 0,
            attention_heads: 0,
            key_value_heads: 0,
            head_dim: 0,
            vocab_size: 0,
            tied_embeddings: false,
        },
        ..record.model
    };
    record.training = Training {
        total_steps: 0,
        steps_per_epoch: 0,
        seconds: 0.0,
        tokens_per_second: 0.0,
        steps: Vec::new(),
        ..record.training
    };
    record.evaluation = Evaluation::default();
    record.outputs.clear();
    record.environment.git_commit = None;
    record
}

/// Killed, or looked at, in the middle.
fn running() -> RunRecord {
    let mut record = good();
    record.status = Status::Running;
    record.training.steps.truncate(30);
    record.training.evals.truncate(1);
    record.training.best = Some(Best { step: 20, loss: 1.42 });
    record.evaluation.fine_tuned = None;
    record.evaluation.statistics = None;
    for row in &mut record.evaluation.rows {
        row.fine_tuned = None;
    }
    record.samples.clear();
    record.outputs.truncate(2);
    record.environment.finished_at = None;
    record.environment.git_dirty = true;
    record
}

/// Fine-tuning made it significantly worse; the base model itself is worse than guessing.
fn worse() -> RunRecord {
    let mut record = good();
    record.level = Level::A2;
    record.model.architecture.vocab_size = 4;
    record.training =
        training(60, 20, |s| 1.9 + 0.01 * s as f64, |_| 5e-3, &[(20, 2.2), (40, 2.5), (60, 2.6)]);
    record.recipe.train.learning_rate = 5e-3;
    record.recipe.train.warmup_steps = 0;
    record.evaluation = evaluation(124, Effect { masked: -0.4, full: -0.3, spread: 0.2 });
    record
}

/// Worse, from a record without rows: nothing could be tested.
fn worse_untested() -> RunRecord {
    let mut record = worse();
    record.level = Level::C1;
    record.model.architecture.vocab_size = 49_152;
    record.evaluation.statistics = None;
    record.evaluation.rows.clear();
    record
}

/// The response loss fell and the full-text loss rose, neither beyond chance.
fn uncertain() -> RunRecord {
    let mut record = good();
    record.level = Level::B1;
    record.evaluation = evaluation(18, Effect { masked: 0.01, full: -0.01, spread: 0.3 });
    record.dataset.eval_rows = 18;
    record.dataset.train_rows = record.dataset.rows - 18;
    record
}

/// The responses are learned at the prompts' expense; only attention is adapted; a GGUF keeps its types.
fn only_responses() -> RunRecord {
    let mut record = good();
    record.level = Level::B1;
    record.recipe.lora.target_modules = vec![Projection::QProj, Projection::VProj];
    record.model.trainable_parameters = 7_372_800;
    record.model.quantization = Quantization::AsIs;
    record.recipe.model.quantization = Quantization::AsIs;
    record.model.bits_per_weight = 5.0;
    record.outputs[3].merged_into = Some("Q4_1".into());
    record.recipe.train.load_best_at_end = false;
    record.evaluation = evaluation(124, Effect { masked: 0.5, full: -0.05, spread: 0.2 });
    record
}

/// The adapter changed nothing: B stayed zero.
fn unchanged() -> RunRecord {
    let mut record = good();
    record.evaluation = evaluation(18, Effect { masked: 0.0, full: 0.0, spread: 0.0 });
    record.dataset.eval_rows = 18;
    record.dataset.train_rows = record.dataset.rows - 18;
    record.recipe.lora.dropout = 0.0;
    record.recipe.train.batch_size = 64;
    record.recipe.train.accumulation_steps = 1;
    for step in &mut record.training.steps {
        step.grad_norm = 0.0;
    }
    record
}

/// `cargo run --example a1 -- --smoke`: the embedded model and rows, four steps.
fn demonstration() -> RunRecord {
    let mut record = good();
    record.dataset.source = "embedded:a1".into();
    record.dataset.synthetic = true;
    record.model = ModelFacts {
        name: "tezgah-demo".into(),
        source: "demo".into(),
        demonstration: true,
        parameters: 3_212_544,
        trainable_parameters: 4_718_592,
        quantization: Quantization::None,
        bits_per_weight: 32.0,
        quantized_parameters: 0,
        weight_bytes: 12_850_176,
        dense_weight_bytes: 12_850_176,
        architecture: Architecture {
            layers: 4,
            hidden_size: 192,
            intermediate_size: 512,
            attention_heads: 6,
            key_value_heads: 6,
            head_dim: 32,
            vocab_size: 4096,
            tied_embeddings: true,
        },
        ..record.model
    };
    record.smoke = true;
    record.recipe.train.max_steps = 4;
    record.recipe.train.warmup_steps = 3;
    record.training = training(4, 20, |s| 3.0 - 0.1 * s as f64, schedule(2e-4, 3, 4), &[(4, 2.65)]);
    record.evaluation = evaluation(124, Effect { masked: 0.002, full: 0.001, spread: 0.001 });
    record.environment.command = ["a1", "--smoke"].map(String::from).to_vec();
    record
}

/// Two files given by the user, overlapping, with long rows; the run overfits, and only the template is learned.
fn leaked() -> RunRecord {
    let mut record = good();
    record.level = Level::B2;
    record.dataset.split_seed = None;
    record.dataset.duplicate_rows = 14;
    record.dataset.leaked_rows = 12;
    record.dataset.truncated_rows = 3;
    record.dataset.rows_without_target = 1;
    record.dataset.tokens.max = 2390;
    record.dataset.tokens.over_512 = 34;
    record.dataset.tokens.over_max_seq_len = 3;
    record.dataset.example.input = "Use the past tense.".into();
    record.training = training(
        60,
        20,
        |s| 2.1 * (-0.05 * s as f64).exp(),
        schedule(2e-4, 10, 60),
        &[(20, 1.2), (40, 1.1), (60, 1.16)],
    );
    record.evaluation = evaluation(124, Effect { masked: -0.15, full: 0.2, spread: 0.1 });
    record
}

/// NF4 with double quantization on a GPU, stopped by max_steps, the evaluation loss below the late training loss.
fn accelerator() -> RunRecord {
    let mut record = good();
    record.level = Level::C1;
    record.model = llama_1b();
    record.model.quantization = Quantization::Nf4Double;
    record.model.bits_per_weight = 4.127;
    record.recipe.model.quantization = Quantization::Nf4Double;
    record.recipe.data.max_seq_len = 1024;
    record.recipe.train.epochs = 4.0;
    record.recipe.train.max_steps = 60;
    record.training.evals[2].loss = 0.61;
    record.training.evals[2].trainer_eval_loss = 0.61;
    record.training.best = Some(Best { step: 60, loss: 0.61 });
    record.training.gradient_checkpointing = true;
    record.environment.accelerator = Some("NVIDIA H100 80GB HBM3".into());
    record.environment.device = "cuda:0".into();
    record
}

/// Three training seeds, all of them an improvement.
fn repeated() -> RunRecord {
    let mut record = good();
    let runs = [(3407, 1.1), (1, 1.06), (2, 1.13)];
    record.replicates = Some(replicates(&record, &runs));
    record
}

/// Two training seeds, the documented one no improvement; the full-text loss fell, not beyond chance.
fn disagreeing_seeds() -> RunRecord {
    let mut record = uncertain();
    record.evaluation = evaluation(18, Effect { masked: -0.02, full: 0.01, spread: 0.3 });
    let runs = [(3407, -0.02), (7, 0.02)];
    record.replicates = Some(replicates(&record, &runs));
    record
}

/// The record repeated with other seeds, each lowering the loss of a token by so much.
fn replicates(record: &RunRecord, runs: &[(u64, f64)]) -> Replicates {
    let records: Vec<RunRecord> = runs
        .iter()
        .map(|&(seed, effect)| {
            let mut other = record.clone();
            other.recipe.train.seed = seed;
            let rows = record.evaluation.rows.len();
            other.evaluation = evaluation(rows, Effect { masked: effect, full: 0.8 * effect, spread: 0.25 });
            other
        })
        .collect();
    repeated::summarize(&records).expect("runs that differ in their seed alone")
}

/// The recipe that the seed fixes.
fn recipe() -> Recipe {
    Recipe {
        data: DataRecipe { split_seed: 42, eval_fraction: 0.1, max_seq_len: 2048 },
        model: ModelRecipe { quantization: Quantization::Q4_0, dtype: ModelDtype::Auto },
        lora: LoraRecipe {
            rank: 128,
            alpha: 256.0,
            dropout: 0.05,
            bias: Bias::None,
            target_modules: Projection::ALL.to_vec(),
        },
        train: TrainRecipe {
            batch_size: 16,
            eval_batch_size: 16,
            accumulation_steps: 4,
            epochs: 3.0,
            max_steps: 0,
            learning_rate: 2e-4,
            lr_scheduler: LrScheduler::Cosine,
            warmup_steps: 100,
            weight_decay: 0.01,
            max_grad_norm: 1.0,
            eval_steps: 50,
            save_steps: 50,
            save_total_limit: 5,
            load_best_at_end: true,
            seed: 3407,
            shuffle: true,
            gradient_checkpointing: Checkpointing::Auto,
            loss_on: LossOn::Response,
        },
        samples: SamplesRecipe { count: 3, max_new_tokens: 128 },
    }
}

/// Mean, shortest and longest of a data set's words and tokens.
struct Histograms {
    words: (f64, usize, usize),
    tokens: (f64, usize, usize),
}

fn dataset(rows: usize, eval_rows: usize, lengths: Histograms) -> Dataset {
    let histogram = |(_, min, max): (f64, usize, usize)| {
        let width = (max - min) / 8 + 1;
        let mut counts: Vec<usize> = [2, 6, 14, 22, 26, 18, 9, 3].map(|share| rows * share / 100).to_vec();
        counts[3] += rows - counts.iter().sum::<usize>();
        Histogram { first: min, width, counts }
    };
    Dataset {
        source: "a1.json".into(),
        sha256: "9f2b".repeat(16),
        synthetic: false,
        rows,
        train_rows: rows - eval_rows,
        eval_rows,
        split_seed: Some(42),
        train_sha256: "1c3d".repeat(16),
        eval_sha256: "5e7f".repeat(16),
        duplicate_rows: 0,
        leaked_rows: 0,
        words: Lengths {
            mean: lengths.words.0,
            min: lengths.words.1,
            max: lengths.words.2,
            histogram: histogram(lengths.words),
        },
        tokens: TokenLengths {
            mean: lengths.tokens.0,
            min: lengths.tokens.1,
            max: lengths.tokens.2,
            over_512: 0,
            over_max_seq_len: 0,
            histogram: histogram(lengths.tokens),
        },
        truncated_rows: 0,
        rows_without_target: 0,
        prompt: PromptTemplate::ALPACA,
        example: ExampleRow {
            instruction: "Write a sentence using the word 'happy'".into(),
            input: String::new(),
            output: "I am happy today.".into(),
        },
    }
}

/// SmolLM2-135M-Instruct in Q4_0.
fn smollm2() -> ModelFacts {
    ModelFacts {
        name: "SmolLM2-135M-Instruct".into(),
        source: "smollm2.gguf".into(),
        sha256: "ab12".repeat(16),
        demonstration: false,
        parameters: 134_515_008,
        trainable_parameters: 39_075_840,
        quantization: Quantization::Q4_0,
        dtype: "f32".into(),
        quantized_parameters: 106_168_320,
        bits_per_weight: 4.5,
        weight_bytes: 173_106_432,
        dense_weight_bytes: 538_060_032,
        architecture: Architecture {
            layers: 30,
            hidden_size: 576,
            intermediate_size: 1536,
            attention_heads: 9,
            key_value_heads: 3,
            head_dim: 64,
            vocab_size: 49_152,
            tied_embeddings: true,
        },
    }
}

/// Llama-3.2-1B-Instruct in 4 bits: 973,078,528 weights of the projections at 4.5 bits, the rest in bf16.
fn llama_1b() -> ModelFacts {
    ModelFacts {
        name: "Llama-3.2-1B-Instruct".into(),
        source: "meta-llama/Llama-3.2-1B-Instruct".into(),
        sha256: "cd34".repeat(16),
        demonstration: false,
        parameters: 1_235_814_400,
        trainable_parameters: 90_177_536,
        quantization: Quantization::Nf4,
        dtype: "bf16".into(),
        quantized_parameters: 973_078_528,
        bits_per_weight: 4.5,
        weight_bytes: 1_072_828_416,
        dense_weight_bytes: 2_471_628_800,
        architecture: Architecture {
            layers: 16,
            hidden_size: 2048,
            intermediate_size: 8192,
            attention_heads: 32,
            key_value_heads: 8,
            head_dim: 64,
            vocab_size: 128_256,
            tied_embeddings: true,
        },
    }
}

/// Warmup and cosine as the trainer has them: step s uses the factor of s - 1.
fn schedule(peak: f64, warmup: usize, total: usize) -> impl Fn(usize) -> f64 {
    move |step| {
        let k = step - 1;
        if k < warmup {
            return peak * k as f64 / warmup as f64;
        }
        let done = (k - warmup) as f64 / (total - warmup).max(1) as f64;
        peak * (0.5 * (1.0 + (std::f64::consts::PI * done).cos())).max(0.0)
    }
}

fn training(
    total: usize,
    per_epoch: usize,
    loss: impl Fn(usize) -> f64,
    rate: impl Fn(usize) -> f64,
    evals: &[(usize, f64)],
) -> Training {
    let epoch = |step: usize| step as f64 / per_epoch as f64;
    let best = evals.iter().min_by(|a, b| a.1.total_cmp(&b.1)).map(|&(step, loss)| Best { step, loss });
    Training {
        total_steps: total,
        steps_per_epoch: per_epoch,
        optimizer: Optimizer::ADAMW,
        gradient_checkpointing: false,
        seconds: 4325.0,
        tokens_per_second: 152.4,
        peak_memory_bytes: 2_812_000_000,
        steps: (1..=total)
            .map(|step| Step {
                step,
                epoch: epoch(step),
                loss: loss(step),
                learning_rate: rate(step),
                grad_norm: 1.4 / (1.0 + 0.05 * step as f64) + 0.1 * (step % 4) as f64,
                tokens: 10_960,
                supervised_tokens: 9_472,
                seconds: 71.5,
            })
            .collect(),
        evals: evals
            .iter()
            .map(|&(step, loss)| Eval { step, epoch: epoch(step), loss, trainer_eval_loss: loss + 0.0031 })
            .collect(),
        best,
    }
}

/// How much fine-tuning lowers the loss of a token, and how much that differs from row to row.
struct Effect {
    masked: f64,
    full: f64,
    spread: f64,
}

/// Rows, their sums and their statistics.
fn evaluation(rows: usize, effect: Effect) -> Evaluation {
    let mut state = 7u64;
    // Knuth's MMIX generator: enough noise for a fixture, and no dependency.
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    };
    let rows: Vec<RowScores> = (0..rows)
        .map(|_| {
            let masked_tokens = (148.0 + 40.0 * noise()) as usize;
            let full_tokens = masked_tokens + 19;
            let (base_masked, base_full) = (2.0 + 0.8 * noise(), 2.4 + 0.8 * noise());
            let (shift_masked, shift_full) =
                (effect.masked + effect.spread * noise(), effect.full + effect.spread * noise());
            let nll = |loss: f64, tokens: usize| loss * tokens as f64;
            RowScores {
                masked_tokens,
                full_tokens,
                masked_bytes: masked_tokens * 4,
                full_bytes: full_tokens * 4,
                baseline: RowNll {
                    masked: nll(base_masked, masked_tokens),
                    full: nll(base_full, full_tokens),
                },
                fine_tuned: Some(RowNll {
                    masked: nll(base_masked - shift_masked, masked_tokens),
                    full: nll(base_full - shift_full, full_tokens),
                }),
            }
        })
        .collect();
    let score = |tokens: fn(&RowScores) -> usize, nll: &dyn Fn(&RowScores) -> f64| {
        let (tokens, nll) = (rows.iter().map(tokens).sum::<usize>(), rows.iter().map(nll).sum::<f64>());
        let loss = nll / tokens as f64;
        Score { nll, tokens, loss, perplexity: loss.exp() }
    };
    let after = |row: &RowScores| row.fine_tuned.expect("this fixture has both sides");
    let paired = |masked: bool| -> Vec<PairedRow> {
        rows.iter()
            .map(|row| {
                let (before, after) = (row.baseline, after(row));
                match masked {
                    true => PairedRow {
                        tokens: row.masked_tokens,
                        bytes: row.masked_bytes,
                        baseline_nll: before.masked,
                        fine_tuned_nll: after.masked,
                    },
                    false => PairedRow {
                        tokens: row.full_tokens,
                        bytes: row.full_bytes,
                        baseline_nll: before.full,
                        fine_tuned_nll: after.full,
                    },
                }
            })
            .collect()
    };
    let compared = |masked| statistics::compare(&paired(masked), 3407).expect("the rows have tokens");
    Evaluation {
        baseline: Some(Scores {
            masked: score(|row| row.masked_tokens, &|row| row.baseline.masked),
            full: score(|row| row.full_tokens, &|row| row.baseline.full),
        }),
        fine_tuned: Some(Scores {
            masked: score(|row| row.masked_tokens, &|row| after(row).masked),
            full: score(|row| row.full_tokens, &|row| after(row).full),
        }),
        statistics: Some(Statistics { masked: compared(true), full: compared(false) }),
        rows,
    }
}

fn output(kind: &str, path: &str, bytes: u64) -> Output {
    let dtype = (!kind.ends_with("split")).then(|| "F32".into());
    let merged_into = (kind == "merged").then(|| "F16".into());
    Output { kind: kind.into(), path: path.into(), bytes, dtype, merged_into }
}

fn environment() -> Environment {
    Environment {
        started_at: "2026-11-24T09:30:00+03:00".into(),
        finished_at: Some("2026-11-24T10:44:00+03:00".into()),
        tezgah_version: "0.1.0".into(),
        git_commit: Some("0123456789abcdef0123456789abcdef01234567".into()),
        git_dirty: false,
        command: ["a1", "--model", "smollm2.gguf", "--data", "a1.json"].map(String::from).to_vec(),
        platform: "linux x86_64".into(),
        cpu: "Intel(R) Xeon(R) Platinum 8481C".into(),
        threads: 2,
        memory_bytes: 16_000_000_000,
        device: "cpu".into(),
        accelerator: None,
    }
}
