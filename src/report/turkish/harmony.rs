//! How a word ends, and the letters that vowel harmony chooses for what follows it.

use super::letters::{self, lower};
use super::{Case, Error, reading};

/// All that harmony asks of a word: its last vowel, and how it closes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    /// One of a ı o u e i ö ü.
    vowel: char,
    close: Close,
}

/// The last sound of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Close {
    /// A vowel: suffixes take their buffer.
    Vowel,
    /// ç f h k p s ş t: D becomes t.
    Hard,
    /// Any other consonant.
    Soft,
}

impl Ending {
    /// The ending of the last word of `words`.
    pub(super) fn of(words: &str) -> Result<Self, Error> {
        let unreadable = || Error::Unreadable { word: words.to_owned() };
        let word = lower(words.rsplit(char::is_whitespace).next().unwrap_or_default());
        let last = word.chars().next_back().ok_or_else(unreadable)?;
        if !word.chars().all(letters::is_turkish) {
            return Err(unreadable());
        }
        let vowel = word.chars().rev().find_map(letters::vowel).ok_or_else(unreadable)?;
        let close = match last {
            letter if letters::is_vowel(letter) => Close::Vowel,
            'ç' | 'f' | 'h' | 'k' | 'p' | 's' | 'ş' | 't' => Close::Hard,
            _ => Close::Soft,
        };
        Ok(Self { vowel: if reading::is_fronted(&word) { letters::fronted(vowel) } else { vowel }, close })
    }

    /// The suffix itself. Capitals in the names below are those of the parent module's rules.
    pub(super) fn form(self, case: Case) -> String {
        let a = if "aıou".contains(self.vowel) { "a" } else { "e" };
        let i = self.high_vowel();
        let d = if self.close == Close::Hard { "t" } else { "d" };
        let after_vowel = |buffer| if self.close == Close::Vowel { buffer } else { "" };
        match case {
            Case::Dative => format!("{}{a}", after_vowel("y")),
            Case::Accusative => format!("{}{i}", after_vowel("y")),
            Case::Genitive => format!("{}{i}n", after_vowel("n")),
            Case::Locative => format!("{d}{a}"),
            Case::Ablative => format!("{d}{a}n"),
            Case::Instrumental => format!("{}l{a}", after_vowel("y")),
            Case::Lik => format!("l{i}k"),
            Case::Ordinal if self.close == Close::Vowel => format!("nc{i}"),
            Case::Ordinal => format!("{i}nc{i}"),
            Case::Possessive => format!("{}{i}", after_vowel("s")),
        }
    }

    /// Possessive and case: after it a case begins with n (`-ine`, `-inden`), save the instrumental (`-iyle`).
    pub(super) fn possessive_form(self, case: Case) -> Result<String, Error> {
        let possessive = self.form(Case::Possessive);
        let vowel = self.high_vowel();
        match case {
            Case::Instrumental => Ok(possessive + &Self { vowel, close: Close::Vowel }.form(case)),
            Case::Dative | Case::Accusative | Case::Genitive | Case::Locative | Case::Ablative => {
                Ok(possessive + "n" + &Self { vowel, close: Close::Soft }.form(case))
            }
            Case::Lik | Case::Ordinal | Case::Possessive => Err(Error::NotAfterPossessive { case }),
        }
    }

    /// The I of the rules.
    fn high_vowel(self) -> char {
        match self.vowel {
            'a' | 'ı' => 'ı',
            'o' | 'u' => 'u',
            'ö' | 'ü' => 'ü',
            _ => 'i',
        }
    }
}
