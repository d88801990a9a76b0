//! Numbers of tables and figures, known before the text is written, so that it can refer forward.

use super::profile::{AfterNumber, CaptionPlace, Chapter, Profile, TableWord};
use super::{files, markdown};
use crate::error::{Error, Result};

/// A chart that was drawn for the record: the report refers to it and never opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartReference {
    /// File name without its ending, in the folder of the charts: `loss`.
    pub name: String,
    /// What stands under the figure, without its number.
    pub caption: String,
    /// What a reader who cannot see it is told.
    pub alt: String,
}

/// Where numbered things stand, and so how they are counted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// 4.1, 4.2 in a chapter of the thesis.
    Chapter(Chapter),
    /// E.1, E.2 in its appendix (ek).
    Appendix,
    /// 1, 2 in a document of its own.
    Whole,
}

/// The numbered things of a text, in the order in which it shows them.
#[derive(Debug, Clone)]
pub(super) struct Numbering {
    profile: Profile,
    /// Id and label, `Tablo 4.1`.
    tables: Vec<(&'static str, String)>,
    /// Chart and label, `Şekil 4.1`.
    figures: Vec<(ChartReference, String)>,
}

impl Numbering {
    /// Nothing numbered yet.
    pub(super) fn new(profile: &Profile) -> Self {
        Numbering { profile: profile.clone(), tables: Vec::new(), figures: Vec::new() }
    }

    /// Numbers `tables` and `figures` in the order given, as `place` counts.
    pub(super) fn add(&mut self, place: Place, tables: &[&'static str], figures: &[ChartReference]) {
        let number = |first: fn(&Chapter) -> usize, index: usize| match &place {
            Place::Chapter(chapter) => format!("{}.{}", chapter.chapter, first(chapter) + index),
            Place::Appendix => format!("E.{}", index + 1),
            Place::Whole => (index + 1).to_string(),
        };
        let word = match self.profile.table_word {
            TableWord::Apa => "Tablo",
            TableWord::Technical => "Çizelge",
        };
        for (index, table) in tables.iter().enumerate() {
            self.tables.push((table, format!("{word} {}", number(|chapter| chapter.first_table, index))));
        }
        for (index, figure) in figures.iter().enumerate() {
            self.figures
                .push((figure.clone(), format!("Şekil {}", number(|chapter| chapter.first_figure, index))));
        }
    }

    /// `Tablo 4.1`.
    ///
    /// # Errors
    /// `Error::Report` for a table that this text does not have.
    pub(super) fn table(&self, id: &str) -> Result<String> {
        let found = self.tables.iter().find(|(table, _)| *table == id);
        found.map(|(_, label)| label.clone()).ok_or_else(|| missing("table", id))
    }

    /// `Şekil 4.1`.
    ///
    /// # Errors
    /// `Error::Report` for a figure that this text does not have.
    pub(super) fn figure(&self, name: &str) -> Result<String> {
        self.chart(name).map(|(_, label)| label.clone())
    }

    /// A table under its number and caption, or over them, as the profile has it.
    ///
    /// # Errors
    /// As [`Numbering::table`].
    pub(super) fn captioned_table(&self, id: &str, caption: &str, body: &str) -> Result<String> {
        let caption = self.caption(&self.table(id)?, caption);
        Ok(placed(self.profile.table_caption, &caption, body.trim()))
    }

    /// A chart with its number and caption.
    ///
    /// # Errors
    /// As [`Numbering::figure`].
    pub(super) fn captioned_figure(&self, name: &str) -> Result<String> {
        let (chart, label) = self.chart(name)?;
        let image = format!("![{}]({})", markdown::escaped(&chart.alt), files::chart(&chart.name, "svg"));
        Ok(placed(self.profile.figure_caption, &self.caption(label, &chart.caption), &image))
    }

    fn chart(&self, name: &str) -> Result<&(ChartReference, String)> {
        self.figures.iter().find(|(chart, _)| chart.name == name).ok_or_else(|| missing("figure", name))
    }

    /// `**Tablo 4.1.** Caption`, a title and no sentence: without a stop, however the caption came.
    fn caption(&self, label: &str, caption: &str) -> String {
        let caption = caption.trim().trim_end_matches('.');
        match self.profile.after_number {
            AfterNumber::Stop => format!("**{label}.** {caption}"),
            AfterNumber::Colon => format!("**{label}:** {caption}"),
            AfterNumber::Line => format!("**{label}**\\\n*{caption}*"),
        }
    }
}

fn placed(place: CaptionPlace, caption: &str, body: &str) -> String {
    match place {
        CaptionPlace::Above => format!("{caption}\n\n{body}\n"),
        CaptionPlace::Below => format!("{body}\n\n{caption}\n"),
    }
}

fn missing(what: &str, id: &str) -> Error {
    Error::Report(format!("no {what} '{id}' in this document: expected one that its numbering names"))
}
