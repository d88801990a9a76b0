//! Findings on the base model and its adapter.

use super::{Finding, Kind};
use crate::recipe::Quantization;
use crate::record::RunRecord;
use crate::report::finding::Claim;
use crate::report::measures;
use crate::report::quantity::Quantity;

pub(super) fn findings(record: &RunRecord) -> Vec<Finding> {
    let model = &record.model;
    let mut findings = Vec::new();
    if let Some(share) = measures::trainable_share(record) {
        let counts = [
            ("trainable", Quantity::new("model.trainable_parameters", model.trainable_parameters)),
            ("parameters", Quantity::new("model.parameters", model.parameters)),
            ("rank", Quantity::new("recipe.lora.rank", record.recipe.lora.rank)),
            ("share", share),
        ];
        findings.push(match measures::spared_share(record) {
            Some(spared) => {
                let mut finding = Kind::TrainableShare.with(counts);
                finding.evidence.insert("spared", spared);
                finding
            }
            None => Kind::TrainableExceedsBase.with(counts),
        });
    }
    let bytes = Quantity::new("model.weight_bytes", model.weight_bytes);
    match (measures::is_quantized(record), measures::weight_memory_saved(record)) {
        (false, _) => findings.push(Kind::DenseBase.with([("bytes", bytes)])),
        // Nothing was loaded, or nothing was saved: there is nothing to say.
        (_, None) => {}
        (_, Some(saved)) => findings.push(Kind::QuantizedBase.with([
            ("bits", Quantity::new("model.bits_per_weight", model.bits_per_weight)),
            ("bytes", bytes),
            ("dense_bytes", Quantity::new("model.dense_weight_bytes", model.dense_weight_bytes)),
            ("saved", saved),
        ])),
    }
    findings.extend(merged(record));
    findings
}

/// What the merged model holds, where the base was quantized. The update is added to the weights as their file
/// has them; those are the evaluated ones only where the file's own types were used.
fn merged(record: &RunRecord) -> Option<Finding> {
    record.outputs.iter().find(|output| output.kind == "merged")?;
    if !measures::is_quantized(record) {
        return None;
    }
    let bits = Quantity::new("model.bits_per_weight", record.model.bits_per_weight);
    match record.model.quantization {
        Quantization::None => None,
        Quantization::AsIs => Some(Kind::MergedIntoDequantized.with([("bits", bits)])),
        _ => Some(Kind::MergedIntoOriginal.with([("bits", bits)])),
    }
}
