//! Profiles by level and by frequency, counted by hand and on the sample rows.

use super::answers;
use tezgah::level::Level::{A1, A2, B1, B2, C1};
use tezgah::level::WordLevel;
use tezgah::texts::frequency::{self, FrequencyProfile};
use tezgah::texts::profile::{LevelProfile, level_of, profile};
use tezgah::texts::word_list::WordList;
use tezgah::texts::words::words;

#[test]
fn counts_as_a_reader_would() {
    let table = "headword,level\nshe,A1\nbe,A1\nat,A1\nlook,A1\nloom,B1\nmark,A2\nweaver,C1\nten,A1\n10,A1\n";
    let list = WordList::parse("list.csv", table.as_bytes()).expect("a list");
    let text = "She's looking at 10 looms; Mark and Emre were at Emre’s. WEAVERS at selvedges.";
    let counted = profile(&words(text), &list);
    // she's, looking, at, were, at, at; Mark; looms; WEAVERS. and, selvedges; Emre, Emre's; 10.
    assert_eq!(counted, LevelProfile { levels: [6, 1, 1, 0, 1, 0], off_list: 2, names: 2, numbers: 1 });
    assert_eq!((counted.words(), counted.share(WordLevel::A1)), (11, Some(6.0 / 11.0)));
    let above = [A1, A2, B1, B2, C1].map(|level| counted.above(level).map(|share| (share * 11.0).round()));
    assert_eq!(above, [Some(3.0), Some(2.0), Some(1.0), Some(1.0), Some(0.0)]);
    assert_eq!(counted.off_list_share(), Some(2.0 / 11.0));

    let of = |text: &str| level_of(&words(text)[0], &list);
    assert_eq!((of("Looms"), of("weave")), (Some(WordLevel::B1), None));
    let names = profile(&words("Emre 10"), &list);
    assert_eq!((names.share(WordLevel::A1), names.above(A1), names.off_list_share()), (None, None, None));
}

#[test]
fn words_are_frequent_or_not() {
    // make, good and in, but family (176th) too: the first thousand; lunch: the second; selvedges: on no list.
    let profile = frequency::profile(&words("Families made better lunches. In 2024 Emre selvedges"));
    assert_eq!(profile, FrequencyProfile { first_thousand: 4, second_thousand: 1, rarer: 1 });
    assert_eq!(profile.shares(), Some([4.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0]));
    assert_eq!(frequency::profile(&words("Emre, 3!")).shares(), None);
}

/// The shipped list sets C1 apart, and A1 neither from A2 nor from B1: the rows of A1 are of families, markets and radishes, which are rare
/// in print. CEFR-J, which is not ours to ship, has a share that grows from level to level; see `word_list.rs`.
#[test]
fn the_shipped_list_does_not_tell_the_levels_of_the_sample_rows_apart() {
    let list = WordList::by_frequency();
    let above = ["a1", "a2", "b1", "b2", "c1"].map(|level| {
        let text = answers(level)[..500].join("\n");
        profile(&words(&text), &list).above(A1).expect("words")
    });
    let [a1, a2, b1, _, c1] = above;
    assert!(a1 > a2 && (a1 - b1).abs() < 0.01 && c1 > 1.5 * a1, "{above:?}");
}
