//! Which runs one level is to have: every combination of settings with every training seed, the seeds innermost.

use crate::cli::Flags;
use crate::error::Result;
use crate::recipe::Recipe;
use crate::record::sweep::Assignment;

/// One of several runs of a level.
pub(super) struct Member {
    /// The training seed.
    pub(super) seed: u64,
    /// What varies, the seed apart, as it was typed.
    pub(super) settings: Vec<Assignment>,
    /// The flags that make this run alone.
    pub(super) flags: Flags,
    /// Every choice of it.
    pub(super) recipe: Recipe,
}

/// The runs that `flags` ask for, once with each of `combinations`: with every one of `--seeds`, else with the seed that
/// the recipe has then.
///
/// # Errors
/// As [`Flags::apply`]; `Error::Setting` for a seed given twice.
pub(super) fn members(
    recipe: &Recipe,
    flags: &Flags,
    combinations: &[Vec<Assignment>],
) -> Result<Vec<Member>> {
    flags.check_each_seed_once()?;
    let mut members = Vec::new();
    for settings in combinations {
        let mut common = Flags { seeds: Vec::new(), ..flags.clone() };
        common.settings.extend(settings.iter().map(|assignment| typed(recipe, assignment)));
        let mut chosen = recipe.clone();
        common.apply(&mut chosen)?;
        let own = [chosen.train.seed];
        let seeds = if flags.seeds.is_empty() { &own[..] } else { &flags.seeds };
        for &seed in seeds {
            let mut member =
                Member { seed, settings: settings.clone(), flags: common.clone(), recipe: chosen.clone() };
            member.flags.settings.push(format!("train.seed={seed}"));
            member.recipe.train.seed = seed;
            members.push(member);
        }
    }
    Ok(members)
}

/// An assignment as `--set` has it. `,` parts the values of `--vary`, so `+` joins the parts of a value that is a list.
fn typed(recipe: &Recipe, Assignment { path, value }: &Assignment) -> String {
    let is_list = recipe.settings().iter().any(|(known, now)| known == path && now.starts_with('['));
    match is_list {
        true => format!("{path}={}", value.replace('+', ",")),
        false => format!("{path}={value}"),
    }
}
