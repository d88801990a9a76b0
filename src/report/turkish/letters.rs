//! The Turkish alphabet: i/İ and ı/I are two letters, which Unicode's default casing does not know.

/// Upper case: `i` becomes `İ`, `ı` becomes `I`.
///
/// ```
/// assert_eq!(tezgah::report::turkish::upper("ışık ile kayıp"), "IŞIK İLE KAYIP");
/// ```
pub fn upper(text: &str) -> String {
    let mut raised = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            'i' => raised.push('İ'),
            other => raised.extend(other.to_uppercase()), // ı is I in Unicode too
        }
    }
    raised
}

/// Lower case: `I` becomes `ı`, `İ` becomes `i` and not an i with a second dot.
///
/// ```
/// assert_eq!(tezgah::report::turkish::lower("IŞIK İLE KAYIP"), "ışık ile kayıp");
/// ```
pub fn lower(text: &str) -> String {
    let mut lowered = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            // A decomposed İ is I and U+0307: both together are one letter.
            'I' if letters.next_if_eq(&'\u{307}').is_some() => lowered.push('i'),
            'I' => lowered.push('ı'),
            'İ' => lowered.push('i'),
            other => lowered.extend(other.to_lowercase()),
        }
    }
    lowered
}

/// The first letter raised, the rest as it was: names inside a sentence keep their capitals.
///
/// ```
/// assert_eq!(tezgah::report::turkish::capitalize("iyileşme LoRA ile görüldü"), "İyileşme LoRA ile görüldü");
/// ```
pub fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => upper(first.encode_utf8(&mut [0; 4])) + letters.as_str(),
        None => String::new(),
    }
}

/// The vowel as harmony hears it: a circumflex does not count. `None` for all else.
pub(super) fn vowel(letter: char) -> Option<char> {
    match letter {
        'a' | 'e' | 'ı' | 'i' | 'o' | 'ö' | 'u' | 'ü' => Some(letter),
        'â' => Some('a'),
        'î' => Some('i'),
        'û' => Some('u'),
        _ => None,
    }
}

/// Whether the lower-case letter is a vowel.
pub(super) fn is_vowel(letter: char) -> bool {
    vowel(letter).is_some()
}

/// Whether the lower-case letter is one of the 29, or a vowel with a circumflex.
pub(super) fn is_turkish(letter: char) -> bool {
    is_vowel(letter) || "bcçdfgğhjklmnprsştvyz".contains(letter)
}

/// The front partner of a back vowel.
pub(super) fn fronted(vowel: char) -> char {
    match vowel {
        'a' => 'e',
        'ı' => 'i',
        'o' => 'ö',
        'u' => 'ü',
        front => front,
    }
}
