//! What the README says of a card's memory is what the estimate says.

use crate::reference::seed_recipe;
use candle_core::DType;
use tezgah::model::files::config::LlamaConfig;
use tezgah::model::files::source::{ModelSource, open};
use tezgah::model::network::llama::Activations;
use tezgah::recipe::Quantization;
use tezgah::train::memory::{Estimate, Largest, Need, Place};

/// Tokens of a row in the README's table.
const ROW: usize = 200;

#[test]
fn the_readme_says_what_fits_on_a_card() {
    let config =
        LlamaConfig::from_json("1B", include_str!("../../benches/llama_3_2_1b.json")).expect("config");
    let weights = &open(&ModelSource::Demo).expect("a checkpoint, which nothing is read from").weights;
    let lora = &seed_recipe().lora;
    let needed = |rows: usize, activations| {
        let need = Need {
            config: &config,
            weights,
            quantization: Quantization::Nf4Double,
            lora,
            dtype: DType::BF16,
            place: Place::Cuda,
            largest: Largest::of(&vec![ROW; rows], rows * ROW),
        };
        Estimate::new(need, activations).total()
    };
    let readme = include_str!("../../README.md");
    let line = |gigabytes: u64| {
        let free = (gigabytes - 1) << 30;
        let most = |activations| (1..).take_while(|&rows| needed(rows, activations) <= free).count();
        let (kept, recomputed) = (most(Activations::Keep), most(Activations::Recompute));
        format!("| {gigabytes} GB | {kept} | {recomputed} |\n")
    };
    let table: String = [8, 12, 16, 24].map(line).concat();
    assert!(readme.contains(&table), "README: expected\n{table}");
}
