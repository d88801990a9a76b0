//! What Slurm is asked for, in a TOML file of the user's: `templates/sweep/slurm.toml` is one with every key explained.
//!
//! Each value becomes a word of a line `#SBATCH --key=value`. What could end that word, its line or its quotes is refused here,
//! where file and key are known, and not by a job that fails hours later.

use super::time;
use crate::error::{Error, Result};
use serde::Deserialize;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

/// What a job array asks for. Everything that is absent is as the cluster has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The queue.
    pub(super) partition: Option<String>,
    /// Whose hours are spent.
    pub(super) account: Option<String>,
    /// Wall time of one task, in a form of sbatch's.
    pub(super) time: Option<String>,
    /// Generic resources: `gpu:1`.
    pub(super) gres: Option<String>,
    /// Processors of one task.
    pub(super) cpus_per_task: Option<NonZeroU32>,
    /// Memory of one task: `16G`.
    pub(super) mem: Option<String>,
    /// Features that a node must have.
    pub(super) constraint: Option<String>,
    /// Environment modules, in the order in which they are loaded.
    pub(super) modules: Vec<String>,
    /// Lines of shell before the run.
    pub(super) prologue: String,
    /// What a task runs; the program that plans where it is absent.
    pub(super) program: Option<PathBuf>,
    /// Words before the program: a container's `apptainer exec …`.
    pub(super) launcher: Vec<String>,
    /// How long before its time limit a task is told to save, in seconds.
    pub(super) signal_seconds: u32,
    /// Tasks that run at the same time, at most.
    pub(super) at_once: Option<NonZeroU32>,
    /// No task asks the internet for a model.
    pub(super) offline: bool,
    /// Further options of sbatch, as they are: `--qos=long`.
    pub(super) extra: Vec<String>,
    /// Further arguments of a task, such as `--keep best`: what the call says, and not the file.
    #[serde(skip)]
    pub task_arguments: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            partition: None,
            account: None,
            time: None,
            gres: None,
            cpus_per_task: None,
            mem: None,
            constraint: None,
            modules: Vec::new(),
            prologue: String::new(),
            program: None,
            launcher: Vec::new(),
            // The run saves at the end of the step that it is at; three minutes are many steps of a GPU, and one of a slow CPU.
            signal_seconds: 180,
            at_once: None,
            offline: false,
            extra: Vec::new(),
            task_arguments: Vec::new(),
        }
    }
}

/// Options that the script itself gives: another value would take from a task its log, its signal or its requeue.
const OWN: [&str; 10] = [
    "--job-name",
    "--array",
    "--chdir",
    "--output",
    "--error",
    "--open-mode",
    "--requeue",
    "--no-requeue",
    "--signal",
    "--parsable",
];

impl Settings {
    /// The settings of a file; without one, what every cluster has by itself.
    ///
    /// # Errors
    /// `Error::File` where it cannot be read; `Error::Data` with the line or the key, expected and got.
    pub fn read(path: Option<&Path>) -> Result<Settings> {
        let Some(path) = path else { return Ok(Settings::default()) };
        let bytes = std::fs::read(path).map_err(|error| Error::file(path, error))?;
        let name = path.display().to_string();
        Settings::parse(&name, Error::unless_text(&name, &bytes)?)
    }

