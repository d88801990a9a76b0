//! Composes one row: a scene, a voice, sentences in order until the wished length, and an instruction that fits.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use crate::cast::{draw_people, suits};
use crate::dice::Dice;
use crate::fresh::{self, Memory};
use crate::grammar::{capitalise, join_speakers, polish};
use crate::level::Level;
use crate::scene::{Book, Kind, Place, Scene, Slot};
use crate::voice::{Address, State, Voice};

/// Words by which the telling may run ahead of the lengths that were planned, or lag behind them, at no cost.
const DRIFT: usize = 3;

/// One example of the data set.
pub struct Row {
    /// What is asked for.
    pub instruction: String,
    /// The text.
    pub output: String,
}

/// What a text is to be.
pub struct Wish<'a> {
    /// Topic.
    pub scene: &'a Scene,
    /// How it is told.
    pub kind: Kind,
    /// Words to aim at.
    pub length: usize,
    /// Words that it may have.
    pub lengths: std::ops::RangeInclusive<usize>,
}

/// One attempt at a text; `None` if its sentences did not add up to the wished length.
///
/// # Errors
/// A template with a fault, named with its scene.
pub fn attempt(
    dice: &mut Dice,
    book: &Book,
    memory: &Memory,
    level: &Level,
    wish: &Wish,
) -> Result<Option<Row>> {
    let place = || format!("scene {:?}", wish.scene.name);
    let mut telling = Telling::open(dice, book, level, wish.scene, wish.kind).with_context(place)?;
    let output = telling.text(memory, wish).with_context(place)?;
    if !wish.lengths.contains(&word_count(&output)) {
        return Ok(None);
    }
    let instruction = telling.instruction(wish.scene, wish.kind, &output).with_context(place)?;
    Ok(Some(Row { instruction, output }))
}

/// Words as the data set counts them: split at white space.
pub fn word_count(text: &str) -> usize {
    text.split_whitespace().count()
}

/// The text's words in lower case, without punctuation.
fn words_of(text: &str) -> BTreeSet<String> {
    text.to_lowercase().split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect()
}

/// One text while it is told: the voice, and the frames of its level.
struct Telling<'a> {
    voice: Voice<'a>,
    book: &'a Book,
    level: &'a Level,
}

impl<'a> Telling<'a> {
    fn open(
        dice: &'a mut Dice,
        book: &'a Book,
        level: &'a Level,
        scene: &'a Scene,
        kind: Kind,
    ) -> Result<Self> {
        let mut values = BTreeMap::new();
        for binding in &scene.bindings {
            let order = dice.order(binding.values.len());
            for (position, name) in binding.names.iter().enumerate() {
                let index = *order.get(position).context("more names than values in a let")?;
                values.insert(name.clone(), binding.values[index].clone());
            }
        }
        let mut cast = BTreeMap::new();
        let mut person = draw_people(dice, scene, kind, &mut cast);
        while !suits(scene, &person, &cast, &values) {
            person = draw_people(dice, scene, kind, &mut cast);
        }
        let address = if kind == Kind::They { Address::Third } else { Address::First };
        let lists = [&scene.lists, &book.lists];
        let used = BTreeSet::new();
        let voice =
            Voice { dice, person, address, cast, values, lists, used, introduced: false, rival: false };
        Ok(Telling { voice, book, level })
    }

    /// Greeting, sentences, signature, polished.
    fn text(&mut self, memory: &Memory, wish: &Wish) -> Result<String> {
        let Wish { scene, kind, length, .. } = *wish;
        let (before, after) = self.frame(scene, kind)?;
        let alternatives: Vec<usize> =
            scene.slots.iter().map(|slot| self.voice.dice.below(slot.alternatives.len())).collect();
        let room = length.saturating_sub(word_count(&before) + word_count(&after));
        let (chosen, lengths) = self.choose(&scene.slots, &alternatives, room)?;
        // What cannot come to the wished length is not told: the words are what takes the time.
        let whole = length - room + chosen.iter().map(|index| lengths[*index]).sum::<usize>();
        if !wish.lengths.contains(&(whole + DRIFT)) && !wish.lengths.contains(&whole.saturating_sub(DRIFT)) {
            return Ok(String::new());
        }
        let mut planned = 0;
        let told_before = word_count(&before);
        self.voice.introduced = false;
        self.voice.rival = false;
        self.voice.used.clear();
        let separator = if kind == Kind::Talk { " / " } else { " " };
        let mut text = before;
        for (count, index) in chosen.into_iter().enumerate() {
            planned += lengths[index];
            let due = (told_before + planned).saturating_sub(word_count(&text));
            let sentence = self.freshest(memory, &text, &scene.slots[index], due)?;
            text = format!("{text}{}{sentence}", if count == 0 { " " } else { separator });
        }
        // "/" alone is a line break wherever it came from; breaks at the ends fall away.
        let text = polish(format!("{text} {after}").replace(" / ", "\n").trim());
        Ok(if kind == Kind::Talk { join_speakers(&text) } else { text })
    }

