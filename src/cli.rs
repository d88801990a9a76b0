//! The flags that all experiments share.

use crate::error::{Error, Result};
use crate::level::Level;
use crate::model::network::adapter;
use crate::recipe::{Checkpointing, LoraRecipe, Recipe};
use crate::report::profile::Profile;
use crate::texts::word_list::WordList;
use clap::Parser;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// What a program that runs says by its exit code.
pub const EXIT_CODES: &str = "Exit code: 0 done; 1 the run failed, its record says how; 2 a flag, file, model or device was at \
                              fault and nothing was begun; 130 or 143 interrupted by Ctrl-C or SIGTERM, the same call goes on";

/// What the user typed.
#[derive(Debug, Clone, Parser)]
#[command(
    about = "Fine-tunes a Llama with LoRA on the rows of one CEFR level and writes the Turkish results document",
    after_help = EXIT_CODES
)]
pub struct Flags {
    /// Base model: demo, a folder in Hugging Face layout, a .gguf file, or `org/name[@revision]`
    #[arg(long, value_name = "SRC", default_value = "demo")]
    pub model: String,
    /// Alpaca rows to split: a JSON array or JSONL [default: the level's embedded sample]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["train_file", "eval_file"])]
    pub data: Option<PathBuf>,
    /// Alpaca rows to train on, instead of a split
    #[arg(long, value_name = "FILE", requires = "eval_file")]
    pub train_file: Option<PathBuf>,
    /// Alpaca rows to evaluate on, instead of a split
    #[arg(long, value_name = "FILE", requires = "train_file")]
    pub eval_file: Option<PathBuf>,
    /// Where everything is written [default: reports/LEVEL]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// auto, cpu, cuda, cuda:N or metal
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// Change a setting of the recipe by its dotted path, e.g. lora.rank=64
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    /// Start LoRA from a PEFT adapter folder; its rank, alpha and targets become the recipe's
    #[arg(long, value_name = "DIR")]
    pub init_adapter: Option<PathBuf>,
    /// Held-out prompts that are answered, at most; 0 for none
    #[arg(long, value_name = "N")]
    pub samples: Option<usize>,
    /// Words and their CEFR levels: a table with the columns headword and CEFR or level; may be given again, the lower level
    /// counts [default: the most frequent words, which do not tell levels apart]
    #[arg(long, value_name = "FILE")]
    pub word_list: Vec<PathBuf>,
    /// Repeat the run with each of these training seeds, e.g. 3407,1,2; the first is the documented one
    #[arg(long, value_name = "SEEDS", value_delimiter = ',', conflicts_with_all = ["dry_run", "render_only"])]
    pub seeds: Vec<u64>,
    /// Typography of the documents: varsayilan, apa7, tohum, or a TOML file [default: profil.toml in --out, else
    /// experiments/LEVEL.toml, else experiments/profil.toml, else varsayilan]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Fail where --out holds no checkpoint of this very run; where it does, every call goes on from it
    #[arg(long, conflicts_with_all = ["dry_run", "render_only"])]
    pub resume: bool,
    /// Begin anew; what an earlier run left in --out is moved to its folder earlier/
    #[arg(long, conflicts_with_all = ["dry_run", "render_only", "resume"])]
    pub fresh: bool,
    /// Render the documents again from --out's record.json, without model or data
    #[arg(long, conflicts_with = "dry_run")]
    pub render_only: bool,
    /// The whole path in seconds, on a few rows and steps
    #[arg(long)]
    pub smoke: bool,
    /// Check the data, print the arithmetic and a memory estimate, and stop before training
    #[arg(long)]
    pub dry_run: bool,
    /// Print errors only
    #[arg(long)]
    pub quiet: bool,
}

/// Rows that a smoke run keeps.
pub(crate) const SMOKE_ROWS: usize = 40;

/// A profile that holds for every run into one folder, or for every experiment.
pub(crate) const PROFILE_FILE: &str = "profil.toml";

/// The experiments, from where cargo runs them.
const EXPERIMENTS: &str = "experiments";

