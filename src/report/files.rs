//! The files of a report, below its folder.

use crate::level::Level;
pub(crate) use crate::record::folder::{EVENTS, LEVELS_RECORD, RECORD, SWEEP_RECORD};

/// The thesis sections of a run.
pub(crate) const METHOD: &str = "yontem.md";
pub(crate) const RESULTS: &str = "sonuclar.md";
pub(crate) const DISCUSSION: &str = "tartisma.md";
/// Details of a run that neither its document nor the sections print.
pub(crate) const APPENDIX: &str = "ekler.md";
/// The document of several levels.
pub(crate) const LEVELS: &str = "karsilastirma.md";
/// The document of a sweep.
pub(crate) const SWEEP: &str = "tarama.md";
/// The works that the documents cite, for BibTeX.
pub(crate) const BIBLIOGRAPHY: &str = "kaynakca.bib";
/// The folder of the charts.
pub(crate) const CHARTS: &str = "charts";

/// The whole document of a run: `A1_FINE_TUNING_RESULTS.md`.
pub(crate) fn whole(level: Level) -> String {
    format!("{}_FINE_TUNING_RESULTS.md", level.label())
}

/// A document in another format.
pub(crate) fn with_ending(document: &str, ending: &str) -> String {
    format!("{}.{ending}", document.trim_end_matches(".md"))
}

/// A chart: `charts/egitim_kaybi.svg`.
pub(crate) fn chart(name: &str, ending: &str) -> String {
    format!("{CHARTS}/{name}.{ending}")
}

/// The name of the chart that a document shows at `path`.
pub(crate) fn charted(path: &str) -> Option<&str> {
    path.strip_prefix(CHARTS)?.strip_prefix('/')?.strip_suffix(".svg")
}
