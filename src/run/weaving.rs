//! The page of a run: what its cells gave so far, under the code that called them.
//!
//! ```text
//! defter.html   written when the run ends, however it ends
//! canli.html    the same while it goes on, looked at again by the browser; then it leads to defter.html
//! ```

use super::notebook::Notebook;
use super::rendering::write_changed;
use crate::error::Result;
use crate::record::{RunRecord, environment};
use crate::report::charts::{self, Chart};
use crate::report::export;
use crate::report::numbers::Style;
use crate::report::weave::{self, Live, MaskedRow, Moment, Shown, Went, Woven};
use std::time::{Duration, Instant};

/// What the page of a run is woven from besides its record.
#[derive(Default)]
pub(super) struct Weaving {
    cells: Vec<Shown>,
    /// The first rows trained on.
    pub(super) rows: Vec<MaskedRow>,
    /// When the page of the run that goes on was written last.
    written: Option<Instant>,
    /// The longest time between two of its writings so far.
    longest: Duration,
}

/// What has happened is worth a new page after so long: a step of many.
pub(super) const OFTEN: Duration = Duration::from_secs(5);
/// The same for what happens rarely: an evaluation, the next cell.
pub(super) const SOON: Duration = Duration::from_secs(1);
/// A page that was not written for so long is of a run that has ended without a word, unless the run is a slow one: of a
/// large model a step can take minutes.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// A slow run may take so many times its longest pause.
const PAUSES: u32 = 5;

impl Weaving {
    /// A cell goes its way. One that is called twice is shown where it was called first.
    pub(super) fn cell(&mut self, shown: Shown) {
        if !self.cells.iter().any(|other| other.cell == shown.cell) {
            self.cells.push(shown);
        }
    }

    /// The last cell is at its end.
    pub(super) fn computed(&mut self, moment: Moment, lines: Vec<String>) {
        if let Some(last) = self.cells.last_mut().filter(|last| last.went == Went::Begun) {
            (last.went, last.lines) = (Went::Computed(moment), lines);
        }
    }

    /// Writes the page of a run that goes on, unless that was done less than `after` ago.
    ///
    /// # Errors
    /// As [`export::notebook`]; `Error::File` where it cannot be written.
    pub(super) fn look(&mut self, notebook: &Notebook, record: &RunRecord, after: Duration) -> Result<()> {
        let is_new = self.written.is_some_and(|written| written.elapsed() < after);
        // A folder that was removed on the way is not made again for a page.
        if is_new || !notebook.folder.lock().exists() {
            return Ok(());
        }
        let style = Style { decimal: notebook.profile.decimal };
        let charts: Vec<Chart> = charts::training_loss(record, style)?.into_iter().collect();
        let now = environment::now();
        let again = OFTEN.as_secs() as u32;
        self.longest = self.longest.max(self.written.map(|written| written.elapsed()).unwrap_or_default());
        let patience = PATIENCE.max(PAUSES * self.longest).as_secs();
        let page = self.page(notebook, record, &charts, Some(Live { now: &now, again, patience }))?;
        write_changed(&notebook.folder.live(), page.as_bytes())?;
        self.written = Some(Instant::now());
        Ok(())
    }

    /// Writes the page of a run that has ended, and has the other lead to it.
    ///
    /// # Errors
    /// As [`Weaving::look`].
    pub(super) fn write(&self, notebook: &Notebook, record: &RunRecord, charts: &[Chart]) -> Result<()> {
        let folder = &notebook.folder;
        write_changed(&folder.woven(), self.page(notebook, record, charts, None)?.as_bytes())?;
        if folder.live().exists() {
            let name = folder.woven().file_name().unwrap_or_default().to_string_lossy().into_owned();
            write_changed(&folder.live(), export::pointer(&name).as_bytes())?;
        }
        Ok(())
    }

    fn page(
        &self,
        notebook: &Notebook,
        record: &RunRecord,
        charts: &[Chart],
        live: Option<Live<'_>>,
    ) -> Result<String> {
        let mut cells = self.cells.clone();
        if let Some(last) = cells.last_mut().filter(|last| last.went == Went::Begun) {
            last.lines = notebook.progress.said();
        }
        let (sources, profile) = (&notebook.sources, &notebook.profile);
        let woven = Woven { sources, cells: &cells, rows: &self.rows, record, charts, profile, live };
        export::notebook(&weave::weave(&woven)?, charts)
    }
}
