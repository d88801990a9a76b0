//! The run whose texts are rated: its record, and the tasks that the texts answer.

use crate::data::alpaca::{self, Row};
use crate::error::{Error, Result};
use crate::record::folder::{Part, RunFolder};
use crate::record::ratings::Ratings;
use crate::record::texts::{System, Texts};
use crate::record::{RunRecord, store};
use crate::sha256;

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
    /// As [`RunFolder::read`] and [`Rated::new`]; `Error::Data` where its held-out rows are not those of its record.
    pub fn open(folder: RunFolder) -> Result<Self> {
        let record = folder.read()?;
        let path = folder.split(record.level, Part::reported(&record.dataset));
        let file = alpaca::read(&path)?;
        let (expected, got) =
            (&record.dataset.eval_sha256, sha256::of(alpaca::to_json(&file.rows).as_bytes()));
        if got != *expected {
            let record = folder.record();
            let message = format!("expected the rows of {}, SHA-256 {expected}, got {got}", record.display());
            return Err(Error::Data { path: file.name, row: None, message });
        }
        Rated::new(folder, record, file.rows)
    }

    /// The run with this `record`, whose texts answer `rows`.
    ///
    /// # Errors
    /// `Error::Setting` where the run has no texts.
    pub fn new(folder: RunFolder, mut record: RunRecord, rows: Vec<Row>) -> Result<Self> {
        let Some(texts) = record.texts.take() else {
            let path = folder.record();
            let message =
                format!("expected a run with texts (samples.count above 0), got none in {}", path.display());
            return Err(Error::Setting { key: "run".into(), message });
        };
        Ok(Rated { folder, record, rows, texts })
    }

    /// The seed of resampling: that of the run's other intervals.
    pub(super) fn seed(&self) -> u64 {
        self.record.recipe.data.split_seed
    }

    /// What its systems wrote.
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    /// The text of `system` on `row`: the first where it wrote several, and for the reference the row's own answer.
    pub fn text(&self, row: usize, system: System) -> Option<&str> {
        match system {
            System::Reference => self.rows.get(row).map(|row| row.output.as_str()),
            _ => self.texts.first(row, system).map(|text| text.text.as_str()),
        }
    }

    /// Whether a key with this hash of `texts` is of this run's.
    ///
    /// # Errors
    /// `Error::Setting` where it is of others.
    pub(super) fn check_texts(&self, texts: &str) -> Result<()> {
        let own = self.texts.sha256();
        if own == texts {
            return Ok(());
        }
        let record = self.folder.record();
        let message = format!(
            "expected the key of the texts of {}, SHA-256 {own}, got one of {texts}",
            record.display()
        );
        Err(Error::Setting { key: "key".into(), message })
    }

    /// What was said of these texts until now; none of what was said of others.
    ///
    /// # Errors
    /// As [`store::ratings`].
    pub(super) fn ratings(&self) -> Result<Option<Ratings>> {
        let texts = self.texts.sha256();
        Ok(store::ratings(&self.folder.ratings())?.filter(|kept| kept.texts == texts))
    }
}
