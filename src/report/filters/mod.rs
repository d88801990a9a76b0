//! What templates may do to a value: print it as Turkish text has it, and put a suffix on it.
//!
//! Each number filter takes a [`Quantity`] and nothing else, so that a number that did not come from the record
//! cannot be printed; the environment's formatter refuses a bare number, null or bool with its template and line.
//!
//! | filter | example |
//! |---|---|
//! | `sayi(2)` | 1,95 |
//! | `sade`, `sade(3)` | 0,05: all decimals that the number shows, or up to three, without zeros at their end |
//! | `yuzde(1)`, `yuzde_sade`, `yuzde_yaklasik` | %44,1; %10 or %12,5; %67 (two significant digits) |
//! | `yuzde_isaretli` | +%7,9; −%44,1 |
//! | `yuzde_imsiz(1)` | 44,1: a percentage whose sign stands in the head of its row, or percentage points |
//! | `ayri(other)`, `ayri(other, 0)` | 1,95, with more decimals where the other number would print alike; 14 |
//! | `buyuk` | 1,24 milyar |
//! | `kacinda(whole)` | 13'ünde, or tamamında |
//! | `tamsayi`, `kimlik` | 12.400 rows; seed 3407, which is a name and takes no groups |
//! | `bilimsel` | 2 × 10⁻⁴ |
//! | `p`, `p_degeri` | p < 0,001; < 0,001 under a head that says p, which is `{{ p_harfi }}` |
//! | `aralik(2)`, `yuzde_araligi(1)` | [0,61; 0,67] of a map with low and high; [61,0; 67,0] of one with shares |
//!
//! A number that was measured in an interval is printed to the digit that the interval supports, whatever a template asks
//! for; see [`super::quantity::supported`].
//!
//! | filter | example |
//! |---|---|
//! | `sure`, `boyut`, `tarih` | 93 saniye; 9,9 MB; 24 Ekim 2025 |
//! | `ek("den")`, `iyelik("den")` | 1,95'ten; %44,1'inden |
//! | `duz`, `kod`, `kod_hucre`, `blok("json")` | text of others: in a line or cell, as code, as code in a cell, as a block |
//! | `kayit("environment.started_at")` | a text that stands in the record, with its place there |

mod decimals;
mod forms;
mod suffixes;

use super::DecimalMark;
use super::markdown;
use super::numbers::{self, Style};
use super::quantity::{Amount, Quantity, in_percent};
use super::trace;
use decimals::{MOST_DECIMALS, apart, in_words, nonzero, shortest, two_significant};
use forms::{p_relation, p_value, percent, percent_without_sign};
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, Output, State, Value};

type Printed = Result<String, numbers::Error>;
type OfNumber = fn(Style, f64) -> Printed;
type OfCount = fn(Style, u64) -> Printed;
type WithDecimals = fn(Style, f64, usize) -> Printed;

/// Numbers with a choice of decimals: filter, the decimals where a template names none, and what is printed.
const WITH_DECIMALS: [(&str, usize, WithDecimals); 6] = [
    ("sayi", 2, |style, value, digits| nonzero(value, digits, |digits| style.number(value, digits))),
    ("sade", numbers::MAX_DIGITS, |style, value, most| shortest(most, |digits| style.number(value, digits))),
    ("yuzde", 1, percent),
    ("yuzde_isaretli", 1, |style, value, digits| {
        let text = percent(style, value, digits)?;
        Ok(if value > 0.0 { format!("+{text}") } else { text })
    }),
    ("yuzde_sade", 1, |style, value, most| shortest(most, |digits| style.percent(value, digits))),
    ("yuzde_imsiz", 1, |style, value, digits| {
        nonzero(value, digits, |digits| percent_without_sign(style, value, digits))
    }),
];

/// Intervals: filter, the decimals where a template names none, and how a bound is printed.
const INTERVALS: [(&str, usize, WithDecimals); 2] =
    [("aralik", 2, Style::number), ("yuzde_araligi", 1, percent_without_sign)];

