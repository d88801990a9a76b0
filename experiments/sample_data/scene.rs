//! The scene files: what a level can talk about, written for a teacher's eye rather than a compiler's.
//!
//! A file is a list of scenes; `# name` opens one. A line is `key: alternatives`, split at `|`:
//!
//! - `as`      kinds of text: me, they, mail, diary, talk (repeat one to make it likelier)
//! - `about`   noun phrases of the topic, for instructions
//! - `words`   words an instruction may ask for, if the text holds them (comma-separated)
//! - `ask`     instructions of this scene alone
//! - `with`    other people (comma-separated): `F` anyone, `F f` a woman or girl, `B m kin` a man or boy of the
//!   narrator's own country, for relatives
//! - `not`     a language the narrator must not speak: nobody learns a first language
//! - `often`   how many times as often as another scene it is drawn
//! - `genre`   `story`: the frames' `ask story` instead of `ask`
//! - `let x`   a value drawn once a text; `let x, y` draws two different ones; `a;b;c` are fields
//! - `list x`  values of which each `{x}` draws another one, of the scene alone
//! - `plan`    the sentences are those of a `# plan`, told with this scene's lists
//! - `=`       a sentence every text has
//! - `+`       a sentence that a text has if there is room
//! - `&`       the same, but only after the sentence of the line above, which it needs
//!
//! `# frames` holds what a level's kinds share: `mail`, `sign`, `diary`, and `ask me`, `ask mail`, ...
//! `# lists` holds a level's lists, a line each, and `# plan NAME` sentences that several scenes share.
//! Inside a sentence: see `voice.rs`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use crate::dice::Dice;
use crate::people::Gender;

/// How a text is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// First person.
    Me,
    /// About a named person, he or she.
    They,
    /// First person between a greeting and a signature.
    Mail,
    /// First person under a day.
    Diary,
    /// Lines of two speakers.
    Talk,
}

/// When a slot is part of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Always.
    Required,
    /// If there is room.
    Optional,
    /// If there is room and the slot before is there.
    Follower,
}

/// Values by their list's name.
pub type Lists = BTreeMap<String, Vec<String>>;

/// One place in a text and the sentences that can stand there.
#[derive(Clone)]
pub struct Slot {
    /// When it is part of a text.
    pub place: Place,
    /// Templates, one of which is taken.
    pub alternatives: Vec<String>,
}

/// A person beside the narrator.
pub struct Role {
    /// The letter that sentences use.
    pub letter: String,
    /// Woman or man, where the sentences depend on it.
    pub gender: Option<Gender>,
    /// A relative: of the narrator's country.
    pub kin: bool,
}

/// Names drawn together, and the values (each a list of fields) they are drawn from.
pub struct Binding {
    /// Different values for different names.
    pub names: Vec<String>,
    /// What to draw from.
    pub values: Vec<Vec<String>>,
}

/// One topic: its vocabulary and its sentences in order.
#[derive(Default)]
pub struct Scene {
    /// Name in the file, for messages.
    pub name: String,
    /// Kinds of text that suit it.
    pub kinds: Vec<Kind>,
    /// Noun phrases of the topic.
    pub about: Vec<String>,
    /// Words an instruction may ask for.
    pub words: Vec<String>,
    /// Its own instructions.
    pub asks: Vec<String>,
    /// A language that the narrator must not have as a first language; empty without one.
    pub not: String,
    /// How many times as often as another scene it is drawn; 0 counts as 1.
    pub often: usize,
    /// `story` where the shared instructions must ask for a story; empty else.
    pub genre: String,
    /// People beside the narrator.
    pub cast: Vec<Role>,
    /// Values drawn once a text.
    pub bindings: Vec<Binding>,
    /// Values drawn at every use.
    pub lists: Lists,
    /// The plan whose sentences these are; empty with its own.
    pub plan: String,
    /// The text in order.
    pub slots: Vec<Slot>,
}

/// All scenes of a level, and the frames its kinds share.
pub struct Book {
    /// Topics.
    pub scenes: Vec<Scene>,
    /// Shared templates by key.
    pub frames: BTreeMap<String, Vec<String>>,
    /// Shared values.
    pub lists: Lists,
}

impl Book {
    /// A scene, as often as each says.
    pub fn draw(&self, dice: &mut Dice) -> &Scene {
        let tickets = self.scenes.iter().flat_map(|scene| std::iter::repeat_n(scene, scene.often.max(1)));
        let tickets: Vec<&Scene> = tickets.collect();
        tickets[dice.below(tickets.len())]
    }
}

/// What the lines below a heading belong to.
enum Section {
    Frames,
    Lists,
    Plan(String),
    Scene,
}

