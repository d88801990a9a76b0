//! The run whose texts are rated: its record, and the tasks that the texts answer.

use crate::data::alpaca::{self, Row};
use crate::error::{Error, Result};
use crate::record::folder::{Part, RunFolder};
use crate::record::ratings::{Panel, Ratings, SCHEMA};
use crate::record::texts::Texts;
use crate::record::{RunRecord, store};

/// A run with texts.
#[derive(Debug, Clone)]
pub struct Rated {
    /// Its folder.
    pub folder: RunFolder,
    /// Its record.
    pub record: RunRecord,
    /// The rows that report the result, which the texts answer, in their order.
    pub rows: Vec<Row>,
    texts: Texts,
}

impl Rated {
    /// Opens the run in `folder`.
    ///
    /// # Errors
    /// As [`RunFolder::read`]; `Error::Setting` where the run has no texts, or none of its fine-tuned model; `Error::Data` where
    /// its held-out rows are not those of its record.
    pub fn open(folder: RunFolder) -> Result<Self> {
        let mut record = folder.read()?;
        let Some(texts) = record.texts.take() else {
            let path = folder.record();
            let message = format!("expected a run with texts (samples.texts), got none in {}", path.display());
            return Err(Error::Setting { key: "run".into(), message });
        };
        let path = folder.split(record.level, Part::reported(&record.dataset));
        let file = alpaca::read(&path)?;
        if file.sha256 != record.dataset.eval_sha256 {
            let message = format!(
                "expected the rows of {}, SHA-256 {}, got {}",
                folder.record().display(),
                record.dataset.eval_sha256,
                file.sha256
            );
            return Err(Error::Data { path: file.name, row: None, message });
        }
        Ok(Rated { folder, record, rows: file.rows, texts })
    }

    /// What its systems wrote.
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    /// What was said of these texts until now; of other texts, and of none, it is empty.
    ///
    /// # Errors
    /// `Error::Record` where the file is damaged or of a newer layout.
    pub fn ratings(&self) -> Result<Ratings> {
        let kept = store::ratings(&self.folder)?;
        let texts = self.texts.sha256();
        Ok(kept.filter(|kept| kept.texts == texts).unwrap_or(Ratings {
            schema: SCHEMA,
            texts,
            panels: Vec::new(),
            correlations: Vec::new(),
        }))
    }

    /// All that was said, `panel` in the place of the one of the same raters; nothing is written.
    ///
    /// # Errors
    /// As [`Rated::ratings`].
    pub(super) fn with(&self, panel: Panel) -> Result<Ratings> {
        let mut ratings = self.ratings()?;
        ratings.panels.retain(|kept| kept.who.name() != panel.who.name());
        ratings.panels.push(panel);
        ratings.panels.sort_by(|left, right| left.who.name().cmp(&right.who.name()));
        Ok(ratings)
    }
}