/// Numbers that choose their own decimals.
const MEASURED: [(&str, OfNumber); 5] = [
    ("yuzde_yaklasik", |style, value| style.percent(value, two_significant(value))),
    ("bilimsel", Style::scientific),
    ("p", |style, value| Ok(format!("p {}", p_relation(style, value)?))),
    ("p_degeri", p_value),
    ("sure", Style::duration),
];

/// Whole numbers: filter, what it expects, and what is printed.
const COUNTED: [(&str, &str, OfCount); 4] = [
    ("tamsayi", "a count", |style, count| Ok(style.count(count))),
    ("kimlik", "a whole number", |_, number| Ok(number.to_string())),
    ("buyuk", "a count", in_words),
    ("boyut", "bytes", |style, bytes| Ok(style.size(bytes))),
];

/// The letter p as the document has it.
const P: &str = "p_harfi";

/// Adds all filters and the strict formatter to `environment`.
pub(super) fn install(environment: &mut Environment<'_>, mark: DecimalMark) {
    add_numbers(environment, Style { decimal: mark });
    suffixes::add(environment, mark);
    add_texts(environment);
    environment.add_global(P, "p");
    environment.set_formatter(strict);
}

fn add_numbers(environment: &mut Environment<'_>, style: Style) {
    for (name, default, print) in WITH_DECIMALS {
        environment.add_filter(name, move |value: Value, digits: Option<usize>| {
            traced(&value, name, |quantity| {
                let digits = supported(quantity, name).or(digits).unwrap_or(default);
                print(style, quantity.real(), digits)
            })
        });
    }
    for (name, print) in MEASURED {
        environment.add_filter(name, move |value: Value| {
            traced(&value, name, |quantity| print(style, quantity.real()))
        });
    }
    for (name, expected, print) in COUNTED {
        environment.add_filter(name, move |value: Value| {
            let Quantity { path, value: amount, .. } = quantity_of(&value, name)?;
            match amount {
                Amount::Whole(count) => traced(&value, name, |_| print(style, *count)),
                Amount::Real(real) => {
                    Err(refused(format!("{name}: expected {expected}, got {path} = {real}")))
                }
            }
        });
    }
    environment.add_filter("ayri", move |value: Value, other: Value, fewest: Option<usize>| {
        let other = quantity_of(&other, "ayri")?.real();
        traced(&value, "ayri", |quantity| {
            let fewest = fewest.or(quantity.decimals).unwrap_or(2);
            apart(quantity.real(), other, fewest, |value, digits| style.number(value, digits))
        })
    });
    for (name, default, print) in INTERVALS {
        environment.add_filter(name, move |value: Value, digits: Option<usize>| {
            interval(&value, name, digits.unwrap_or(default), |bound, digits| print(style, bound, digits))
        });
    }
    environment
        .add_filter("tarih", |time: &str| numbers::date(time).map_err(|error| refused(error.to_string())));
}

fn add_texts(environment: &mut Environment<'_>) {
    environment.add_filter("duz", markdown::escaped);
    environment.add_filter("kayit", |text: &str, path: &str| trace::marked(path, text));
    environment.add_filter("kod", markdown::code);
    environment.add_filter("kod_hucre", markdown::cell_code);
    environment.add_filter("blok", |text: &str, language: Option<&str>| {
        markdown::block(text, language.unwrap_or_default())
    });
}

/// Replaces the filter `p`: *p* < 0,001, the letter in italics and outside the traced number; and the letter alone.
pub(super) fn set_p_in_italics(environment: &mut Environment<'_>, mark: DecimalMark) {
    let style = Style { decimal: mark };
    environment.add_global(P, "*p*");
    environment.add_filter("p", move |value: Value| {
        let text = traced(&value, "p", |quantity| p_relation(style, quantity.real()));
        text.map(|text| format!("*p* {text}"))
    });
}

