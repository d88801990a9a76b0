//! The forms of a work: cited in a line, listed as APA 7 has it, an entry of BibTeX, an item of LaTeX.

use super::{CITED, LISTED, Venue, Work};
use crate::report::trace;

impl Work {
    /// `Hu vd., 2022`, for round brackets.
    pub(in crate::report) fn in_brackets(&self) -> String {
        trace::marked(&format!("{CITED}{}", self.key), &format!("{}, {}", self.short(), self.year))
    }

    /// `Hu vd. (2022)`, for a sentence that speaks of the authors.
    pub(in crate::report) fn in_sentence(&self) -> String {
        trace::marked(&format!("{CITED}{}", self.key), &format!("{} ({})", self.short(), self.year))
    }

    /// `Hu vd.`, `Efron ve Tibshirani`, `Holm`.
    pub(in crate::report) fn short(&self) -> String {
        match self.authors {
            [(family, _)] => family.to_string(),
            [(first, _), (second, _)] => format!("{first} ve {second}"),
            all => format!("{} vd.", all[0].0),
        }
    }

    /// The entry of a list of references, in Markdown; its first author is marked, so that a page can lead to it.
    pub(super) fn listed(&self) -> String {
        let names: Vec<String> = self.authors.iter().map(|author| inverted(*author)).collect();
        let marked = trace::marked(&format!("{LISTED}{}", self.key), &names[0]);
        let names: Vec<String> = std::iter::once(marked).chain(names.into_iter().skip(1)).collect();
        let authors = match (names.as_slice(), self.last_author) {
            (all, Some(last)) => format!("{}, … {}", all.join(", "), inverted(last)),
            ([one], None) => one.clone(),
            ([before @ .., last], None) => format!("{}, & {last}", before.join(", ")),
            ([], None) => String::new(),
        };
        let year = self.year;
        // A question ends its title itself.
        let stop = if self.title.ends_with('?') { "" } else { "." };
        let (title, url) = (self.title, self.url.map(|url| format!(" {url}")).unwrap_or_default());
        match self.venue {
            Venue::Journal(name, volume, number, pages) => {
                let number = number.map(|number| format!("({number})")).unwrap_or_default();
                format!("{authors} ({year}). {title}{stop} *{name}, {volume}*{number}, {pages}.{url}")
            }
            Venue::Proceedings(name, Some(pages)) => {
                format!("{authors} ({year}). {title}{stop} *{name}*, {pages}.{url}")
            }
            Venue::Proceedings(name, None) => format!("{authors} ({year}). {title}{stop} *{name}*.{url}"),
            Venue::Book(publisher) => format!("{authors} ({year}). *{title}*. {publisher}.{url}"),
            Venue::Arxiv(number) => format!("{authors} ({year}). *{title}*. arXiv:{number}."),
            Venue::Web => format!("{authors} ({year}). *{title}*.{url}"),
        }
    }

    /// The same for LaTeX, with the label that natbib cites it by.
    pub(in crate::report) fn bibitem(&self) -> String {
        let listed = trace::plain(&self.listed());
        let mut text = String::new();
        let mut is_italic = false;
        for word in listed.split_inclusive(' ') {
            if word.starts_with("https://") {
                text.push_str(&format!("\\url{{{word}}}"));
                continue;
            }
            for character in word.chars() {
                match character {
                    '*' => {
                        text.push_str(if is_italic { "}" } else { "\\emph{" });
                        is_italic = !is_italic;
                    }
                    '&' | '%' | '#' | '_' | '$' => text.extend(['\\', character]),
                    '…' => text.push_str("\\ldots{}"),
                    _ => text.push(character),
                }
            }
        }
        format!("\\bibitem[{}({})]{{{}}} {text}", self.short(), self.year, self.key)
    }

