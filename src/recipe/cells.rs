//! The cells of a run, and which setting each of them reads: what a changed setting makes anew, and what it leaves.

/// A part of a run whose result is kept in the run's folder, in the order in which they are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// The rows, read, split and counted.
    Rows,
    /// The base model's facts, as it lies in memory.
    BaseModel,
    /// The base model on the held-out rows.
    Baseline,
    /// The update.
    Training,
    /// Base and update on the same rows, and what the difference is worth.
    FineTuned,
    /// Texts of the held-out prompts.
    Texts,
    /// What the texts measure.
    Measures,
    /// Base and update in one folder.
    Export,
}

impl Cell {
    /// All, in the order of a run.
    pub const ALL: [Cell; 8] = [
        Cell::Rows,
        Cell::BaseModel,
        Cell::Baseline,
        Cell::Training,
        Cell::FineTuned,
        Cell::Texts,
        Cell::Measures,
        Cell::Export,
    ];

    /// Its name in messages and in its folder.
    pub fn name(self) -> &'static str {
        match self {
            Cell::Rows => "rows",
            Cell::BaseModel => "base_model",
            Cell::Baseline => "baseline",
            Cell::Training => "training",
            Cell::FineTuned => "fine_tuned",
            Cell::Texts => "texts",
            Cell::Measures => "measures",
            Cell::Export => "export",
        }
    }

    /// Raised where a change of the program gives the cell another result from the same settings: what an older program
    /// kept is then computed again.
    pub(crate) fn version(self) -> u32 {
        match self {
            // 2: the overlap of the two parts.
            Cell::Rows => 2,
            // 2: the prompt's loss by itself. 3: the half of the rows with the least overlap.
            Cell::FineTuned => 3,
            // 2: all held-out prompts.
            Cell::Texts => 2,
            // 2: the template that it was trained in, and what else other programs look for.
            Cell::Export => 2,
            _ => 1,
        }
    }

    /// Whether the setting at `path` reaches the cell's result. One that is not told apart here reaches the training and
    /// all that follows from it.
    pub fn reads(self, path: &str) -> bool {
        let is_of = |group: &str| path.starts_with(group);
        let eval_batch = path == "train.eval_batch_size";
        let is_apart =
            eval_batch || path == "train.save_total_limit" || is_of("samples.") || is_of("export.");
        let training = !is_apart;
        match self {
            Cell::Rows => is_of("data."),
            // Of the update it counts the parameters.
            Cell::BaseModel => is_of("model.") || ["lora.rank", "lora.target_modules"].contains(&path),
            Cell::Baseline => is_of("data.") || is_of("model.") || eval_batch,
            Cell::Training => training,
            Cell::FineTuned => training || eval_batch,
            Cell::Texts | Cell::Measures => training || is_of("samples."),
            Cell::Export => training || is_of("export."),
        }
    }
}

/// The settings of `paths` by what they make anew, as the README shows it: settings that reach the same cells share a row.
pub fn table(paths: &[String]) -> String {
    let mut rows: Vec<(Vec<&str>, Vec<Cell>)> = Vec::new();
    for path in paths {
        let cells: Vec<Cell> = Cell::ALL.into_iter().filter(|cell| cell.reads(path)).collect();
        match rows.iter_mut().find(|(_, of)| *of == cells) {
            Some((settings, _)) => settings.push(path),
            None => rows.push((vec![path], cells)),
        }
    }
    let mut text = String::from("| a change of | computes again |\n|---|---|\n");
    for (settings, cells) in rows {
        let settings: Vec<String> = settings.iter().map(|path| format!("`{path}`")).collect();
        let cells: Vec<&str> = cells.iter().map(|cell| cell.name()).collect();
        let cells = if cells.is_empty() { "nothing".into() } else { cells.join(", ") };
        text.push_str(&format!("| {} | {cells} |\n", settings.join(", ")));
    }
    text
}
