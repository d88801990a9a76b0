//! Turns templates into sentences told by one voice: I, or a named he or she.
//!
//! - `[a|b]`      one of them
//! - `<a//b>`     a in the first person, b in the third
//! - `{x}`        the next value of a list, which no earlier `{x}` of the text had; `{20..40}` a number
//! - `{x}` `{x.1}` a value drawn once a text, its fields; `{F}` `{F.his}` another person; `{name}` `{from}` the narrator
//! - `@` `@my` `@me` `@self`  the narrator as subject, possessive, object, reflexive
//! - `~verb`      the verb agreeing with the narrator: `@ ~go` is "I go", "Elif goes", "she goes"
//! - ` / `          a line break (made by `compose.rs`, when the sentences are joined)

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};

use crate::dice::Dice;
use crate::grammar::third_person;
use crate::people::Person;
use crate::scene::{Lists, alternatives};

/// Who the narrator is to the reader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Address {
    /// I, my.
    First,
    /// A name, then he or she.
    Third,
    /// You, your: how an instruction speaks to a first-person writer.
    Second,
}

/// The state of one text while its sentences are spoken in order.
pub struct Voice<'a> {
    /// Source of chance.
    pub dice: &'a mut Dice,
    /// The narrator, or the person told about.
    pub person: Person,
    /// How the narrator is addressed.
    pub address: Address,
    /// Other people by their letter.
    pub cast: BTreeMap<String, Person>,
    /// Drawn values by name.
    pub values: BTreeMap<String, Vec<String>>,
    /// The scene's lists, then the level's.
    pub lists: [&'a Lists; 2],
    /// Values of lists that this text has, by list and place.
    pub used: BTreeSet<(String, usize)>,
    /// The name must come before a pronoun makes sense.
    pub introduced: bool,
    /// Someone of the same gender was named since: a pronoun would be unclear.
    pub rival: bool,
}

/// What a sentence changes in a voice: kept, so that another telling can begin where it began.
pub struct State {
    introduced: bool,
    rival: bool,
    used: BTreeSet<(String, usize)>,
}

