//! What people and judges said of each level's texts, as its run's ratings have it.

use crate::level::Level;
use crate::record::RunRecord;
use crate::record::ratings::Panel;
use crate::record::texts::System;
use crate::statistics::Interval;
use serde::{Deserialize, Serialize};

/// One panel on one level's texts, by its first criterion: how well they fit the level that they were asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelRating {
    /// The level.
    pub level: Level,
    /// The judge model; absent where people rated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge: Option<String>,
    /// Raters who answered; of a judge, rounds.
    pub raters: usize,
    /// The fine-tuned model's texts.
    pub fine_tuned: Interval,
    /// Those minus the texts that stood beside them, item by item; absent where no item has both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Interval>,
}

/// What the panels said of the texts of `record`, where they said something of its fine-tuned model.
pub(super) fn of_level(record: &RunRecord) -> Vec<LevelRating> {
    let panels = record.ratings.iter().flat_map(|ratings| &ratings.panels);
    panels.filter_map(|panel| of_panel(record.level, panel)).collect()
}

fn of_panel(level: Level, panel: &Panel) -> Option<LevelRating> {
    let criterion = &panel.level()?.key;
    let is_own = |system: System, key: &str| system == System::FineTuned && key == criterion;
    let score = panel.scores.iter().find(|score| is_own(score.system, &score.criterion))?;
    let is_beside = |against: System, key: &str| against == panel.against && key == criterion;
    let difference = panel.differences.iter().find(|of| is_beside(of.against, &of.criterion));
    Some(LevelRating {
        level,
        judge: panel.who.name().map(str::to_string),
        raters: panel.answered(),
        fine_tuned: score.mean,
        difference: difference.map(|of| of.difference),
    })
}