/// The typography called `name`: a ready profile, or a TOML file of the user's.
///
/// # Errors
/// As [`Profile::ready`] and [`Profile::parse`]; `Error::File` where the file cannot be read.
pub fn profile(name: &str) -> Result<Profile> {
    if !name.ends_with(".toml") {
        return Profile::ready(name);
    }
    let text = std::fs::read_to_string(name).map_err(|source| Error::file(name, source))?;
    Profile::parse(name, &text)
}

/// Writes `text` to the standard output. A reader that has seen enough (`| head`) is no error.
///
/// # Errors
/// `Error::File` where it cannot be written.
pub fn print(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::file("standard output", error)),
        _ => Ok(()),
    }
}

impl Flags {
    /// The look of the documents: what `--profile` names; without it the TOML file beside the results or beside the
    /// experiment, the nearest first: `out/profil.toml`, `experiments/a1.toml`, `experiments/profil.toml`. No
    /// `level`: a document on several.
    ///
    /// # Errors
    /// A file that cannot be read, or that says what no profile does.
    pub fn profile(&self, out: &Path, level: Option<Level>) -> Result<Profile> {
        let experiments = Path::new(EXPERIMENTS);
        let of_level = level.map(|level| experiments.join(format!("{}.toml", level.slug())));
        if let Some(name) = &self.profile {
            return profile(name);
        }
        let beside = [Some(out.join(PROFILE_FILE)), of_level, Some(experiments.join(PROFILE_FILE))];
        match beside.into_iter().flatten().find(|file| file.is_file()) {
            Some(file) => profile(&file.to_string_lossy()),
            None => Ok(Profile::default()),
        }
    }

    /// The words and their levels that `--word-list` names.
    ///
    /// # Errors
    /// As [`WordList::of`].
    pub(crate) fn word_list(&self) -> Result<WordList> {
        WordList::of(&self.word_list)
    }

    /// The recipe as changed by the flags: smoke first, then the adapter, then `--set` in the order
    /// typed, then the first of `--seeds`. Gives the lines that a person should know: where a setting is not the
    /// adapter's.
    ///
    /// # Errors
    /// An unknown setting or one out of range; an adapter folder that cannot be read; a seed alone, or one given twice.
    pub(crate) fn apply(&self, recipe: &mut Recipe) -> Result<Vec<String>> {
        if self.smoke {
            recipe.train.max_steps = 2;
            recipe.train.batch_size = 4;
            recipe.train.accumulation_steps = 2;
            recipe.train.eval_batch_size = 4;
            recipe.lora.rank = 8;
            recipe.lora.alpha = 16.0;
            recipe.train.gradient_checkpointing = Checkpointing::Off;
            recipe.samples.count = recipe.samples.count.min(1);
            recipe.samples.max_new_tokens = 16;
        }
        let adapter = self.init_adapter.as_deref().map(adapter::settings).transpose()?;
        if let Some(adapter) = &adapter {
            recipe.lora.rank = adapter.rank;
            recipe.lora.alpha = adapter.alpha;
            recipe.lora.target_modules.clone_from(&adapter.targets);
        }
        if let Some(count) = self.samples {
            recipe.samples.count = count;
        }
        for setting in &self.settings {
            recipe.assign(setting)?;
        }
        if let Some(first) = self.seeds.first() {
            self.check_seeds()?;
            recipe.train.seed = *first;
        }
        recipe.check()?;
        Ok(adapter.iter().flat_map(|adapter| disagreements(&recipe.lora, adapter)).collect())
    }