    /// The telling of a slot, out of a few, that repeats least of what the level's texts have said.
    fn freshest(&mut self, memory: &Memory, text: &str, slot: &Slot, due: usize) -> Result<String> {
        let start = self.voice.state();
        let before = fresh::last_words(text);
        let mut best: Option<(usize, String, State)> = None;
        for _ in 0..self.level.tellings {
            self.voice.restore(&start);
            let template = self.voice.dice.pick(&slot.alternatives);
            let sentence = capitalise(&self.voice.speak(template)?);
            let off = word_count(&sentence).abs_diff(due).saturating_sub(DRIFT);
            let faults = memory.repeated(&before, &sentence) + off;
            if best.as_ref().is_none_or(|(least, ..)| faults < *least) {
                best = Some((faults, sentence, self.voice.state()));
            }
            if faults == 0 {
                break;
            }
        }
        let (_, sentence, state) = best.context("at least one telling")?;
        self.voice.restore(&state);
        Ok(sentence)
    }

    /// The slots that go in: all required ones, then others in random order while there is room.
    ///
    /// Lengths come from a rehearsal; the telling itself draws its words anew and may differ a little.
    fn choose(
        &mut self,
        slots: &[Slot],
        alternatives: &[usize],
        room: usize,
    ) -> Result<(BTreeSet<usize>, Vec<usize>)> {
        let mut lengths = Vec::new();
        for (slot, alternative) in slots.iter().zip(alternatives) {
            lengths
                .push(word_count(&self.voice.speak(&slot.alternatives[*alternative])?.replace(" / ", " ")));
        }
        let mut chosen: BTreeSet<usize> =
            (0..slots.len()).filter(|index| slots[*index].place == Place::Required).collect();
        let mut used: usize = chosen.iter().map(|index| lengths[*index]).sum();
        // Followers come second, when it is known whether what they follow is there.
        for wanted in [Place::Optional, Place::Follower] {
            for index in self.voice.dice.order(slots.len()) {
                let fits = used + lengths[index] <= room + 4;
                let grounded = wanted == Place::Optional || (index > 0 && chosen.contains(&(index - 1)));
                if slots[index].place == wanted && fits && grounded {
                    used += lengths[index];
                    chosen.insert(index);
                }
            }
        }
        Ok((chosen, lengths))
    }

    /// What stands before and after the sentences of this kind of text.
    fn frame(&mut self, scene: &Scene, kind: Kind) -> Result<(String, String)> {
        match kind {
            Kind::Mail => {
                let about = self.phrase(scene)?;
                self.voice.values.insert("about".to_owned(), vec![about]);
                let before = self.shared_frame("mail")?;
                Ok((before, self.shared_frame("sign")?))
            }
            Kind::Diary => Ok((self.shared_frame("diary")?, String::new())),
            Kind::Me | Kind::They | Kind::Talk => Ok((String::new(), String::new())),
        }
    }

    /// An instruction that this text answers: a word it quotes as 'word' is in the text.
    fn instruction(&mut self, scene: &Scene, kind: Kind, output: &str) -> Result<String> {
        if self.voice.address == Address::First {
            self.voice.address = Address::Second;
        }
        let about = self.voice.dice.pick(&scene.about).clone();
        self.voice.values.insert("about".to_owned(), vec![about]);
        self.voice.values.insert("level".to_owned(), vec![self.level.name.to_owned()]);
        let word = self.word_in(scene, output);
        self.voice.values.insert("word".to_owned(), vec![word]);
        loop {
            self.voice.introduced = false;
            self.voice.rival = false;
            let template = self.instruction_template(scene, kind)?;
            let instruction = polish(&self.voice.speak(&template)?);
            // The frames' own quotation is {word}, so the loop ends with the first frame at the latest.
            let asks_in_vain = instruction
                .split_once("word '")
                .and_then(|(_, rest)| rest.split('\'').next())
                .is_some_and(|word| !words_of(output).contains(&word.to_lowercase()));
            if !asks_in_vain {
                return Ok(instruction);
            }
        }
    }

    /// One of the scene's own instructions, or one that its kind shares.
    fn instruction_template(&mut self, scene: &Scene, kind: Kind) -> Result<String> {
        let own = matches!(kind, Kind::Me | Kind::They | Kind::Talk) && !scene.asks.is_empty();
        if own && self.voice.dice.chance(if kind == Kind::Talk { 70 } else { 45 }) {
            return Ok(self.voice.dice.pick(&scene.asks).clone());
        }
        let key = match kind {
            Kind::Me | Kind::They if scene.genre == "story" => "ask story",
            Kind::Me | Kind::They => "ask",
            Kind::Mail => "ask mail",
            Kind::Diary => "ask diary",
            Kind::Talk => "ask talk",
        };
        let frames = self.book.frames.get(key).with_context(|| format!("no frame {key:?}"))?;
        Ok(self.voice.dice.pick(frames).clone())
    }

    /// A word of the scene's list that the text really holds, else the text's longest.
    fn word_in(&mut self, scene: &Scene, output: &str) -> String {
        let words = words_of(output);
        let listed: Vec<&String> = scene.words.iter().filter(|word| words.contains(*word)).collect();
        if listed.is_empty() {
            return words.into_iter().max_by_key(String::len).unwrap_or_default();
        }
        (*self.voice.dice.pick(&listed)).clone()
    }

    fn phrase(&mut self, scene: &Scene) -> Result<String> {
        let phrase = self.voice.dice.pick(&scene.about).clone();
        self.voice.speak(&phrase)
    }

    fn shared_frame(&mut self, key: &str) -> Result<String> {
        let frames = self.book.frames.get(key).with_context(|| format!("no frame {key:?}"))?;
        let template = self.voice.dice.pick(frames).clone();
        self.voice.speak(&template)
    }
}
