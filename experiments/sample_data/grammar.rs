//! The little English morphology that a template cannot decide in advance.

/// The third person singular of a verb in its base form: `watch` -> `watches`, `don't` -> `doesn't`.
pub fn third_person(verb: &str) -> String {
    match verb {
        "am" => "is".to_owned(),
        "was" => "was".to_owned(),
        "have" => "has".to_owned(),
        "haven't" => "hasn't".to_owned(),
        "don't" => "doesn't".to_owned(),
        _ if ends_in_consonant_y(verb) => format!("{}ies", &verb[..verb.len() - 1]),
        _ if ["s", "sh", "ch", "x", "z", "o"].iter().any(|end| verb.ends_with(end)) => format!("{verb}es"),
        _ => format!("{verb}s"),
    }
}

/// Puts `an` for `a` before a vowel sound, capitals at sentence starts, and single spaces.
pub fn polish(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        for index in 1..words.len() {
            if matches!(words[index - 1].as_str(), "a" | "A" | "\"a" | "\"A")
                && starts_with_vowel_sound(&words[index])
            {
                words[index - 1].push('n');
            }
        }
        lines.push(words.join(" "));
    }
    capitalise_sentences(&lines.join("\n"))
}

/// The sentence with a capital first letter.
pub fn capitalise(sentence: &str) -> String {
    let start = sentence.find(char::is_alphanumeric).unwrap_or(0);
    let mut rest = sentence[start..].chars();
    let first: String = rest.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    format!("{}{first}{}", &sentence[..start], rest.as_str())
}

/// Lines of a dialogue, where two in a row by one speaker become one.
pub fn join_speakers(text: &str) -> String {
    let mut joined: Vec<String> = Vec::new();
    let mut speaking = "";
    for line in text.lines() {
        let (speaker, words) = line.split_once(": ").unwrap_or(("", line));
        match joined.last_mut() {
            Some(last) if speaker == speaking => {
                last.push(' ');
                last.push_str(words);
            }
            _ => joined.push(line.to_owned()),
        }
        speaking = speaker;
    }
    joined.join("\n")
}

/// True where the article before `word` is `an`: vowel sounds, not vowel letters.
pub fn starts_with_vowel_sound(word: &str) -> bool {
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let starts = |beginnings: &[&str]| beginnings.iter().any(|start| word.starts_with(start));
    // Vowel letters with a consonant sound: "a university", "a used car", "a European", "a one-way street".
    let consonant_sound = starts(&["uni", "use", "usu", "util", "eur", "one", "once"])
        && !starts(&["unin", "unim", "unid", "uninv"]);
    let silent_h = starts(&["hour", "honest", "honour", "heir"]);
    silent_h || word == "8" || (word.starts_with(['a', 'e', 'i', 'o', 'u']) && !consonant_sound)
}

fn ends_in_consonant_y(verb: &str) -> bool {
    let mut last = verb.chars().rev();
    last.next() == Some('y') && last.next().is_some_and(|before| !"aeiou".contains(before))
}

/// A capital after `.`, `?`, `!` or a line break, and at the very start; quotation marks are passed over.
fn capitalise_sentences(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut at_start = true;
    let mut after_stop = false;
    for character in text.chars() {
        match character {
            '.' | '?' | '!' => after_stop = true,
            '\n' => at_start = true,
            ' ' => at_start |= after_stop,
            // A quotation may end inside a sentence: "How are you?" he asks.
            '"' if !at_start => after_stop = false,
            '"' | '\'' | '(' | ')' => {}
            _ => after_stop = false,
        }
        if at_start && character.is_alphanumeric() {
            result.extend(character.to_uppercase());
            at_start = false;
        } else {
            result.push(character);
        }
    }
    result
}
