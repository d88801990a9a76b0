//! Word lists: what is read of CEFR-J's, Octanove's and other tables, and what is refused in which words. The rows are
//! written for the tests, in the columns of those lists.

use tezgah::level::WordLevel::{A1, A2, B1, B2, C1, C2};
use tezgah::sha256;
use tezgah::texts::word_list::{BY_FREQUENCY, WordList};

const CEFR_J: &str = "headword,pos,CEFR,CoreInventory 1,CoreInventory 2,Threshold
loom,noun,B1,,,
loom,verb,A2,,,
weave/Weave/weft,verb,B2,\"Crafts, tools and workshops\",,Crafts
out of,preposition,A1,,,
";
const OCTANOVE: &str =
    "headword,pos,CEFR,notes\nshuttle,noun,C2,\"of a loom, or \"\"in space\"\"\"\nloom,noun,C1,\n";

#[test]
fn reads_the_columns_of_cefr_j_and_octanove() {
    let list = WordList::parse("j.csv", CEFR_J.as_bytes()).expect("a list");
    let levels = |list: &WordList| ["loom", "weave", "weft", "out", "shuttle"].map(|word| list.level(word));
    assert_eq!(levels(&list), [Some(A2), Some(B2), Some(B2), None, None]);
    let source = &list.sources()[0];
    assert_eq!((source.name.as_str(), source.headwords, source.phrases), ("j.csv", 3, 1));
    assert_eq!(source.sha256, sha256::of(CEFR_J.as_bytes()));

    let both = list.and(WordList::parse("o.csv", OCTANOVE.as_bytes()).expect("a list"));
    assert_eq!(levels(&both), [Some(A2), Some(B2), Some(B2), None, Some(C2)]);
    assert_eq!((both.sources().len(), both.rest()), (2, None));
}

#[test]
fn reads_what_spreadsheets_write() {
    for table in [
        "Headword,Level\r\nloom,b1\r\nweft,C1\r\n",
        "\u{feff}level;headword\nB1;loom\nc1;weft",
        "note\tlevel\theadword\n\t B1 \tLoom\n\t\"C1\"\tweft\n",
    ] {
        let list = WordList::parse("list", table.as_bytes()).expect(table);
        assert_eq!([list.level("loom"), list.level("weft")], [Some(B1), Some(C1)], "{table:?}");
    }
}

#[test]
fn the_shipped_list_has_a_level_for_every_word() {
    let list = WordList::by_frequency();
    // wc -l < data/words/frequency.txt, and the levels of its lines 1, 1500, 1501, 2500, 2501, 3250, 3251, 3750, 3751, 4500.
    let lines: Vec<&str> = include_str!("../../../data/words/frequency.txt").lines().collect();
    let at = [1, 1500, 1501, 2500, 2501, 3250, 3251, 3750, 3751, 4500];
    let levels = at.map(|line| list.level(lines[line - 1]).expect("a line has a level"));
    assert_eq!(levels, [A1, A1, A2, A2, B1, B1, B2, B2, C1, C1]);
    assert_eq!((list.level("selvedge"), list.rest()), (None, Some(C2)));
    assert_eq!((list.sources()[0].name.as_str(), list.sources()[0].headwords), (BY_FREQUENCY, 4500));
}

#[test]
fn says_in_one_line_what_a_list_lacks() {
    for (table, expected) in [
        (&b""[..], "l.csv, row 1: header: expected one column headword, got none"),
        (b"word,level\na,A1\n", "l.csv, row 1: header: expected one column headword, got word, level"),
        (
            b"headword,stufe\na,A1\n",
            "l.csv, row 1: header: expected one column CEFR or level, got headword, stufe",
        ),
        (b"headword,CEFR,level\n", "l.csv, row 1: header: expected one column CEFR or level, got several"),
        (b"headword,level\na,A1\nb,A1,x\n", "l.csv, row 3: expected 2 fields as in the header, got 3"),
        (b"headword,level\n,A1\n", "l.csv, row 2: field headword: expected a word, got ''"),
        (
            b"headword,level\na,A1\nloom,B3\n",
            "l.csv, row 3: field level: expected one of A1, A2, B1, B2, C1, C2 for loom, got 'B3'",
        ),
        (
            b"headword,level\n\"a\nb\",\n",
            "l.csv, row 2: field level: expected one of A1, A2, B1, B2, C1, C2 for a\\nb, got ''",
        ),
        (b"headword,level\n", "l.csv: expected a headword and its level in at least one row, got none"),
        (
            b"headword,level\nout of,A1\n",
            "l.csv: expected a headword and its level in at least one row, got phrases alone",
        ),
        (b"headword,level\ncaf\xe9,A1\n", "l.csv: expected UTF-8, got the byte 0xE9 at byte 18"),
    ] {
        let message = WordList::parse("l.csv", table).expect_err("no list").to_string();
        assert_eq!(message, expected);
    }
    let missing = WordList::read("no/such/list.csv").expect_err("no file").to_string();
    assert!(missing.starts_with("no/such/list.csv: "), "{missing}");
}

/// A foreign file ends as a list or as one line.
#[test]
fn no_table_makes_it_panic() {
    let bytes = CEFR_J.as_bytes();
    for at in 0..bytes.len() {
        for spoilt in [b'"', b'\n', b',', b'/', b'\'', 0, 0xff] {
            let mut table = bytes.to_vec();
            table[at] = spoilt;
            for table in [&table[..], &table[..at]] {
                if let Err(error) = WordList::parse("l.csv", table) {
                    assert!(!error.to_string().contains('\n'), "{error}");
                }
            }
        }
    }
}
