//! Whether an adapter learned its level or what all levels share, from the matrix of all adapters on all rows.
//!
//! With the base loss B_e of evaluation set e and the loss L_ae of adapter a on it, an adapter's gain is
//! G_ae = B_e - L_ae, in nats a token. Sets differ in how hard they are, so adapters are compared within a set:
//!
//! - own gain: G_ee; others' gain: the mean of G_ae over a ≠ e;
//! - own-level advantage: D_e = G_ee - mean G_ae, what the level's own adapter gives beyond the others';
//! - its share: D_e / G_ee, defined where G_ee > 0.
//!
//! Over the sets, the means of G_ee and D_e are divided once: Σ D_e / Σ G_ee.

use crate::level::Level;
use crate::record::levels::{CrossMatrix, LevelsRecord, OwnAdvantage};
use crate::report::quantity::Quantity;

/// Below this share of the own gain an adapter is no better at home than abroad: what was learned is what the
/// levels share.
pub(super) const OWN_SHARE: f64 = 0.10;

/// One evaluation set, with its own adapter and at least one other.
pub(super) struct SetAdvantage {
    /// The set's level.
    pub(super) level: Level,
    /// G_ee.
    pub(super) own: Quantity,
    /// Mean of G_ae over the other adapters.
    pub(super) others: Quantity,
    /// D_e.
    pub(super) advantage: Quantity,
    /// D_e / G_ee; absent where the own adapter gained nothing.
    pub(super) share: Option<Quantity>,
    /// D_e's interval and test over the rows, and its place in the record; absent where it was not measured.
    pub(super) measured: Option<(usize, OwnAdvantage)>,
    /// The adapter of the lowest loss; absent where two share it.
    pub(super) best: Option<Level>,
}

/// All evaluation sets that can be judged.
pub(super) struct Advantage {
    /// At least one.
    pub(super) sets: Vec<SetAdvantage>,
    /// Mean of G_ee over the sets.
    pub(super) own: Quantity,
    /// Mean of the others' gains over the sets.
    pub(super) others: Quantity,
    /// Σ D_e / Σ G_ee; absent where the own adapters gained nothing on the whole.
    pub(super) share: Option<Quantity>,
}

impl Advantage {
    /// Whether every set's advantage has an interval and a test.
    pub(super) fn is_tested(&self) -> bool {
        self.sets.iter().all(|set| set.measured.is_some())
    }
}

/// The advantages of `record`'s matrix; `None` without one, or where no set has its own adapter and another.
pub(super) fn advantage(record: &LevelsRecord) -> Option<Advantage> {
    let cross = record.cross.as_ref()?;
    let sets: Vec<SetAdvantage> =
        (0..cross.eval_sets.len()).filter_map(|column| of_set(cross, column)).collect();
    if sets.is_empty() {
        return None;
    }
    let mean = |name: &str, value: fn(&SetAdvantage) -> &Quantity| {
        let sum: f64 = sets.iter().map(|set| value(set).real()).sum();
        Quantity::new(format!("mean({name} over cross.eval_sets)"), sum / sets.len() as f64)
    };
    let (own, others) = (mean("own gain", |set| &set.own), mean("others' gain", |set| &set.others));
    let share = share(&own, &mean("own gain - others' gain", |set| &set.advantage));
    Some(Advantage { own, others, share, sets })
}

fn of_set(cross: &CrossMatrix, column: usize) -> Option<SetAdvantage> {
    let level = cross.eval_sets[column];
    let own_row = cross.adapters.iter().position(|adapter| *adapter == level)?;
    let other_rows: Vec<usize> = (0..cross.adapters.len()).filter(|row| *row != own_row).collect();
    if other_rows.is_empty() {
        return None;
    }
    let base = cross.base_loss[column];
    let own_loss = cross.loss[own_row][column];
    let others_loss =
        other_rows.iter().map(|row| cross.loss[*row][column]).sum::<f64>() / other_rows.len() as f64;
    let (base_path, own_path) =
        (format!("cross.base_loss[{column}]"), format!("cross.loss[{own_row}][{column}]"));
    let others_path = format!("mean(cross.loss[adapter != {own_row}][{column}])");
    let own = Quantity::new(format!("{base_path} - {own_path}"), base - own_loss);
    let advantage = Quantity::new(format!("{others_path} - {own_path}"), others_loss - own_loss);

    let lowest = (0..cross.adapters.len()).map(|row| cross.loss[row][column]).fold(f64::INFINITY, f64::min);
    let mut best = (0..cross.adapters.len()).filter(|row| cross.loss[*row][column] == lowest);
    let best = best.next().filter(|_| best.next().is_none()).map(|row| cross.adapters[row]);
    let measured = cross.advantage.iter().copied().enumerate().find(|(_, of)| of.eval_set == level);
    Some(SetAdvantage {
        level,
        measured,
        others: Quantity::new(format!("{base_path} - {others_path}"), base - others_loss),
        share: share(&own, &advantage),
        own,
        advantage,
        best,
    })
}

fn share(own: &Quantity, advantage: &Quantity) -> Option<Quantity> {
    let share = advantage.real() / own.real();
    (own.real() > 0.0 && share.is_finite())
        .then(|| Quantity::new(format!("({}) / ({})", advantage.path, own.path), share))
}
