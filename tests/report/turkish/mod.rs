//! Suffixes against vectors of an independent implementation, and against a second way: the number spelled out
//! in words, and a table of suffixes for the last of them.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod spelled;

use proptest::prelude::*;
use serde_json::Value;
use spelled::{expected, in_words};
use tezgah::report::DecimalMark;
use tezgah::report::turkish::{
    Case, Error, MONTHS, capitalize, date, lower, plain_suffix, possessive_suffix,
    possessive_suffix_with_mark, suffix, suffix_with_mark, suffix_with_reading, upper,
};

fn vectors(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn check(number: &str, case: &str, expected: &str) {
    assert_eq!(suffix(number, case.parse().unwrap()).as_deref(), Ok(expected), "{number} + {case}");
}

#[test]
fn every_vector_of_the_independent_implementation() {
    let vectors = vectors(include_str!("../../reference/turkish/suffixes.json"));
    assert_eq!(vectors.len(), 336);
    for vector in &vectors {
        let text = |key: &str| vector[key].as_str().unwrap();
        check(text("number"), text("case"), text("expected"));
    }
}

/// The oracle of the tests below has its own oracle: num2words.
#[test]
fn words_are_those_of_num2words() {
    let vectors = vectors(include_str!("../../reference/turkish/words.json"));
    assert!(vectors.len() > 300);
    for vector in &vectors {
        let number = vector["number"].as_str().unwrap();
        assert_eq!(in_words(number.parse().unwrap()).concat(), vector["words"].as_str().unwrap(), "{number}");
    }
}

#[test]
fn all_numbers_to_100000_in_every_case_and_shape() {
    for number in 0..=100_000u64 {
        let grouped = if number < 1000 {
            number.to_string()
        } else {
            format!("{}.{:03}", number / 1000, number % 1000)
        };
        for (index, case) in Case::ALL.into_iter().enumerate() {
            let ending = expected(number, index);
            for text in [number.to_string(), grouped.clone(), format!("3,{number}")] {
                assert_eq!(
                    suffix(&text, case).as_deref(),
                    Ok(&*format!("{text}'{ending}")),
                    "{text} + {case}"
                );
            }
        }
    }
}

/// An alphabet in which random texts come near to numerals.
const NEAR_NUMERALS: &str = "[0-9.,%−+A-C×⁻⁴' eklamntsiyöğIİ\\[\\];=-]{0,14}";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn large_numbers(number in 0..=1_000_000_000_000_000u64, zeros in 0..15u32, sign in "[-−+]?%?", case in 0..9usize) {
        // Random digits rarely end in zeros, where the scales are read.
        let number = number / 10u64.pow(zeros) * 10u64.pow(zeros);
        let text = format!("{sign}{number}");
        prop_assert_eq!(suffix(&text, Case::ALL[case]), Ok(format!("{text}'{}", expected(number, case))));
    }

    #[test]
    fn fractions_read_as_whole_numbers(whole in 0..100_000u64, fraction in "0{0,3}[0-9]{1,9}", case in 0..9usize) {
        let ending = expected(fraction.parse().unwrap(), case);
        let comma = format!("{whole},{fraction}");
        prop_assert_eq!(suffix(&comma, Case::ALL[case]), Ok(format!("{comma}'{ending}")));
        prop_assert!(suffix_with_mark(&comma, DecimalMark::Point, Case::ALL[case]).is_err());
        let point = format!("{whole}.{fraction}");
        let by_mark = suffix_with_mark(&point, DecimalMark::Point, Case::ALL[case]);
        prop_assert_eq!(by_mark, Ok(format!("{point}'{ending}")));
        if fraction.len() != 3 {
            prop_assert_eq!(suffix(&point, Case::ALL[case]), Ok(format!("{point}'{ending}")));
            prop_assert!(suffix_with_mark(&point, DecimalMark::Comma, Case::ALL[case]).is_err());
        }
    }

    #[test]
    fn no_text_panics(text in prop_oneof![any::<String>(), NEAR_NUMERALS], case in 0..9usize) {
        let case = Case::ALL[case];
        let results = [
            suffix(&text, case),
            suffix_with_mark(&text, DecimalMark::Comma, case),
            suffix_with_mark(&text, DecimalMark::Point, case),
            possessive_suffix(&text, case),
            plain_suffix(&text, case),
            suffix_with_reading(&text, "lora", case),
            suffix_with_reading("LoRA", &text, case),
        ];
        for error in results.into_iter().filter_map(Result::err) {
            prop_assert_eq!(error.to_string().lines().count(), 1);
        }
        let _ = (upper(&text), lower(&text), capitalize(&text), text.parse::<Case>());
    }

    #[test]
    fn casing_of_turkish_words_returns(word in "[abcçdefgğhıijklmnoöprsştuüvyz ]{0,20}") {
        prop_assert_eq!(lower(&upper(&word)), word);
    }
}