    /// An entry of `kaynakca.bib`.
    pub(super) fn bibtex(&self) -> String {
        let author = |(family, given): (&str, &str)| match given {
            "" => format!("{{{family}}}"),
            given => format!("{family}, {given}"),
        };
        let mut names: Vec<String> = self.authors.iter().map(|name| author(*name)).collect();
        names.extend(self.last_author.map(|_| "others".to_string()));
        let mut fields = vec![
            ("author", names.join(" and ")),
            // Two braces: the capitals are the title's own.
            ("title", format!("{{{}}}", self.title)),
            ("year", self.year.to_string()),
        ];
        let kind = match self.venue {
            Venue::Journal(name, volume, number, pages) => {
                fields.extend([("journal", name.to_string()), ("volume", volume.to_string())]);
                fields.extend(number.map(|number| ("number", number.to_string())));
                fields.push(("pages", pages.replace('–', "--")));
                "article"
            }
            Venue::Proceedings(name, pages) => {
                fields.push(("booktitle", name.to_string()));
                fields.extend(pages.map(|pages| ("pages", pages.replace("s. ", "").replace('–', "--"))));
                "inproceedings"
            }
            Venue::Book(publisher) => {
                fields.push(("publisher", publisher.to_string()));
                "book"
            }
            Venue::Arxiv(number) => {
                fields.extend([("eprint", number.to_string()), ("archiveprefix", "arXiv".to_string())]);
                "misc"
            }
            Venue::Web => "misc",
        };
        fields.extend(self.url.map(|url| match url.strip_prefix("https://doi.org/") {
            Some(doi) => ("doi", doi.to_string()),
            None => ("url", url.to_string()),
        }));
        let is_verbatim = |name: &str| ["doi", "url", "eprint"].contains(&name);
        let lines: Vec<String> = fields
            .into_iter()
            .map(|(name, value)| {
                let value = if is_verbatim(name) { value } else { value.replace('&', "\\&") };
                format!("  {name} = {{{value}}},\n")
            })
            .collect();
        format!("@{kind}{{{},\n{}}}\n", self.key, lines.concat())
    }
}

/// `Hu, E. J.`; a body as it is called.
fn inverted((family, given): (&str, &str)) -> String {
    if given.is_empty() {
        return family.to_string();
    }
    let initial = |name: &str| -> String {
        let parts = name.split('-').filter_map(|part| part.chars().next());
        parts.map(|letter| format!("{letter}.")).collect::<Vec<_>>().join("-")
    };
    let initials: Vec<String> = given.split(' ').map(initial).collect();
    format!("{family}, {}", initials.join(" "))
}

#[cfg(test)]
mod tests {
    use super::super::work;
    use super::*;

    fn entry(key: &str) -> &'static Work {
        work(key).expect("a work of the list")
    }

    /// As the works' own pages and APA 7 have them.
    #[test]
    fn a_work_is_listed_as_apa_has_it() {
        for (key, expected) in [
            (
                "holm1979",
                "Holm, S. (1979). A simple sequentially rejective multiple test procedure. \
                 *Scandinavian Journal of Statistics, 6*(2), 65–70.",
            ),
            (
                "efron1993",
                "Efron, B., & Tibshirani, R. J. (1993). *An introduction to the bootstrap*. Chapman & Hall. \
                 https://doi.org/10.1007/978-1-4899-4541-9",
            ),
            (
                "ainslie2023gqa",
                "Ainslie, J., Lee-Thorp, J., de Jong, M., Zemlyanskiy, Y., Lebrón, F., & Sanghai, S. (2023). GQA: \
                 Training generalized multi-query transformer models from multi-head checkpoints. *Proceedings of the \
                 2023 Conference on Empirical Methods in Natural Language Processing*, 4895–4901. \
                 https://doi.org/10.18653/v1/2023.emnlp-main.298",
            ),
        ] {
            assert_eq!(trace::plain(&entry(key).listed()), expected);
        }
        let names = trace::plain(&entry("touvron2023llama").listed());
        assert!(names.contains("Lachaux, M.-A., Lacroix, T."), "{names}");
        let many = trace::plain(&entry("grattafiori2024llama3").listed());
        assert!(many.contains("Hinsvark, A., … Ma, Z. (2024)"), "{many}");
    }

    #[test]
    fn a_text_names_one_two_or_the_first_of_many() {
        let forms =
            ["holm1979", "efron1993", "hu2022lora"].map(|key| trace::plain(&entry(key).in_brackets()));
        assert_eq!(forms, ["Holm, 1979", "Efron ve Tibshirani, 1993", "Hu vd., 2022"]);
        assert_eq!(trace::plain(&entry("hu2022lora").in_sentence()), "Hu vd. (2022)");
    }

    #[test]
    fn an_entry_of_bibtex_keeps_capitals_and_signs() {
        let bib = entry("efron1993").bibtex();
        assert_eq!(
            bib,
            "@book{efron1993,\n  author = {Efron, Bradley and Tibshirani, Robert J.},\n  \
             title = {{An introduction to the bootstrap}},\n  year = {1993},\n  publisher = {Chapman \\& Hall},\n  \
             doi = {10.1007/978-1-4899-4541-9},\n}\n"
        );
        assert!(entry("grattafiori2024llama3").bibtex().contains("Hinsvark, Arthur and others},"));
    }

    #[test]
    fn latex_cites_it_by_its_turkish_name() {
        let item = entry("taori2023alpaca").bibitem();
        assert!(item.starts_with("\\bibitem[Taori vd.(2023)]{taori2023alpaca} Taori, R., "), "{item}");
        assert!(item.contains("\\emph{Stanford Alpaca: "), "{item}");
        assert!(item.ends_with("\\url{https://github.com/tatsu-lab/stanford_alpaca}"), "{item}");
    }
}
