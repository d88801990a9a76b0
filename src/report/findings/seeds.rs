//! Findings on the training seed: one, or what several say together.

use super::{Finding, Kind};
use crate::record::RunRecord;
use crate::report::finding::Claim;
use crate::report::quantity::Quantity;

pub(super) fn findings(record: &RunRecord) -> Vec<Finding> {
    let seed = Quantity::new("recipe.train.seed", record.recipe.train.seed);
    let single = vec![Kind::SingleSeed.with([("seed", seed)])];
    let Some(replicates) = &record.replicates else { return single };
    let (masked, full) = (&replicates.masked, &replicates.full);
    // A deviation is there from two seeds on; of one, nothing was measured.
    let (Some(deviation), Some(improvement_deviation), Some(full_deviation)) = (
        masked.fine_tuned.standard_deviation,
        masked.improvement.standard_deviation,
        full.fine_tuned.standard_deviation,
    ) else {
        return single;
    };
    let quantity = |field: &str, value: f64| Quantity::new(format!("replicates.{field}"), value);
    let n = || Quantity::new("replicates.masked.fine_tuned.n", masked.fine_tuned.n);
    let lowest = || quantity("masked.improvement.min", masked.improvement.min);
    let highest = || quantity("masked.improvement.max", masked.improvement.max);
    let is_one_sign = masked.improvement.min > 0.0 || masked.improvement.max < 0.0;
    let agreement = if is_one_sign { Kind::SeedsAgree } else { Kind::SeedsDisagree };
    vec![
        Kind::SeveralSeeds.with([
            ("n", n()),
            ("mean", quantity("masked.fine_tuned.mean", masked.fine_tuned.mean)),
            ("deviation", quantity("masked.fine_tuned.standard_deviation", deviation)),
            ("lowest", quantity("masked.fine_tuned.min", masked.fine_tuned.min)),
            ("highest", quantity("masked.fine_tuned.max", masked.fine_tuned.max)),
            ("improvement", quantity("masked.improvement.mean", masked.improvement.mean)),
            (
                "improvement_deviation",
                quantity("masked.improvement.standard_deviation", improvement_deviation),
            ),
            ("improvement_lowest", lowest()),
            ("improvement_highest", highest()),
            ("full_mean", quantity("full.fine_tuned.mean", full.fine_tuned.mean)),
            ("full_deviation", quantity("full.fine_tuned.standard_deviation", full_deviation)),
        ]),
        agreement.with([("n", n()), ("lowest", lowest()), ("highest", highest())]),
    ]
}
