//! The second way to a suffix: the number spelled out in words, and a table of suffixes for the last of them.

/// What follows each last word, in the order of [`Case::ALL`]: the table of TDK's rules, written out by hand so
/// that no rule of harmony is used twice.
const TABLE: [(&str, [&str; 9]); 25] = [
    ("sıfır", ["a", "ı", "ın", "da", "dan", "la", "lık", "ıncı", "ı"]),
    ("bir", ["e", "i", "in", "de", "den", "le", "lik", "inci", "i"]),
    ("iki", ["ye", "yi", "nin", "de", "den", "yle", "lik", "nci", "si"]),
    ("üç", ["e", "ü", "ün", "te", "ten", "le", "lük", "üncü", "ü"]),
    ("dört", ["e", "ü", "ün", "te", "ten", "le", "lük", "üncü", "ü"]),
    ("beş", ["e", "i", "in", "te", "ten", "le", "lik", "inci", "i"]),
    ("altı", ["ya", "yı", "nın", "da", "dan", "yla", "lık", "ncı", "sı"]),
    ("yedi", ["ye", "yi", "nin", "de", "den", "yle", "lik", "nci", "si"]),
    ("sekiz", ["e", "i", "in", "de", "den", "le", "lik", "inci", "i"]),
    ("dokuz", ["a", "u", "un", "da", "dan", "la", "luk", "uncu", "u"]),
    ("on", ["a", "u", "un", "da", "dan", "la", "luk", "uncu", "u"]),
    ("yirmi", ["ye", "yi", "nin", "de", "den", "yle", "lik", "nci", "si"]),
    ("otuz", ["a", "u", "un", "da", "dan", "la", "luk", "uncu", "u"]),
    ("kırk", ["a", "ı", "ın", "ta", "tan", "la", "lık", "ıncı", "ı"]),
    ("elli", ["ye", "yi", "nin", "de", "den", "yle", "lik", "nci", "si"]),
    ("altmış", ["a", "ı", "ın", "ta", "tan", "la", "lık", "ıncı", "ı"]),
    ("yetmiş", ["e", "i", "in", "te", "ten", "le", "lik", "inci", "i"]),
    ("seksen", ["e", "i", "in", "de", "den", "le", "lik", "inci", "i"]),
    ("doksan", ["a", "ı", "ın", "da", "dan", "la", "lık", "ıncı", "ı"]),
    ("yüz", ["e", "ü", "ün", "de", "den", "le", "lük", "üncü", "ü"]),
    ("bin", ["e", "i", "in", "de", "den", "le", "lik", "inci", "i"]),
    ("milyon", ["a", "u", "un", "da", "dan", "la", "luk", "uncu", "u"]),
    ("milyar", ["a", "ı", "ın", "da", "dan", "la", "lık", "ıncı", "ı"]),
    ("trilyon", ["a", "u", "un", "da", "dan", "la", "luk", "uncu", "u"]),
    ("katrilyon", ["a", "u", "un", "da", "dan", "la", "luk", "uncu", "u"]),
];

/// The whole number in words, group by group from the left.
pub(super) fn in_words(number: u64) -> Vec<&'static str> {
    let word = |place: usize| TABLE[place].0;
    if number == 0 {
        return vec![word(0)];
    }
    let mut words = Vec::new();
    for scale in (0..=5u32).rev() {
        let group = (number / 1000u64.pow(scale) % 1000) as usize;
        let (hundreds, tens, ones) = (group / 100, group / 10 % 10, group % 10);
        if hundreds > 1 {
            words.push(word(hundreds));
        }
        if hundreds > 0 {
            words.push("yüz");
        }
        if tens > 0 {
            words.push(word(9 + tens));
        }
        if ones > 0 && !(scale == 1 && group == 1) {
            words.push(word(ones)); // bin, never bir bin
        }
        if group > 0 && scale > 0 {
            words.push(word(19 + scale as usize));
        }
    }
    words
}

/// The suffix by the second way.
pub(super) fn expected(number: u64, case: usize) -> &'static str {
    let words = in_words(number);
    let last = words.last().unwrap();
    TABLE.iter().find(|(word, _)| word == last).unwrap().1[case]
}
