//! Numbers that the documents print in another way, found by the record paths that the traced text carries.

use crate::paths::paired;
use crate::report::citations;
use crate::report::document::Document;
use crate::report::trace::{self, Stretch};
use serde::Serialize;

/// A printed number that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Digit {
    /// The record path, or formula over such paths, of the number.
    pub path: String,
    /// As the old text prints it; absent where it does not.
    pub old: Option<String>,
    /// As the new text prints it.
    pub new: Option<String>,
    /// Whether its sign turned.
    pub is_sign_turned: bool,
    /// The documents that print it so.
    pub documents: Vec<String>,
    /// Whether one of them is a section of the thesis, and not the whole document alone.
    pub is_in_thesis: bool,
}

/// One form in which a number is printed, and where.
#[derive(Clone)]
struct Print {
    text: String,
    documents: Vec<String>,
    is_in_thesis: bool,
}

/// Printed numbers that differ between two renderings, in the order of the texts.
pub(super) fn compare(before: &[Document], after: &[Document]) -> Vec<Digit> {
    let mut digits = Vec::new();
    for pair in paired(&prints(before), &prints(after)) {
        let (old, new) = (pair.old.unwrap_or_default(), pair.new.unwrap_or_default());
        let only = |these: &[Print], others: &[Print]| -> Vec<Print> {
            these
                .iter()
                .filter(|print| others.iter().all(|other| other.text != print.text))
                .cloned()
                .collect()
        };
        let (gone, come) = (only(&old, &new), only(&new, &old));
        // A number that is printed in two lengths changes in both: the first goes with the first.
        for index in 0..gone.len().max(come.len()) {
            let sides = [gone.get(index), come.get(index)];
            let mut documents: Vec<String> = Vec::new();
            for name in sides.iter().flatten().flat_map(|print| &print.documents) {
                if !documents.contains(name) {
                    documents.push(name.clone());
                }
            }
            let is_negative = sides.map(|side| side.map(|print| print.text.starts_with(['-', '−'])));
            let [old, new] = sides.map(|side| side.map(|print| print.text.clone()));
            digits.push(Digit {
                path: pair.path.clone(),
                is_sign_turned: old.is_some() && new.is_some() && is_negative[0] != is_negative[1],
                old,
                new,
                documents,
                is_in_thesis: sides.iter().flatten().any(|print| print.is_in_thesis),
            });
        }
    }
    digits
}

/// Path and printed forms of all numbers, sections first: there an author looks.
fn prints(documents: &[Document]) -> Vec<(String, Vec<Print>)> {
    let mut prints: Vec<(String, Vec<Print>)> = Vec::new();
    let (whole, sections) = documents.split_at(documents.len().min(1));
    let in_thesis = sections.iter().map(|section| (section, true));
    for (document, is_in_thesis) in in_thesis.chain(whole.iter().map(|whole| (whole, false))) {
        for stretch in trace::stretches(&document.traced) {
            let Stretch::Number { path, text } = stretch else { continue };
            if citations::of_path(path).is_some() {
                continue; // a year, and no number of the record
            }
            let place = prints.iter().position(|(other, _)| other == path).unwrap_or_else(|| {
                prints.push((path.to_string(), Vec::new()));
                prints.len() - 1
            });
            let forms = &mut prints[place].1;
            let form = forms.iter().position(|print| print.text == text).unwrap_or_else(|| {
                forms.push(Print { text: text.to_string(), documents: Vec::new(), is_in_thesis });
                forms.len() - 1
            });
            if !forms[form].documents.contains(&document.file_name) {
                forms[form].documents.push(document.file_name.clone());
            }
        }
    }
    prints
}