#[test]
fn numerals_of_thesis_text() {
    for (number, case, expected) in [
        ("1,95", "den", "1,95'ten"),
        ("0,64", "e", "0,64'e"),
        ("%44,1", "lik", "%44,1'lik"),
        ("87", "inci", "87'nci"),
        ("2025", "de", "2025'te"),
        ("Tablo 4.3", "de", "Tablo 4.3'te"),
        ("Şekil E.6", "de", "Şekil E.6'da"),
        ("Bölüm 4.3.10", "de", "Bölüm 4.3.10'da"),
        ("Tablo\u{a0}4.2", "si", "Tablo\u{a0}4.2'si"),
        ("A1", "de", "A1'de"),
        ("B2", "in", "B2'nin"),
        ("C1", "e", "C1'e"),
        ("24 Ekim 2025", "de", "24 Ekim 2025'te"),
        ("40", "de", "40'ta"), // a much-copied list says 40'da
        ("60", "den", "60'tan"),
        ("2,00", "e", "2,00'a"),
        ("0.480", "e", "0.480'e"), // a group of thousands never begins with 0
        ("0.61", "den", "0.61'den"),
        ("1.250.000", "e", "1.250.000'e"),
        ("2.000.000,06", "le", "2.000.000,06'yla"),
        ("−%5,2", "lik", "−%5,2'lik"),
        ("%-5,2", "lik", "%-5,2'lik"),
        ("2 × 10⁻⁴", "den", "2 × 10⁻⁴'ten"),
        ("p = 0,013", "den", "p = 0,013'ten"),
        ("1000000000000000", "e", "1000000000000000'a"),
    ] {
        check(number, case, expected);
    }
}

#[test]
fn the_mark_decides_what_shape_leaves_open() {
    let by = |number, mark| suffix_with_mark(number, mark, Case::Dative);
    assert_eq!(by("2.000", DecimalMark::Comma).as_deref(), Ok("2.000'e"));
    assert_eq!(by("2.000", DecimalMark::Point).as_deref(), Ok("2.000'a"));
    assert_eq!(by("Tablo 4.30", DecimalMark::Comma).as_deref(), Ok("Tablo 4.30'a"));
    assert_eq!(by("1.250.000", DecimalMark::Point).as_deref(), Ok("1.250.000'e"));
    for (number, mark) in [
        ("0.480", DecimalMark::Comma),
        ("0.64", DecimalMark::Comma),
        ("0,64", DecimalMark::Point),
        ("1,250", DecimalMark::Point),
    ] {
        assert_eq!(by(number, mark), Err(Error::NotANumeral { text: number.to_owned() }));
    }
}

#[test]
fn quantities_follow_their_unit() {
    for (number, case, expected) in [
        ("93 saniye", "lik", "93 saniyelik"),
        ("420 milisaniye", "de", "420 milisaniyede"),
        ("2 dakika", "den", "2 dakikadan"),
        ("1 saat", "de", "1 saatte"),
        ("3 gün", "lik", "3 günlük"),
        ("12 örnek", "in", "12 örneğin"),
        ("1 sa 12 dk", "de", "1 sa 12 dk'da"),
        ("2 dk 30 sn", "lik", "2 dk 30 sn'lik"),
        ("1 gün 3 sa", "de", "1 gün 3 sa'te"),
        ("9,9 MB", "lik", "9,9 MB'lık"),
        ("2.5 GB", "den", "2.5 GB'tan"),
    ] {
        check(number, case, expected);
    }
}

#[test]
fn possessive_and_case() {
    for (number, case, expected) in [
        ("%44,1", "den", "%44,1'inden"),
        ("%44,1", "e", "%44,1'ine"),
        ("%6", "i", "%6'sını"),
        ("%3", "in", "%3'ünün"),
        ("%90", "de", "%90'ında"),
        ("%9", "le", "%9'uyla"),
    ] {
        assert_eq!(possessive_suffix(number, case.parse().unwrap()).as_deref(), Ok(expected));
    }
    let told = possessive_suffix_with_mark("%2.000", DecimalMark::Point, Case::Dative);
    assert_eq!(told.as_deref(), Ok("%2.000'ına"));
    for case in [Case::Lik, Case::Ordinal, Case::Possessive] {
        assert_eq!(possessive_suffix("%44,1", case), Err(Error::NotAfterPossessive { case }));
    }
}