impl Voice<'_> {
    /// What the next sentence begins with.
    pub fn state(&self) -> State {
        State { introduced: self.introduced, rival: self.rival, used: self.used.clone() }
    }

    /// Back to `state`.
    pub fn restore(&mut self, state: &State) {
        self.introduced = state.introduced;
        self.rival = state.rival;
        self.used.clone_from(&state.used);
    }

    /// Speaks one template.
    ///
    /// # Errors
    /// An unknown name, field or pronoun, or a bracket that does not close.
    pub fn speak(&mut self, template: &str) -> Result<String> {
        // Now and then the name returns, as in any told story.
        if self.address == Address::Third && template.starts_with("@ ") && self.dice.chance(15) {
            self.rival = true;
        }
        let text = self.expand(template).with_context(|| format!("in {template:?}"))?;
        self.rival |= mentions(template, self.person.pronouns()) || mentions(&text, self.person.namesakes());
        Ok(text)
    }

    fn expand(&mut self, template: &str) -> Result<String> {
        let mut result = String::new();
        let mut rest = template;
        while let Some(at) = rest.find(['[', '<', '{', '@', '~']) {
            result.push_str(&rest[..at]);
            let tail = &rest[at + 1..];
            let (piece, used) = match &rest[at..=at] {
                "[" => {
                    let inner = until_closed(tail)?;
                    let options = alternatives(inner);
                    let choice = self.dice.pick(&options).clone();
                    (self.expand(&choice)?, inner.len() + 1)
                }
                "<" => {
                    let inner = &tail[..tail.find('>').context("'<' without '>'")?];
                    let (first, third) = inner.split_once("//").context("'<' without '//'")?;
                    let choice = if self.address == Address::Third { third } else { first };
                    (self.expand(choice)?, inner.len() + 1)
                }
                "{" => {
                    let inner = &tail[..tail.find('}').context("'{' without '}'")?];
                    (self.value(inner)?, inner.len() + 1)
                }
                "@" => {
                    let key = letters(tail);
                    (self.narrator(key)?, key.len())
                }
                _ => {
                    let verb = letters(tail);
                    (self.agree(verb), verb.len())
                }
            };
            result.push_str(&piece);
            rest = &tail[used..];
        }
        result.push_str(rest);
        Ok(result)
    }

    fn value(&mut self, inner: &str) -> Result<String> {
        let (name, field) = inner.split_once('.').unwrap_or((inner, ""));
        if let Some(person) = self.cast.get(name).copied() {
            self.rival |= field.is_empty() && person.gender == self.person.gender;
            let key = if field.is_empty() { "name" } else { field };
            return person.word(key).map(str::to_owned).with_context(|| format!("unknown field {inner:?}"));
        }
        if let Some(fields) = self.values.get(name) {
            let index = if field.is_empty() { 0 } else { field.parse::<usize>()? };
            let value = fields.get(index).with_context(|| format!("no field {inner:?}"))?.clone();
            return self.expand(&value);
        }
        if let Some(value) = self.listed(name) {
            return self.expand(&value);
        }
        if let Some((low, high)) = inner.split_once("..") {
            return Ok(self.dice.between(low.parse()?, high.parse()?).to_string());
        }
        if name == "name" {
            self.introduced = true;
        }
        self.person.word(name).map(str::to_owned).with_context(|| format!("unknown name {inner:?}"))
    }

    /// A value of the list `name` that this text has not had; all are free again when none is left.
    fn listed(&mut self, name: &str) -> Option<String> {
        let values = self.lists.iter().find_map(|lists| lists.get(name))?;
        let is_free = |place: &usize| !self.used.contains(&(name.to_owned(), *place));
        let mut free: Vec<usize> = (0..values.len()).filter(is_free).collect();
        if free.is_empty() {
            self.used.retain(|(list, _)| list != name);
            free = (0..values.len()).collect();
        }
        let place = *self.dice.pick(&free);
        self.used.insert((name.to_owned(), place));
        Some(values[place].clone())
    }

    fn narrator(&mut self, key: &str) -> Result<String> {
        let first = match self.address {
            Address::First => ["I", "my", "me", "myself"],
            Address::Second => ["you", "your", "you", "yourself"],
            Address::Third => return self.third(key),
        };
        let index = ["", "my", "me", "self"].iter().position(|known| *known == key);
        Ok(first[index.with_context(|| format!("unknown pronoun @{key}"))?].to_owned())
    }

    fn third(&mut self, key: &str) -> Result<String> {
        let name = self.person.name;
        let by_name = !self.introduced || (self.rival && key.is_empty());
        let known = match key {
            "" => "he",
            "my" => "his",
            "me" => "him",
            "self" => "himself",
            _ => bail!("unknown pronoun @{key}"),
        };
        if by_name && key != "self" {
            self.introduced = true;
            self.rival = false;
            return Ok(if key == "my" { possessive(name) } else { name.to_owned() });
        }
        self.person.word(known).map(str::to_owned).context("a pronoun of every person")
    }

    fn agree(&self, verb: &str) -> String {
        match (self.address, verb) {
            (Address::Third, _) => third_person(verb),
            (Address::Second, "am") => "are".to_owned(),
            (Address::Second, "was") => "were".to_owned(),
            _ => verb.to_owned(),
        }
    }
}

/// `Elif's`, `Jonas's`.
fn possessive(name: &str) -> String {
    format!("{name}'s")
}

/// True where one of `words` stands in `text` as a word of its own.
fn mentions(text: &str, words: &[&str]) -> bool {
    text.split(|c: char| !c.is_alphabetic())
        .any(|word| words.iter().any(|one| word.eq_ignore_ascii_case(one)))
}

fn until_closed(text: &str) -> Result<&str> {
    let mut depth = 1;
    for (at, character) in text.char_indices() {
        match character {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok(&text[..at]);
        }
    }
    bail!("'[' without ']'")
}

fn letters(text: &str) -> &str {
    let ends = |(at, c): (usize, char)| {
        let apostrophe_t = c == '\'' && text[at..].starts_with("'t");
        (!c.is_ascii_alphabetic() && !apostrophe_t).then_some(at)
    };
    &text[..text.char_indices().find_map(ends).unwrap_or(text.len())]
}
