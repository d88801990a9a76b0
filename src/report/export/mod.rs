//! Where the documents are pasted: one HTML file of the whole, and Word and LaTeX files of the thesis sections.
//!
//! ```text
//! weave::Page       -> notebook  the experiment as it is read, its results under their cells
//! Document.traced   -> html      one page, charts and record paths inside, nothing fetched
//! Document.markdown -> pandoc    yontem.docx, yontem.tex, ... where pandoc is installed
//! ```
//! All read the same dialect, CommonMark with tables and `$` formulas, so that no text means one thing
//! here and another there. Nothing is saved here: the caller gets [`File`]s and writes them.

mod blocks;
mod inline;
mod shell;
mod html;
mod notebook;
mod program;
mod pandoc;

pub use html::html;
pub use notebook::{notebook, pointer};
pub(crate) use pandoc::PROGRAM;
pub use pandoc::{Conversion, sections};

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path below the output folder, with `/` between its parts.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}