/// Prints text and nothing else: a number without a filter, a null or an undefined name stops the document.
fn strict(output: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::String => minijinja::escape_formatter(output, state, value),
        ValueKind::Undefined => Err(refused("the value is undefined: expected a name of the view".into())),
        kind => {
            let got = match value.downcast_object_ref::<Quantity>() {
                Some(quantity) => format!("the number {} = {}", quantity.path, quantity.value),
                None => format!("{kind} {value:?}"),
            };
            Err(refused(format!("expected text, got {got}: print numbers through a number filter")))
        }
    }
}

/// An error of a template; the engine adds template and line.
pub(super) fn refused(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

fn quantity_of<'a>(value: &'a Value, filter: &str) -> Result<&'a Quantity, Error> {
    value.downcast_object_ref::<Quantity>().ok_or_else(|| {
        refused(format!("{filter}: expected a number of the record, got {} {value:?}", value.kind()))
    })
}

fn traced(value: &Value, filter: &str, print: impl Fn(&Quantity) -> Printed) -> Result<String, Error> {
    let quantity = quantity_of(value, filter)?;
    let text = print(quantity).map_err(|error| refused(format!("{filter}: {}: {error}", quantity.path)))?;
    Ok(quantity.traced(&text))
}

/// What its interval supports is all that a measurement may show: its decimals in what `filter` prints.
fn supported(quantity: &Quantity, filter: &str) -> Option<usize> {
    quantity
        .decimals
        .map(|decimals| if filter.starts_with("yuzde") { in_percent(decimals) } else { decimals })
}

