//! The run of each level that a thesis should report, by the rule of [`Choice`].
//!
//! The smaller combination beside it is that of the one-standard-error rule (Breiman, Friedman, Olshen & Stone 1984): with the
//! chosen combination's mean m, standard deviation s and n seeds, a mean up to m + s / √n is as good.

use super::{Choice, Group, RunnerUp, Smaller, SweepRun};
use crate::level::Level;

/// One choice a level that has a combination whose planned runs are all finished.
pub(super) fn choices(levels: &[Level], seeds: &[u64], runs: &[SweepRun], groups: &[Group]) -> Vec<Choice> {
    levels.iter().filter_map(|level| choice(*level, seeds, runs, groups)).collect()
}

fn choice(level: Level, seeds: &[u64], runs: &[SweepRun], groups: &[Group]) -> Option<Choice> {
    let is_whole = |group: &&Group| group.level == level && group.runs.len() == group.planned;
    let mut whole: Vec<&Group> = groups.iter().filter(is_whole).collect();
    // Of equal means the smaller one; the sort is stable, so that the order of the values decides after that.
    whole.sort_by(|left, right| {
        let of = |group: &Group| group.selection_loss.mean;
        of(left).total_cmp(&of(right)).then(left.trained_parameters.cmp(&right.trained_parameters))
    });
    let chosen = *whole.first()?;
    let place = |run: &&SweepRun| seeds.iter().position(|seed| *seed == run.seed);
    let run = runs.iter().filter(|run| chosen.runs.contains(&run.name)).min_by_key(place)?;
    Some(Choice {
        level,
        settings: chosen.settings.clone(),
        run: run.name.clone(),
        loss: chosen.selection_loss.mean,
        seeds: chosen.selection_loss.n,
        among: whole.len(),
        runner_up: whole.get(1).map(|second| runner_up(chosen, second)),
        smaller: smaller(chosen, &whole),
    })
}

fn runner_up(chosen: &Group, second: &Group) -> RunnerUp {
    let distance = second.selection_loss.mean - chosen.selection_loss.mean;
    let deviations = [chosen, second].into_iter().filter_map(|group| group.selection_loss.standard_deviation);
    RunnerUp {
        settings: second.settings.clone(),
        loss: second.selection_loss.mean,
        distance,
        within_spread: deviations.reduce(f64::max).map(|spread| distance < spread),
    }
}

fn smaller(chosen: &Group, whole: &[&Group]) -> Option<Smaller> {
    let standard_error = chosen.standard_error()?;
    let is_as_good = |group: &&&Group| {
        group.trained_parameters < chosen.trained_parameters
            && group.selection_loss.mean <= chosen.selection_loss.mean + standard_error
    };
    // From the lowest mean on: of equally small ones the first is the better one.
    let smallest = whole.iter().filter(is_as_good).min_by_key(|group| group.trained_parameters)?;
    Some(Smaller {
        settings: smallest.settings.clone(),
        loss: smallest.selection_loss.mean,
        parameters_ratio: smallest.trained_parameters as f64 / chosen.trained_parameters as f64,
        standard_error,
    })
}
