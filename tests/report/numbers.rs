//! Printed numbers against Python's decimal module, and the thresholds of durations and sizes.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use proptest::prelude::*;
use serde_json::Value;
use tezgah::report::DecimalMark;
use tezgah::report::numbers::{Error, MAX_DIGITS, Style, date};

const COMMA: Style = Style { decimal: DecimalMark::Comma };
const POINT: Style = Style { decimal: DecimalMark::Point };

/// Value, decimals, the number and the percentage that tests/reference/turkish/make_vectors.py printed.
fn rounding() -> Vec<(f64, usize, String, String)> {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../reference/turkish/rounding.json")).unwrap();
    let text = |vector: &Value, key: &str| vector[key].as_str().unwrap().to_owned();
    vectors
        .iter()
        .map(|vector| {
            // Parsed here and not by serde_json, whose floats may be off by the last bit.
            let value = text(vector, "value").parse().unwrap();
            (value, vector["digits"].as_u64().unwrap() as usize, text(vector, "sayi"), text(vector, "yuzde"))
        })
        .collect()
}

/// The comma style's text in the point style.
fn in_point_style(text: &str) -> String {
    text.replace('.', "").replace(',', ".")
}

#[test]
fn numbers_and_percentages_are_those_of_python_decimal() {
    let vectors = rounding();
    assert!(vectors.len() > 1000);
    for (value, digits, sayi, yuzde) in vectors {
        assert_eq!(COMMA.number(value, digits).unwrap(), sayi, "{value} with {digits}");
        assert_eq!(COMMA.percent(value, digits).unwrap(), yuzde, "{value} with {digits}");
        assert_eq!(POINT.number(value, digits).unwrap(), in_point_style(&sayi), "{value} with {digits}");
        assert_eq!(POINT.percent(value, digits).unwrap(), in_point_style(&yuzde), "{value} with {digits}");
    }
}

/// Were `number` written with `format!`, or `percent` as a product, the vectors above would tell.
#[test]
fn the_vectors_catch_binary_rounding() {
    assert_eq!(format!("{:.2}", 2.675), "2.67");
    assert_eq!(COMMA.number(2.675, 2).unwrap(), "2,68");
    assert_eq!(format!("{:.0}", 0.575 * 100.0), "57");
    assert_eq!(COMMA.percent(0.575, 0).unwrap(), "%58");
    let naive = |value: f64, digits| format!("{value:.digits$}").replace('-', "−");
    let (mut numbers, mut percentages) = (0, 0);
    for (value, digits, sayi, yuzde) in rounding().into_iter().filter(|(value, ..)| *value > 0.0) {
        numbers += usize::from(naive(value, digits) != in_point_style(&sayi));
        percentages += usize::from(format!("%{}", naive(value * 100.0, digits)) != in_point_style(&yuzde));
    }
    assert!(numbers >= 10 && percentages >= 10, "{numbers} numbers and {percentages} percentages tell");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn rounded_is_near_and_zero_has_no_sign(value in any::<f64>(), small in -1e6..1e6f64, digits in 0..=MAX_DIGITS) {
        for value in [value, small] {
            let text = POINT.number(value, digits).unwrap();
            let read: f64 = text.replace('−', "-").parse().unwrap();
            let half = 0.5 * 10f64.powi(-(digits as i32));
            prop_assert!((read - value).abs() <= half + value.abs() * 1e-15, "{} printed as {}", value, text);
            prop_assert!(!text.starts_with('−') || text.contains(|c: char| ('1'..='9').contains(&c)), "{}", text);
            prop_assert_eq!(text.split_once('.').map_or(0, |(_, fraction)| fraction.len()), digits);
        }
    }

    #[test]
    fn no_value_panics(bits in any::<u64>(), digits in any::<usize>(), text in any::<String>()) {
        let value = f64::from_bits(bits);
        let results = [
            COMMA.number(value, digits),
            COMMA.percent(value, digits % 16),
            COMMA.duration(value),
            COMMA.scientific(value),
            COMMA.p_value(value),
            date(&text),
        ];
        for error in results.into_iter().filter_map(Result::err) {
            prop_assert_eq!(error.to_string().lines().count(), 1);
        }
        let _ = (COMMA.size(bits), COMMA.count(bits));
    }

    #[test]
    fn scientific_is_near(value in prop_oneof![1e-12..1e-2f64, -1e9..1e9f64]) {
        let text = COMMA.scientific(value).unwrap();
        let (mantissa, power) = text.split_once(" × 10").unwrap_or((&text, ""));
        let plain = |c: char| match c {
            '⁻' | '−' => '-',
            ',' => '.',
            '¹' => '1',
            '²' => '2',
            '³' => '3',
            '⁰' => '0',
            '⁴'..='⁹' => char::from_digit(c as u32 - '⁴' as u32 + 4, 10).unwrap(),
            other => other,
        };
        let read = |text: &str| text.chars().map(plain).collect::<String>();
        let power: i32 = if power.is_empty() { 0 } else { read(power).parse().unwrap() };
        let mantissa: f64 = read(mantissa).parse().unwrap();
        prop_assert!((1.0..10.0).contains(&mantissa.abs()));
        prop_assert!((mantissa * 10f64.powi(power) / value - 1.0).abs() <= 0.00501, "{} printed as {}", value, text);
    }
}