    /// The flags of one level among `count` in the folder `reports`: its own output folder, and its own file of rows,
    /// `a1.json` or `training_data_a1.json` (or `.jsonl`) in the folder that `--data` names.
    ///
    /// # Errors
    /// One file for several levels; a folder without a file for this one.
    pub(crate) fn of_level(&self, level: Level, reports: &Path, count: usize) -> Result<Flags> {
        let mut own = Flags { out: Some(reports.join(level.slug())), ..self.clone() };
        if count > 1 && self.train_file.is_some() {
            return Err(Error::Setting {
                key: "train-file".into(),
                message: format!("expected --data DIR for {count} levels, got one file for all of them"),
            });
        }
        let Some(data) = &self.data else { return Ok(own) };
        let wrong = |message: String| Error::Data { path: data.display().to_string(), row: None, message };
        if data.is_dir() {
            let slug = level.slug();
            let names = ["", "training_data_"].map(|before| ["json", "jsonl"].map(|end| (before, end)));
            let paths =
                names.as_flattened().iter().map(|(before, end)| data.join(format!("{before}{slug}.{end}")));
            own.data = Some(paths.into_iter().find(|path| path.is_file()).ok_or_else(|| {
                wrong(format!(
                    "expected {slug}.json or training_data_{slug}.json (or .jsonl) for {level}, got neither"
                ))
            })?);
        } else if count > 1 {
            return Err(wrong(format!("expected a folder with a file for each of {count} levels, got none")));
        }
        Ok(own)
    }

    /// The arguments that these flags are parsed from, without those that say where and how a run begins: `--out`,
    /// `--seeds`, `--resume`, `--fresh`. What is as it is by default is left out.
    ///
    /// # Errors
    /// `Error::Setting` for a path that is no UTF-8: a list of runs is text.
    pub(crate) fn arguments(&self) -> Result<Vec<String>> {
        // Every field by its name: a new flag that is not given back does not compile.
        let Flags {
            model,
            data,
            train_file,
            eval_file,
            out: _,
            device,
            settings,
            init_adapter,
            samples,
            word_list,
            seeds: _,
            profile,
            resume: _,
            fresh: _,
            render_only,
            smoke,
            dry_run,
            quiet,
        } = self;
        let mut arguments = Vec::new();
        let mut add = |name: &str, value: String| match value.starts_with('-') {
            // By itself it would be taken for a flag.
            true => arguments.push(format!("--{name}={value}")),
            false => arguments.extend([format!("--{name}"), value]),
        };
        let paths = [
            ("data", data),
            ("train-file", train_file),
            ("eval-file", eval_file),
            ("init-adapter", init_adapter),
        ];
        if model != "demo" {
            add("model", model.clone());
        }
        for (name, path) in paths {
            if let Some(path) = path {
                add(name, utf8(name, path)?);
            }
        }
        if device != "auto" {
            add("device", device.clone());
        }
        samples.iter().for_each(|count| add("samples", count.to_string()));
        for path in word_list {
            add("word-list", utf8("word-list", path)?);
        }
        profile.iter().for_each(|name| add("profile", name.clone()));
        settings.iter().for_each(|setting| add("set", setting.clone()));
        let switches =
            [("smoke", smoke), ("render-only", render_only), ("dry-run", dry_run), ("quiet", quiet)];
        arguments.extend(switches.iter().filter(|(_, is_on)| **is_on).map(|(name, _)| format!("--{name}")));
        Ok(arguments)
    }

    /// Before hours of training, and not when they are summarized.
    ///
    /// # Errors
    /// `Error::Setting` for a seed alone, or one given twice.
    pub(crate) fn check_seeds(&self) -> Result<()> {
        if let [alone] = self.seeds.as_slice() {
            let message =
                format!("expected at least two, got {alone} alone; for one run: --set train.seed={alone}");
            return Err(Error::Setting { key: "seeds".into(), message });
        }
        self.check_each_seed_once()
    }

    /// Where one seed by itself is as good as several.
    ///
    /// # Errors
    /// `Error::Setting` for one given twice.
    pub(crate) fn check_each_seed_once(&self) -> Result<()> {
        let refused = |message| Err(Error::Setting { key: "seeds".into(), message });
        let mut sorted = self.seeds.clone();
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => refused(format!("expected each once, got {} twice", pair[0])),
            None => Ok(()),
        }
    }
}

/// The path that a flag names, as text.
fn utf8(flag: &str, path: &Path) -> Result<String> {
    let refused = || Error::Setting {
        key: flag.into(),
        message: format!("expected a path in UTF-8, got {}", path.display()),
    };
    path.to_str().map(str::to_string).ok_or_else(refused)
}