    fn parse(name: &str, text: &str) -> Result<Settings> {
        let refused = |message: String| Error::Data { path: name.to_string(), row: None, message };
        let settings: Settings = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            refused(format!("line {line}: {}", error.message().replace('\n', " ")))
        })?;
        settings.check().map_err(refused)?;
        Ok(settings)
    }

    /// The options of sbatch that follow from the settings, a line each.
    pub(super) fn options(&self) -> Vec<String> {
        let cpus = self.cpus_per_task.map(|count| count.to_string());
        let pairs = [
            ("partition", &self.partition),
            ("account", &self.account),
            ("time", &self.time),
            ("gres", &self.gres),
            ("cpus-per-task", &cpus),
            ("mem", &self.mem),
            ("constraint", &self.constraint),
        ];
        let given = pairs.into_iter().filter_map(|(key, value)| Some(format!("--{key}={}", value.as_ref()?)));
        given.chain(self.extra.iter().cloned()).collect()
    }

    fn check(&self) -> std::result::Result<(), String> {
        let single = [
            ("partition", &self.partition),
            ("account", &self.account),
            ("time", &self.time),
            ("gres", &self.gres),
            ("mem", &self.mem),
            ("constraint", &self.constraint),
        ];
        let single = single.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
        let several = [("modules", &self.modules), ("extra", &self.extra)];
        let several =
            several.into_iter().flat_map(|(key, values)| values.iter().map(move |value| (key, value)));
        if let Some((key, value)) = single.chain(several).find(|(_, value)| !is_word(value)) {
            return Err(format!(
                "{key}: expected one word without quotes, backslashes and #, got '{}'",
                value.escape_debug()
            ));
        }
        if let Some(option) = self.extra.iter().find(|option| !is_free(option)) {
            return Err(format!(
                "extra: expected an option --… that the script does not give itself, got '{option}'"
            ));
        }
        self.check_script()?;
        self.check_time()
    }

    /// What goes into the script between quotes, or as it is.
    fn check_script(&self) -> std::result::Result<(), String> {
        let program = self.program.as_ref().map(|path| path.to_string_lossy().into_owned());
        let words = self.launcher.iter().map(|word| ("launcher", word));
        let mut words = words.chain(program.iter().map(|word| ("program", word)));
        if let Some((key, word)) = words.find(|(_, word)| word.is_empty() || word.contains(char::is_control))
        {
            return Err(format!("{key}: expected words of one line, got '{}'", word.escape_debug()));
        }
        let is_foreign = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
        match self.prologue.contains(is_foreign) {
            true => {
                Err("prologue: expected lines of shell, got a control character (a Windows line end?)".into())
            }
            false => Ok(()),
        }
    }

    /// A task that is told to save as soon as it begins would be queued for ever.
    fn check_time(&self) -> std::result::Result<(), String> {
        // --signal takes 16 bits.
        if !(1..=65_535).contains(&self.signal_seconds) {
            return Err(format!("signal_seconds: expected 1 to 65535, got {}", self.signal_seconds));
        }
        let Some(time) = &self.time else { return Ok(()) };
        let Some(seconds) = time::seconds(time).filter(|seconds| *seconds > 0) else {
            return Err(format!(
                "time: expected minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes or \
                 days-hours:minutes:seconds, got '{time}'"
            ));
        };
        // Slurm's clock is coarse: the signal may come a minute early.
        let least = u64::from(self.signal_seconds) + 60;
        match seconds > least {
            true => Ok(()),
            false => Err(format!(
                "time: expected more than signal_seconds and a minute, {least} seconds, got '{time}', which is {seconds}: a \
                 task would be told to save as soon as it begins"
            )),
        }
    }
}

fn is_word(value: &str) -> bool {
    !value.is_empty() && value.chars().all(|letter| letter.is_ascii_graphic() && !"'\"\\#".contains(letter))
}

fn is_free(option: &str) -> bool {
    let name = option.split('=').next().unwrap_or_default();
    name.len() > 2 && name.starts_with("--") && !OWN.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example is the manual: it is read as it is, and with every line that is commented out.
    #[test]
    fn the_example_is_read_as_it_is_and_with_all_its_keys() {
        let example = include_str!("../../../../templates/sweep/slurm.toml");
        Settings::parse("slurm.toml", example).expect("as it is");
        let is_key =
            |line: &str| line.starts_with(|letter: char| letter.is_ascii_lowercase()) && line.contains(" = ");
        let uncommented = |line: &str| match line.strip_prefix("# ").filter(|rest| is_key(rest)) {
            Some(rest) => rest.to_string(),
            None => line.to_string(),
        };
        let whole: Vec<String> = example.lines().map(uncommented).collect();
        let settings = Settings::parse("slurm.toml", &whole.join("\n")).expect("with all keys");
        let given = [&settings.partition, &settings.account, &settings.time, &settings.gres, &settings.mem];
        assert!(given.iter().all(|value| value.is_some()) && settings.constraint.is_some(), "{settings:?}");
        assert!(settings.cpus_per_task.is_some() && settings.at_once.is_some(), "{settings:?}");
        assert!(
            !settings.extra.is_empty() && !settings.launcher.is_empty() && settings.offline,
            "{settings:?}"
        );
        assert!(settings.program.is_some() && !settings.modules.is_empty(), "{settings:?}");
    }

    #[test]
    fn what_would_break_the_script_is_refused_with_its_key() {
        for (text, expected) in [
            ("partition = \"low\\nrm -rf /\"", "partition: expected one word"),
            ("account = \"a b\"", "account: expected one word"),
            ("constraint = \"a'b\"", "constraint: expected one word"),
            ("modules = [\"cuda\", \"\"]", "modules: expected one word"),
            ("extra = [\"--qos=a\", \"--array=0-9\"]", "extra: expected an option"),
            ("extra = [\"-p\"]", "extra: expected an option"),
            ("launcher = [\"a\\tb\"]", "launcher: expected words of one line"),
            ("prologue = \"a\\r\\nb\"", "prologue: expected lines of shell"),
            ("signal_seconds = 0", "signal_seconds: expected 1 to 65535, got 0"),
            ("time = \"8h\"", "time: expected minutes"),
            ("time = \"2\"", "got '2', which is 120"),
            ("cpus_per_task = 0", "line 1: "),
            ("\npartitoin = \"low\"", "line 2: unknown field `partitoin`"),
        ] {
            let error = Settings::parse("a.toml", text).expect_err(text).to_string();
            assert!(error.starts_with("a.toml: ") && error.contains(expected), "{text}: {error}");
            assert!(!error.contains('\n'), "{text}: {error}");
        }
    }
}
