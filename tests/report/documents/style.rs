//! How a thesis reads: sentences that vary, tables that speak for themselves, a discussion of some length.

use super::each_document;
use crate::prose::{check_endings, check_not_read_aloud, ending, paragraphs};
use tezgah::record::Status;

#[test]
fn no_three_sentences_in_a_row_end_alike() {
    each_document(|_, document| check_endings(&document.markdown));
    for (sentence, expected) in [
        ("Kayıp bulunmuştur.", "miştir"),
        ("Fark görülmektedir.", "mektedir"),
        ("Kayıp düşüktür.", "dir"),
        ("Bu söylenemez.", "emez"),
        ("Sayı artar (Holm, 1979).", "1979"),
    ] {
        assert_eq!(ending(sentence), expected);
    }
}

#[test]
fn no_sentence_reads_a_table_aloud() {
    each_document(|_, document| check_not_read_aloud(&document.traced));
}

/// 900 to 1,400 words for a run that came to its end: what is shorter interprets nothing, and no jury reads what is longer.
#[test]
fn the_discussion_has_the_length_of_one() {
    each_document(|record, document| {
        let is_whole = record.status == Status::Completed && !record.smoke;
        if document.file_name == "tartisma.md" && is_whole {
            let words: usize =
                paragraphs(&document.markdown).concat().iter().map(|line| line.split(' ').count()).sum();
            assert!((900..=1400).contains(&words), "{words} words");
        }
    });
}