#[test]
fn durations() {
    for (seconds, expected) in [
        (0.0, "0 saniye"),
        (0.0004, "1 milisaniyeden kısa"),
        (0.42, "420 milisaniye"),
        (0.9996, "1 saniye"),
        (1.0, "1 saniye"),
        (3.42, "3,4 saniye"),
        (9.96, "10 saniye"),
        (12.5, "12 saniye"), // half to even
        (93.2, "93 saniye"),
        (119.4, "119 saniye"),
        (119.6, "2 dakika"),
        (150.0, "2 dk 30 sn"),
        (3599.6, "1 saat"),
        (3689.6, "1 sa 1 dk"), // rounding twice, by seconds first, would say 2 dk
        (3630.0, "1 saat"),    // 60,5 min, a tie
        (3630.4, "1 sa 1 dk"), // above the tie
        (3690.0, "1 sa 2 dk"), // 61,5 min
        (4325.0, "1 sa 12 dk"),
        (86_399.0, "1 gün"),
        (97_200.0, "1 gün 3 sa"),
        (86_400.0 * 1234.0, "1.234 gün"),
    ] {
        assert_eq!(COMMA.duration(seconds).unwrap(), expected, "{seconds} s");
    }
    assert_eq!(POINT.duration(3.42).unwrap(), "3.4 saniye");
}

#[test]
fn sizes_are_decimal() {
    for (bytes, expected) in [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1,0 kB"),
        (1050, "1,0 kB"), // half to even
        (1150, "1,2 kB"),
        (999_949, "999,9 kB"),
        (999_950, "1,0 MB"),
        (9_900_000, "9,9 MB"),
        (2_471_645_608, "2,5 GB"),
        (u64::MAX, "18,4 EB"),
    ] {
        assert_eq!(COMMA.size(bytes), expected, "{bytes} B");
    }
    assert_eq!(POINT.size(2_471_645_608), "2.5 GB");
}

#[test]
fn counts_learning_rates_and_p_values() {
    assert_eq!(COMMA.count(0), "0");
    assert_eq!(COMMA.count(12_400), "12.400");
    assert_eq!(COMMA.count(u64::MAX), "18.446.744.073.709.551.615");
    assert_eq!(POINT.count(12_400), "12400");
    for (value, expected) in [
        (2e-4, "2 × 10⁻⁴"),
        (1.5e-5, "1,5 × 10⁻⁵"),
        (1.960_784_3e-4, "1,96 × 10⁻⁴"),
        (9.996e-4, "1 × 10⁻³"),
        (-3e8, "−3 × 10⁸"),
        (1e-10, "1 × 10⁻¹⁰"),
        (2.5, "2,5"),
        (0.0, "0"),
        (-0.0, "0"),
    ] {
        assert_eq!(COMMA.scientific(value).unwrap(), expected, "{value}");
    }
    for (p, expected) in [
        (0.0, "<0,001"),
        (0.000_999_9, "<0,001"),
        (0.001, "0,001"),
        (0.0132, "0,013"),
        (0.0496, "0,050"),
        (1.0, "1,000"),
    ] {
        assert_eq!(COMMA.p_value(p).unwrap(), expected, "{p}");
    }
    assert_eq!(POINT.p_value(1e-4).unwrap(), "<0.001");
}

#[test]
fn the_day_is_that_of_the_time_s_own_offset() {
    assert_eq!(date("2025-10-24T23:30:00+03:00").unwrap(), "24 Ekim 2025");
    assert_eq!(date("2025-10-24T20:30:00Z").unwrap(), "24 Ekim 2025");
    assert_eq!(date("2024-02-29T00:00:00.5+03:00").unwrap(), "29 Şubat 2024");
    for text in ["", "2025-10-24", "2025-02-29T00:00:00Z", "24 Ekim 2025"] {
        assert!(date(text).unwrap_err().to_string().contains(&format!("{text:?}")));
    }
}

#[test]
fn errors_name_the_value() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let results = [
            COMMA.number(value, 2),
            COMMA.percent(value, 1),
            COMMA.duration(value),
            COMMA.scientific(value),
            COMMA.p_value(value),
        ];
        for result in results {
            let error = result.unwrap_err();
            assert!(matches!(error, Error::NotFinite { .. }), "{error}");
            assert!(error.to_string().contains(&value.to_string()), "{error}");
        }
    }
    assert_eq!(COMMA.number(0.5, 16), Err(Error::TooManyDigits { value: 0.5, digits: 16 }));
    for error in [COMMA.duration(-1.0), COMMA.duration(1e12), COMMA.p_value(1.01), COMMA.p_value(-0.1)] {
        assert!(matches!(error, Err(Error::OutOfRange { .. })), "{error:?}");
    }
}