#[test]
fn names_follow_their_reading() {
    for (name, reading, case, expected) in [
        ("LoRA", "lora", "in", "LoRA'nın"),
        ("1B", "bir be", "in", "1B'nin"),
        ("GPU", "ge pe u", "de", "GPU'da"),
        ("QLoRA", "kü lora", "le", "QLoRA'yla"),
        ("Llama-3.2-1B-Instruct", "lama üç nokta iki bir be instrakt", "den", "Llama-3.2-1B-Instruct'tan"),
        ("SmolLM2-135M", "smol le me iki yüz otuz beş me", "e", "SmolLM2-135M'ye"),
        ("PyTorch", "PAYTORÇ", "i", "PyTorch'u"),
    ] {
        assert_eq!(suffix_with_reading(name, reading, case.parse().unwrap()).as_deref(), Ok(expected));
    }
}

/// Forms as the TDK dictionary gives them.
#[test]
fn words_take_no_apostrophe() {
    for (word, case, expected) in [
        ("saniye", "e", "saniyeye"),
        ("saat", "de", "saatte"),
        ("saat", "i", "saati"),
        ("kontrol", "i", "kontrolü"),
        ("örnek", "i", "örneği"),
        ("örnek", "den", "örnekten"),
        ("ağırlık", "in", "ağırlığın"),
        ("blok", "i", "bloku"),
        ("doğrulama kayıp", "i", "doğrulama kaybı"),
        ("süreç", "in", "sürecin"),
        ("metin", "e", "metne"),
        ("dört", "inci", "dördüncü"),
        ("kâr", "de", "kârda"),
    ] {
        assert_eq!(plain_suffix(word, case.parse().unwrap()).as_deref(), Ok(expected), "{word} + {case}");
    }
}

#[test]
fn what_cannot_be_read_is_an_error() {
    for text in [
        "",
        " ",
        "%",
        "-",
        "abc",
        "12,",
        ",5",
        "1,2,3",
        "1.",
        "8.",
        "1..2",
        "1.2.3",
        "12.40.000",
        "12 400",
        "--5",
        "%%5",
        "44,1%",
        "8'inci",
        "NaN",
        "inf",
        "1e-4",
        "2e5",
        "A",
        "AB1",
        "A1.2",
        "[0,61; 0,67]",
        "<0,001",
        "٣",
        "Tablo ",
        "5 ",
        " 5",
        "saniye",
        "x saniye",
        "10⁻",
        "0,61–0,67",
    ] {
        assert_eq!(suffix(text, Case::Dative), Err(Error::NotANumeral { text: text.to_owned() }), "{text:?}");
    }
    for text in [
        "1000000000000001",
        "2000000000000000",
        "1.000.000.000.000.001",
        "0,1234567890123456",
        "9999999999999999,5",
    ] {
        assert_eq!(suffix(text, Case::Dative), Err(Error::TooLarge { text: text.to_owned() }), "{text:?}");
    }
    for word in ["", " ", "lora ", "lm", "x", "two", "bir 2", "instruct!"] {
        let error = Error::Unreadable { word: word.to_owned() };
        assert_eq!(suffix_with_reading("LoRA", word, Case::Dative), Err(error.clone()), "{word:?}");
        assert_eq!(plain_suffix(word, Case::Dative), Err(error), "{word:?}");
    }
    assert_eq!(
        suffix_with_reading(" ", "lora", Case::Dative),
        Err(Error::EmptyName { reading: "lora".to_owned() })
    );
    assert_eq!("ten".parse::<Case>(), Err(Error::UnknownCase { name: "ten".to_owned() }));
}

#[test]
fn both_names_of_every_case() {
    let examples = ["e", "i", "in", "de", "den", "le", "lik", "inci", "si"];
    for (case, example) in Case::ALL.into_iter().zip(examples) {
        assert_eq!(example.parse(), Ok(case));
        assert_eq!(case.to_string().parse(), Ok(case));
    }
}

/// Unicode's SpecialCasing.txt, the lines for `tr`.
#[test]
fn dotted_and_dotless_i() {
    assert_eq!(upper("istatistiksel ısı"), "İSTATİSTİKSEL ISI");
    assert_eq!(lower("İSTATİSTİKSEL ISI"), "istatistiksel ısı");
    assert_eq!(lower("I\u{307}"), "i");
    assert_eq!(capitalize("ısı"), "Isı");
    assert_eq!(capitalize("ölçüm LoRA'da"), "Ölçüm LoRA'da");
    assert_eq!(capitalize(""), "");
}

#[test]
fn dates_name_their_month() {
    for (month, name) in (1..).zip(MONTHS) {
        let day = chrono::NaiveDate::from_ymd_opt(2026, month, 7).unwrap();
        assert_eq!(date(day), format!("7 {name} 2026"));
    }
}
