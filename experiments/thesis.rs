//! The thesis's experiment, the same for every level: the settings with their reasons, and the run cell by cell.
//!
//! A level's own file (`experiments/a1.rs` and its four neighbours) asks the question and brings its rows;
//! what it does not say otherwise stands here.

use crate::device;
use crate::recipe::*;
use crate::run::{self, Listing, Notebook, Procedure, Question};
use crate::series;
use crate::train::training;
use clap::Parser;
use std::process::ExitCode;

/// ## Settings
///
/// Every choice that can move a number stands here, and goes into the record as it was used.
pub fn recipe() -> Recipe {
    Recipe {
        // A tenth of the rows is held out. The split has its own seed: a run with another training seed
        // must meet the same 200 rows, or the two could not be compared.
        data: DataRecipe {
            split_seed: 42,
            eval_fraction: 0.1,
            // The seed's split has two parts, so that the checkpoint is chosen on the rows that report the result; the
            // document says so. With a tenth here it is chosen on other rows, and those 200 stay the ones reported.
            test_fraction: 0.0,
            // Each row goes by itself; `near_duplicates` keeps together what shares most of its eight running words.
            group_by: GroupBy::None,
            near_duplicate_share: 0.5,
            max_seq_len: 2048,
        },

        // The base is frozen, so it can be stored in four bits: NF4 with quantized scales, 4.127 bits a
        // weight. What learns stays in 32.
        model: ModelRecipe { quantization: Quantization::Nf4Double, dtype: ModelDtype::Auto },

        // alpha / rank = 2: the update counts double. All seven projections of a layer take part.
        lora: LoraRecipe {
            rank: 128,
            alpha: 256.0,
            dropout: 0.05,
            bias: Bias::None,
            target_modules: Projection::ALL.to_vec(),
        },

        train: TrainRecipe {
            // 16 rows x 4 micro-batches = 64 rows a step; 1800 rows make 29 steps an epoch, 87 in all.
            batch_size: 16,
            eval_batch_size: 16,
            accumulation_steps: 4,
            epochs: 3.0,
            max_steps: 0,
            // 100 steps of warmup are more than the run has: on 1800 rows the rate climbs to the end and
            // reaches 86 % of its peak. The document says so; the choice is the thesis's.
            learning_rate: 2e-4,
            lr_scheduler: LrScheduler::Cosine,
            warmup_steps: 100,
            weight_decay: 0.01,
            max_grad_norm: 1.0,
            // The kept adapter is the one of the lowest held-out loss, not the last.
            eval_steps: 50,
            save_steps: 50,
            save_total_limit: 5,
            load_best_at_end: true,
            // All 87 steps are made, whatever the evaluations say: two of them could not tell a turn from chance.
            early_stopping_patience: 0,
            seed: 3407,
            shuffle: true,
            gradient_checkpointing: Checkpointing::Auto,
            loss_on: LossOn::Response,
        },

        // Every held-out prompt is answered, greedily: the same texts in every rerun.
        samples: SamplesRecipe {
            count: 10_000,
            max_new_tokens: 192,
            batch_size: 32,
            temperature: 0.0,
            top_p: 1.0,
            repetition_penalty: 1.0,
            per_prompt: 1,
            seed: 3407,
        },

        // The folders that every run writes are enough for transformers and PEFT; `--set export.gguf=q8_0` adds a file for
        // llama.cpp and Ollama.
        export: ExportRecipe::default(),
    }
}

/// ## The run
///
/// Each cell leads to the next, and a cell out of its order does not compile; see [`crate::run`]. What a cell gave is kept
/// in the run's folder and used again while nothing that it follows from has changed.
///
/// # Errors
/// As the cells. The record of a run that fails says so.
pub fn procedure(notebook: Notebook) -> anyhow::Result<()> {
    // ## The rows
    // Rows are checked, split and encoded by the base model's tokenizer, which decides what a token is; duplicates and
    // leaks are counted, not mended: the document reports them.
    let study = notebook.prepare()?;
    if study.stops_at_preview()? {
        return Ok(());
    }

    // ## Before
    // The same rows and the same two masks that come back at the end.
    let measured = study.load()?.evaluate_baseline()?;

    // ## Training
    // B starts at zero, so the first step meets exactly the model that was just measured. The loop is `training::run`:
    // windows of micro-batches, an update each, evaluations, checkpoints, the best adapter at the end.
    let tuned = measured.train(training::LOOP)?;

    // ## After
    // The adapter of the best evaluation, with the base still at hand for the texts beside it.
    let mut evaluated = tuned.evaluate()?;
    evaluated.sample()?;

    // ## What is kept, and what is said about it
    // From here on no tensor is seen again: the report knows the record and nothing else.
    Ok(evaluated.finish()?)
}

/// The cells with their source, which `defter.html` shows.
pub const PROCEDURE: Procedure =
    Procedure { source: Listing { file: file!(), text: include_str!("thesis.rs") }, cells: procedure };

/// The program of one level: reads the flags, runs, and answers for its errors by one line with their causes and exit
/// code 1.
pub fn main(question: &Question) -> ExitCode {
    let flags = crate::cli::Flags::parse();
    run::answer(device::among_threads(|| series::run(question, PROCEDURE, &flags)))
}