/// `[low; high]` of a map with both; with more decimals where the bounds would print alike.
fn interval(
    value: &Value,
    filter: &str,
    digits: usize,
    print: impl Fn(f64, usize) -> Printed,
) -> Result<String, Error> {
    let bounds = [value.get_attr("low")?, value.get_attr("high")?];
    let [low, high] = [quantity_of(&bounds[0], filter)?, quantity_of(&bounds[1], filter)?];
    if low.real() > high.real() {
        return Err(refused(format!(
            "{filter}: {} = {} is above {} = {}",
            low.path, low.value, high.path, high.value
        )));
    }
    let digits = supported(low, filter).unwrap_or(digits);
    let is_apart = |digits: &usize| print(low.real(), *digits).ok() != print(high.real(), *digits).ok();
    let digits = (digits..=MOST_DECIMALS).find(is_apart).unwrap_or(digits);
    let bound = |bound: &Value| traced(bound, filter, |quantity| print(quantity.real(), digits));
    Ok(format!("[{}; {}]", bound(&bounds[0])?, bound(&bounds[1])?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::{UndefinedBehavior, context};

    fn rendered(source: &str, value: Value) -> Result<String, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_debug(true);
        install(&mut environment, DecimalMark::Comma);
        environment.add_template("deneme.md.j2", source).map_err(|error| error.to_string())?;
        let template = environment.get_template("deneme.md.j2").map_err(|error| error.to_string())?;
        let text =
            template.render(context! { x => value, yes => true, nothing => (), raw => 1.5, nan => f64::NAN });
        text.map(|text| trace::plain(&text)).map_err(|error| crate::report::engine::fault(&error).to_string())
    }

    fn number(value: impl Into<Amount>) -> Value {
        Value::from_object(Quantity::new("training.seconds", value))
    }

    #[test]
    fn numbers_print_as_turkish_text_has_them() {
        for (filter, value, expected) in [
            ("sayi", number(1.955), "1,96"),
            ("sayi(4)", number(0.5), "0,5000"),
            ("sayi", number(0.0012), "0,001"),
            ("sayi", number(0.0), "0,00"),
            ("sayi", number(1e-9), "0,00"),
            ("sade", number(0.05), "0,05"),
            ("sade", number(256.0), "256"),
            ("sade(1)", number(116.04), "116"),
            ("sade(3)", number(4.127), "4,127"),
            ("yuzde", number(0.441), "%44,1"),
            ("yuzde", number(0.0), "%0,0"),
            ("yuzde", number(0.0002), "%0,02"),
            ("yuzde(0)", number(0.95), "%95"),
            ("yuzde_sade", number(0.1), "%10"),
            ("yuzde_sade", number(0.125), "%12,5"),
            ("yuzde_yaklasik", number(0.6718), "%67"),
            ("yuzde_yaklasik", number(0.0543), "%5,4"),
            ("yuzde_yaklasik", number(0.0031), "%0,31"),
            ("yuzde_isaretli", number(0.079), "+%7,9"),
            ("yuzde_isaretli", number(-0.441), "−%44,1"),
            ("yuzde_imsiz", number(0.131), "13,1"),
            ("yuzde_imsiz", number(-0.052), "−5,2"),
            ("yuzde_imsiz", number(0.0002), "0,02"),
            ("yuzde_imsiz(0)", number(0.05), "5"),
            ("tamsayi", number(12_400u64), "12.400"),
            ("kimlik", number(3407u64), "3407"),
            ("buyuk", number(1_235_814_400u64), "1,24 milyar"),
            ("buyuk", number(90_177_536u64), "90,2 milyon"),
            ("buyuk", number(9_996_000u64), "10,0 milyon"),
            ("buyuk", number(640_000u64), "640.000"),
            ("bilimsel", number(2e-4), "2 × 10⁻⁴"),
            ("p", number(0.0001), "p < 0,001"),
            ("p", number(0.0132), "p = 0,013"),
            ("p_degeri", number(0.0001), "< 0,001"),
            ("p_degeri", number(0.0132), "0,013"),
            ("sure", number(93.2), "93 saniye"),
            ("boyut", number(9_912_345u64), "9,9 MB"),
            ("sayi(2) | ek('den')", number(1.95), "1,95'ten"),
            ("yuzde | ek('lik')", number(0.441), "%44,1'lik"),
            ("yuzde | iyelik('den')", number(0.441), "%44,1'inden"),
            ("sure | ek('de')", number(93.2), "93 saniyede"),
        ] {
            assert_eq!(
                rendered(&format!("{{{{ x | {filter} }}}}"), value).as_deref(),
                Ok(expected),
                "{filter}"
            );
        }
    }

    #[test]
    fn numbers_that_differ_never_print_alike() {
        let pair = |before: f64, after: f64| {
            let value = Value::from(vec![number(before), number(after)]);
            rendered("{{ x[0] | ayri(x[1]) }} {{ x[1] | ayri(x[0]) }}", value)
        };
        assert_eq!(pair(1.95, 0.64).as_deref(), Ok("1,95 0,64"));
        assert_eq!(pair(1.9391, 1.9372).as_deref(), Ok("1,939 1,937"));
        assert_eq!(pair(1.5, 1.5).as_deref(), Ok("1,50 1,50"));
    }

    #[test]
    fn an_interval_is_no_point() {
        let bounds = |low: f64, high: f64| {
            rendered("{{ x | aralik(2) }}", Value::from_pairs([("low", number(low)), ("high", number(high))]))
        };
        assert_eq!(bounds(0.6104, 0.67).as_deref(), Ok("[0,61; 0,67]"));
        assert_eq!(bounds(0.0012, 0.0018).as_deref(), Ok("[0,001; 0,002]"));
        assert_eq!(bounds(-0.002, 0.67).as_deref(), Ok("[0,00; 0,67]"));
        assert_eq!(bounds(-1.31, -1.2).as_deref(), Ok("[−1,31; −1,20]"));
        assert!(bounds(f64::NAN, 1.0).is_err_and(|error| error.contains("cannot print NaN")));
        assert!(bounds(0.0, f64::INFINITY).is_err_and(|error| error.contains("cannot print inf")));
        assert_eq!(bounds(0.5, 0.5).as_deref(), Ok("[0,50; 0,50]"));
        assert!(bounds(0.7, 0.6).is_err_and(|error| error.contains("is above")));
    }

    /// A share and its interval have the digits that the width supports, two fewer than as fractions of one.
    #[test]
    fn a_share_in_percent_shows_what_its_interval_supports() {
        let share = |estimate: f64, low: f64, high: f64| {
            let interval = crate::statistics::Interval { estimate, low, high };
            let bound = |value: f64| {
                Value::from(Quantity::new("texts.measures[0].mean", value).within(Some(&interval)))
            };
            let mean = [("estimate", bound(estimate)), ("low", bound(low)), ("high", bound(high))];
            let source = "{{ x.estimate | yuzde_imsiz(1) }} {{ x | yuzde_araligi(1) }}";
            rendered(source, Value::from_pairs(mean))
        };
        assert_eq!(share(0.131, 0.112, 0.158).as_deref(), Ok("13 [11; 16]"));
        assert_eq!(share(0.1309, 0.1264, 0.1355).as_deref(), Ok("13,1 [12,6; 13,6]"));
        assert_eq!(share(0.0, 0.0, 0.0).as_deref(), Ok("0,0 [0,0; 0,0]"));
        assert_eq!(share(0.4, 0.1, 0.9).as_deref(), Ok("40 [10; 90]"));
    }

    #[test]
    fn a_part_of_a_whole_is_read_as_words() {
        let part = |part: u64, whole: u64| {
            rendered("{{ x[0] | kacinda(x[1]) }}", Value::from(vec![number(part), number(whole)]))
        };
        assert_eq!(part(13, 87).as_deref(), Ok("13'ünde"));
        assert_eq!(part(87, 87).as_deref(), Ok("tamamında"));
    }

    #[test]
    fn what_is_no_printed_number_is_refused_with_its_place() {
        let quantity = number(93.2);
        for (source, value, message) in [
            ("\n{{ x }}", quantity, "line 2: expected text, got the number training.seconds = 93.2"),
            ("{{ raw }}", Value::UNDEFINED, "line 1: expected text, got number 1.5"),
            ("{{ nan }}", Value::UNDEFINED, "line 1: expected text, got number NaN"),
            ("{{ nothing }}", Value::UNDEFINED, "line 1: expected text, got none"),
            ("{{ yes }}", Value::UNDEFINED, "line 1: expected text, got bool True"),
            ("a\nb\n{{ unknown }}", Value::UNDEFINED, "line 3: `unknown` is undefined"),
            ("{{ unknown.field }}", Value::UNDEFINED, "line 1: `unknown` is undefined"),
            ("{% if unknown %}{% endif %}", Value::UNDEFINED, "line 1: `unknown` is undefined"),
            (
                "{{ raw | sayi }}",
                Value::UNDEFINED,
                "line 1: sayi: expected a number of the record, got number 1.5",
            ),
            ("{{ x | sayi }}", number(f64::NAN), "line 1: sayi: training.seconds: cannot print NaN"),
            (
                "{{ x | tamsayi }}",
                number(1.5),
                "line 1: tamsayi: expected a count, got training.seconds = 1.5",
            ),
            ("{{ x | sayi | ek('ten') }}", number(1.5), "line 1: unknown suffix \"ten\""),
            ("{{ 'LoRA' | ek('den') }}", Value::UNDEFINED, "line 1: ek: no numeral to read"),
            ("{{ x | aralik }}", number(1.5), "line 1"),
        ] {
            let error = rendered(source, value).expect_err(source);
            assert!(error.contains("templates/deneme.md.j2"), "{source}: {error}");
            assert!(error.contains(message), "{source}: {error}");
            assert_eq!(error.lines().count(), 1, "{source}: {error}");
        }
    }
}
