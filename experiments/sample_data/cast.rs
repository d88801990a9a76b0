//! Who a text is about: the narrator and the people beside, drawn until they suit the scene.

use std::collections::BTreeMap;

use crate::dice::Dice;
use crate::people::{self, Gender, Person};
use crate::scene::{Kind, Scene};

/// The narrator, and the scene's people into `cast`.
///
/// In a third-person text the others are of the other gender where the scene leaves it open: he and she are
/// then clear without naming.
pub fn draw_people(
    dice: &mut Dice,
    scene: &Scene,
    kind: Kind,
    cast: &mut BTreeMap<String, Person>,
) -> Person {
    cast.clear();
    let person = people::draw(dice, None, &[]);
    let mut taken = vec![person];
    let opposite = if person.gender == Gender::Female { Gender::Male } else { Gender::Female };
    for role in &scene.cast {
        let wish = role.gender.or((kind == Kind::They).then_some(opposite));
        let other =
            if role.kin { people::draw_kin(dice, wish, &taken) } else { people::draw(dice, wish, &taken) };
        taken.push(other);
        cast.insert(role.letter.clone(), other);
    }
    if kind == Kind::Mail {
        cast.insert("M".to_owned(), people::draw(dice, None, &taken));
    }
    person
}

/// False for someone who would be a foreigner at home or learn a first language.
pub fn suits(
    scene: &Scene,
    person: &Person,
    cast: &BTreeMap<String, Person>,
    values: &BTreeMap<String, Vec<String>>,
) -> bool {
    let abroad = |someone: &Person| {
        values
            .values()
            .flatten()
            .all(|value| !value.contains(someone.country) && !value.contains(someone.city))
    };
    person.language != scene.not && abroad(person) && cast.values().all(abroad)
}
