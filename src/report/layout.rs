//! Where the tables, charts and sections of a run's documents stand, and so which numbers they have.

use super::charts;
use super::engine::View;
use super::numbering::{ChartReference, Numbering, Place};
use super::profile::Profile;
use super::view;
use crate::record::RunRecord;
use crate::record::ratings::{Ratings, Source, Who};
use minijinja::Value;

/// The charts, by where they stand.
#[derive(Default)]
pub(super) struct Layout {
    data: Vec<ChartReference>,
    /// The losses.
    training: Vec<ChartReference>,
    /// What else a training leaves: the appendix has it.
    details: Vec<ChartReference>,
    comparison: Vec<ChartReference>,
    texts: Vec<ChartReference>,
}

impl Layout {
    /// The charts by what they show; one that is not known here stands in the appendix.
    pub(super) fn of(charts: &[ChartReference]) -> Self {
        let mut layout = Layout::default();
        for chart in charts {
            let place = match chart.name.as_str() {
                name if charts::OF_DATA.contains(&name) => &mut layout.data,
                name if charts::OF_COMPARISON.contains(&name) => &mut layout.comparison,
                name if charts::OF_TEXTS.contains(&name) => &mut layout.texts,
                charts::LOSSES => &mut layout.training,
                _ => &mut layout.details,
            };
            place.push(chart.clone());
        }
        layout
    }

    /// The thesis counts tables and figures in each chapter, and in its appendix.
    pub(super) fn in_thesis(&self, record: &RunRecord, profile: &Profile) -> Numbering {
        let mut numbering = Numbering::new(profile);
        numbering.add(Place::Chapter(profile.method), &["veri", "parametreler"], &self.data);
        let tables = [
            ("karsilastirma", view::is_compared(record)),
            ("testler", view::is_tested(record)),
            ("metinler", record.texts.is_some()),
            ("uzman", view::is_rated_by(record, |who| *who == Who::People)),
            ("uyum", is_agreed_on(record)),
            ("yargic", view::is_rated_by(record, |who| *who != Who::People)),
            ("dogrulama", record.ratings.as_ref().is_some_and(|ratings| !ratings.correlations.is_empty())),
            ("ayrisanlar", record.ratings.as_ref().is_some_and(has_panels_apart)),
        ];
        let figures = [&self.training[..], &self.comparison, &self.texts].concat();
        numbering.add(Place::Chapter(profile.results), &present(&tables), &figures);
        let tables = [("adimlar", !record.training.steps.is_empty()), ("kosu", true)];
        numbering.add(Place::Appendix, &present(&tables), &self.details);
        numbering
    }

    /// The whole document counts through, so that its numbers are not taken for the thesis's.
    pub(super) fn in_whole(&self, record: &RunRecord, profile: &Profile) -> Numbering {
        let tables = [
            ("veri", true),
            ("parametreler", true),
            ("kayiplar", !record.training.evals.is_empty()),
            ("karsilastirma", view::is_compared(record)),
            ("dosyalar", !record.outputs.is_empty()),
            ("olcutler", true),
        ];
        let figures = [self.training.as_slice(), self.comparison_of_models()].concat();
        let mut numbering = Numbering::new(profile);
        numbering.add(Place::Whole, &present(&tables), &figures);
        numbering
    }

    /// Of the charts that compare, the one that is read at a glance.
    fn comparison_of_models(&self) -> &[ChartReference] {
        &self.comparison[..self.comparison.len().min(1)]
    }

    /// Section numbers and chart names for the templates: text, not numbers of the record.
    pub(super) fn view(&self, profile: &Profile) -> View {
        let Profile { method, results, discussion, .. } = profile;
        let chapters = [("method", method), ("results", results), ("discussion", discussion)];
        let numbers = chapters.map(|(name, chapter)| (name, Value::from(chapter.section_numbers())));
        let chapters = chapters.map(|(name, chapter)| (name, chapter.chapter.to_string()));
        let charts = [
            ("data", names(&self.data)),
            ("training", names(&self.training)),
            ("details", names(&self.details)),
            ("comparison", names(&self.comparison)),
            ("texts", names(&self.texts)),
            ("models", names(self.comparison_of_models())),
        ];
        View::from([
            ("chapters", Value::from_pairs(chapters)),
            ("numbers", Value::from_pairs(numbers)),
            ("charts", Value::from_pairs(charts)),
        ])
    }
}

fn names(charts: &[ChartReference]) -> Value {
    charts.iter().map(|chart| chart.name.as_str()).collect()
}

fn present(tables: &[(&'static str, bool)]) -> Vec<&'static str> {
    tables.iter().filter(|(_, is_present)| *is_present).map(|(id, _)| *id).collect()
}

/// Whether two people rated, so that their agreement is known.
fn is_agreed_on(record: &RunRecord) -> bool {
    let panels = record.ratings.iter().flat_map(|ratings| &ratings.panels);
    panels.filter(|panel| panel.who == Who::People).any(|panel| !panel.agreement.is_empty())
}

/// Whether two panels part on some text by the level.
fn has_panels_apart(ratings: &Ratings) -> bool {
    ratings.by_level().any(|(_, _, of)| matches!(of.right, Source::Panel(..)) && !of.apart.is_empty())
}