/// Where the recipe is not what the adapter that it begins with was trained with.
fn disagreements(lora: &LoraRecipe, adapter: &adapter::Settings) -> Vec<String> {
    let pairs =
        [("lora.rank", lora.rank as f64, adapter.rank as f64), ("lora.alpha", lora.alpha, adapter.alpha)];
    let differing = pairs.into_iter().filter(|(_, here, there)| here != there);
    let line = |(key, here, there)| {
        let factor = lora.scale() / (adapter.alpha / adapter.rank as f64);
        format!(
            "warning: {key} is {here}, the adapter's is {there}: its update counts {factor} times as much"
        )
    };
    differing.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With the TOML of a ready profile under another name.
    fn named(name: &str) -> String {
        include_str!("../templates/profiles/varsayilan.toml")
            .replace("\"varsayilan\"", &format!("\"{name}\""))
    }

    /// Every flag that a run keeps, in one line and one by one; the arguments are clap's to read.
    #[test]
    fn flags_give_back_the_arguments_that_they_are_parsed_from() {
        let one_file = ["a1", "--model=-m", "--data", "rows.json", "--device", "cpu", "--samples", "0"];
        let settings =
            ["--set", "lora.target_modules=q_proj,v_proj", "--set", "lora.rank=4", "--smoke", "--quiet"];
        let lists =
            ["--word-list", "a.csv", "--word-list", "b.csv", "--profile", "apa7", "--init-adapter", "old"];
        let two_files = ["a1", "--train-file", "t.json", "--eval-file", "e.json", "--dry-run"];
        let elsewhere = ["--out", "there", "--seeds", "1,2", "--fresh"];
        let calls = [
            vec!["a1"],
            [&one_file[..], &settings[..], &lists[..]].concat(),
            two_files.to_vec(),
            vec!["a1", "--render-only"],
            [&one_file[..], &elsewhere[..]].concat(),
        ];
        for call in calls {
            let typed = Flags::parse_from(&call);
            let arguments = typed.arguments().expect("UTF-8 paths");
            let read = Flags::parse_from([vec!["a1".to_string()], arguments.clone()].concat());
            let kept = Flags { out: None, seeds: Vec::new(), resume: false, fresh: false, ..typed };
            assert_eq!(format!("{read:?}"), format!("{kept:?}"), "{arguments:?}");
        }
        assert_eq!(Flags::parse_from(["a1"]).arguments().expect("none"), Vec::<String>::new());
    }

    #[test]
    fn the_flag_goes_before_the_file_beside_the_run_and_that_before_the_default() {
        let folder = tempfile::tempdir().expect("a folder");
        let flags = |arguments: &[&str]| Flags::parse_from([&["a1"], arguments].concat());
        let chosen = |flags: Flags| flags.profile(folder.path(), Some(Level::A1)).map(|profile| profile.name);
        let beside = folder.path().join(PROFILE_FILE);
        let other = folder.path().join("baska.toml").to_string_lossy().into_owned();

        assert_eq!(chosen(flags(&[])).expect("the default"), "varsayilan");
        std::fs::write(&beside, named("enstitü")).expect("written");
        assert_eq!(chosen(flags(&[])).expect("beside the run"), "enstitü");
        assert_eq!(chosen(flags(&["--profile", "apa7"])).expect("a ready one"), "apa7");
        std::fs::write(&other, named("başka")).expect("written");
        assert_eq!(chosen(flags(&["--profile", &other])).expect("a file"), "başka");

        std::fs::write(&beside, "decimal = 1\n").expect("written");
        let error = chosen(flags(&[])).expect_err("no profile").to_string();
        assert!(error.contains(&*beside.to_string_lossy()) && error.contains("line 1"), "{error}");
        let error = chosen(flags(&["--profile", "yok.toml"])).expect_err("no such file").to_string();
        assert!(error.contains("yok.toml"), "{error}");
    }
}
