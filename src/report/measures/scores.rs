//! Loss and perplexity of base and best adapter, and how one follows from the other; each is printed to the digit that
//! its interval supports.

use super::{Mask, change};
use crate::record::levels::LevelEntry;
use crate::record::{RunRecord, Score, Scores};
use crate::report::quantity::Quantity;
use crate::statistics::{Comparison, Statistics};

/// Loss and perplexity of base and best adapter under one mask.
#[derive(Debug, Clone)]
pub(crate) struct BothScores<'a> {
    /// Where both stand in the record.
    at: String,
    /// The mask of both.
    pub(crate) mask: Mask,
    /// The base model.
    pub(crate) baseline: &'a Score,
    /// The best adapter.
    pub(crate) fine_tuned: &'a Score,
    /// Intervals and tests, where rows were recorded.
    pub(crate) statistics: Option<&'a Comparison>,
}

impl BothScores<'_> {
    fn path(&self, side: &str, field: &str) -> String {
        format!("{}.{side}.{}.{field}", self.at, self.mask.name())
    }

    /// The base model's loss.
    pub(crate) fn baseline_loss(&self) -> Quantity {
        let path = self.path("baseline", "loss");
        Quantity::new(path, self.baseline.loss).within(self.statistics.map(|both| &both.baseline.loss))
    }

    /// The best adapter's loss.
    pub(crate) fn fine_tuned_loss(&self) -> Quantity {
        let path = self.path("fine_tuned", "loss");
        Quantity::new(path, self.fine_tuned.loss).within(self.statistics.map(|both| &both.fine_tuned.loss))
    }

    /// The base model's perplexity.
    pub(crate) fn baseline_perplexity(&self) -> Quantity {
        let path = self.path("baseline", "perplexity");
        let interval = self.statistics.and_then(|both| both.baseline.perplexity.as_ref());
        Quantity::new(path, self.baseline.perplexity).within(interval)
    }

    /// The best adapter's perplexity.
    pub(crate) fn fine_tuned_perplexity(&self) -> Quantity {
        let path = self.path("fine_tuned", "perplexity");
        let interval = self.statistics.and_then(|both| both.fine_tuned.perplexity.as_ref());
        Quantity::new(path, self.fine_tuned.perplexity).within(interval)
    }

    /// B - F of the losses; positive: improved.
    pub(crate) fn gain(&self) -> Quantity {
        let (before, after) = (self.baseline_loss(), self.fine_tuned_loss());
        Quantity::new(format!("{} - {}", before.path, after.path), before.real() - after.real())
            .within(self.statistics.map(|both| &both.difference))
    }

    /// |B - F| / B of the losses, as a fraction.
    pub(crate) fn loss_change(&self) -> Quantity {
        unsigned(self.signed_loss_change())
    }

    /// |B - F| / B of the perplexities, as a fraction.
    pub(crate) fn perplexity_change(&self) -> Quantity {
        unsigned(self.signed_perplexity_change())
    }

    /// F / B - 1 of the losses, as a fraction; negative: improved.
    pub(crate) fn signed_loss_change(&self) -> Quantity {
        let interval = self.statistics.and_then(|both| both.relative_loss_reduction.as_ref());
        change(&self.fine_tuned_loss(), &self.baseline_loss()).within(interval)
    }

    /// F / B - 1 of the perplexities, as a fraction; negative: improved.
    pub(crate) fn signed_perplexity_change(&self) -> Quantity {
        let interval = self.statistics.and_then(|both| both.relative_perplexity_reduction.as_ref());
        change(&self.fine_tuned_perplexity(), &self.baseline_perplexity()).within(interval)
    }
}

/// The amount without its sign.
fn unsigned(signed: Quantity) -> Quantity {
    Quantity { path: format!("abs({})", signed.path), value: signed.real().abs().into(), ..signed }
}

/// Base and best adapter of a run under `mask`, where both were evaluated.
pub(crate) fn both_scores(record: &RunRecord, mask: Mask) -> Option<BothScores<'_>> {
    let evaluation = &record.evaluation;
    let both = (evaluation.baseline.as_ref()?, evaluation.fine_tuned.as_ref()?);
    Some(of("evaluation".to_string(), mask, both, evaluation.statistics.as_ref()))
}

/// The same of `entry`, the level at `index` of a comparison.
pub(crate) fn level_scores(index: usize, entry: &LevelEntry, mask: Mask) -> BothScores<'_> {
    of(format!("levels[{index}]"), mask, (&entry.baseline, &entry.fine_tuned), entry.statistics.as_ref())
}

fn of<'a>(
    at: String,
    mask: Mask,
    (baseline, fine_tuned): (&'a Scores, &'a Scores),
    statistics: Option<&'a Statistics>,
) -> BothScores<'a> {
    BothScores {
        at,
        mask,
        baseline: mask.of(&baseline.masked, &baseline.full),
        fine_tuned: mask.of(&fine_tuned.masked, &fine_tuned.full),
        statistics: statistics.map(|both| mask.of(&both.masked, &both.full)),
    }
}