/// Reads a scene file.
///
/// # Errors
/// A line that is not `key: value`, an unknown key, kind or plan, or a line before the first scene.
pub fn read(text: &str) -> Result<Book> {
    let mut book = Book { scenes: Vec::new(), frames: BTreeMap::new(), lists: Lists::new() };
    let mut plans: BTreeMap<String, Vec<Slot>> = BTreeMap::new();
    let mut section = Section::Scene;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let place = || format!("scene line {}: {line}", index + 1);
        if let Some(name) = line.strip_prefix("# ") {
            section = match (name, name.strip_prefix("plan ")) {
                ("frames", _) => Section::Frames,
                ("lists", _) => Section::Lists,
                (_, Some(plan)) => Section::Plan(plan.to_owned()),
                _ => {
                    book.scenes.push(Scene { name: name.to_owned(), ..Scene::default() });
                    Section::Scene
                }
            };
            continue;
        }
        match &section {
            Section::Frames => {
                let (key, value) = line.split_once(": ").with_context(place)?;
                book.frames.entry(key.to_owned()).or_default().extend(alternatives(value));
            }
            Section::Lists => read_list(&mut book.lists, line).with_context(place)?,
            Section::Plan(name) => {
                plans.entry(name.clone()).or_default().push(slot(line).with_context(place)?);
            }
            Section::Scene => {
                read_line(book.scenes.last_mut().with_context(place)?, line).with_context(place)?;
            }
        }
    }
    for scene in book.scenes.iter_mut().filter(|scene| !scene.plan.is_empty()) {
        let plan = plans.get(&scene.plan).with_context(|| format!("no plan {:?}", scene.plan))?;
        scene.slots.extend(plan.iter().cloned());
    }
    Ok(book)
}

/// `name = a | b`; a second line of one name adds to it.
fn read_list(lists: &mut Lists, line: &str) -> Result<()> {
    let (name, values) = line.split_once(" = ").context("expected: name = values")?;
    lists.entry(name.to_owned()).or_default().extend(alternatives(values));
    Ok(())
}

/// The slot that a line gives, if it begins with a slot's mark.
fn slot(line: &str) -> Option<Slot> {
    let marks = [("= ", Place::Required), ("+ ", Place::Optional), ("& ", Place::Follower)];
    marks.into_iter().find_map(|(mark, place)| {
        line.strip_prefix(mark).map(|rest| Slot { place, alternatives: alternatives(rest) })
    })
}

/// Splits at `|` outside brackets.
pub fn alternatives(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0usize;
    for character in text.chars() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(character);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

fn read_line(scene: &mut Scene, line: &str) -> Result<()> {
    if let Some(slot) = slot(line) {
        scene.slots.push(slot);
        return Ok(());
    }
    if let Some(rest) = line.strip_prefix("list ") {
        return read_list(&mut scene.lists, rest);
    }
    if let Some(rest) = line.strip_prefix("let ") {
        let (names, values) = rest.split_once(" = ").context("expected: let name = values")?;
        let fields = |value: String| value.split(';').map(|field| field.trim().to_owned()).collect();
        let names = names.split(',').map(|name| name.trim().to_owned()).collect();
        scene
            .bindings
            .push(Binding { names, values: alternatives(values).into_iter().map(fields).collect() });
        return Ok(());
    }
    let (key, value) = line.split_once(": ").context("expected: key: value")?;
    match key {
        "as" => scene.kinds = value.split(' ').map(kind).collect::<Result<_>>()?,
        "not" => scene.not = value.to_owned(),
        "plan" => scene.plan = value.to_owned(),
        "often" => scene.often = value.parse().context("expected a whole number")?,
        "genre" => scene.genre = value.to_owned(),
        "about" => scene.about = alternatives(value),
        "words" => scene.words = value.split(',').map(|word| word.trim().to_owned()).collect(),
        "ask" => scene.asks.extend(alternatives(value)),
        "with" => scene.cast = value.split(',').map(role).collect::<Result<_>>()?,
        _ => bail!("unknown key {key:?}"),
    }
    Ok(())
}

fn kind(name: &str) -> Result<Kind> {
    Ok(match name {
        "me" => Kind::Me,
        "they" => Kind::They,
        "mail" => Kind::Mail,
        "diary" => Kind::Diary,
        "talk" => Kind::Talk,
        _ => bail!("unknown kind {name:?}, expected me, they, mail, diary or talk"),
    })
}

fn role(entry: &str) -> Result<Role> {
    let (mut gender, mut kin) = (None, false);
    let mut parts = entry.split_whitespace();
    let letter = parts.next().context("a person without a letter")?.to_owned();
    for part in parts {
        match part {
            "f" => gender = Some(Gender::Female),
            "m" => gender = Some(Gender::Male),
            "kin" => kin = true,
            _ => bail!("unknown mark {part:?} of a person, expected f, m or kin"),
        }
    }
    Ok(Role { letter, gender, kin })
}
