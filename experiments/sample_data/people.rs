//! Who the texts are about: first names from many countries, each with a home.

use crate::dice::Dice;

/// Decides he or she.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gender {
    /// She, her, her.
    Female,
    /// He, his, him.
    Male,
}

/// A person a text may name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Person {
    /// First name, one word.
    pub name: &'static str,
    /// The pronouns to use.
    pub gender: Gender,
    /// Country as it stands after "from".
    pub country: &'static str,
    /// A city of that country.
    pub city: &'static str,
    /// Adjective of the country.
    pub nationality: &'static str,
    /// First language.
    pub language: &'static str,
}

impl Person {
    /// `he`, `his`, `him`, `himself`, `man`, `boy`, or a fact: `name`, `from`, `city`, `nationality`, `language`.
    pub fn word(&self, key: &str) -> Option<&'static str> {
        let female = self.gender == Gender::Female;
        Some(match key {
            "name" => self.name,
            "from" => self.country,
            "city" => self.city,
            "nationality" => self.nationality,
            "language" => self.language,
            "he" if female => "she",
            "his" if female => "her",
            "him" if female => "her",
            "himself" if female => "herself",
            "man" if female => "woman",
            "boy" if female => "girl",
            "he" => "he",
            "his" => "his",
            "him" => "him",
            "himself" => "himself",
            "man" => "man",
            "boy" => "boy",
            _ => return None,
        })
    }

    /// Pronouns that, written out in a template, mean another person of the same gender.
    pub fn pronouns(&self) -> &'static [&'static str] {
        if self.gender == Gender::Female { &["she", "her"] } else { &["he", "his", "him"] }
    }

    /// Nouns for other people of the same gender: after them a pronoun would be unclear.
    pub fn namesakes(&self) -> &'static [&'static str] {
        match self.gender {
            Gender::Female => {
                &["mother", "sister", "grandmother", "aunt", "daughter", "woman", "girl", "Mrs", "Miss"]
            }
            Gender::Male => &["father", "brother", "grandfather", "uncle", "son", "man", "boy", "Mr"],
        }
    }
}

/// Someone of the wanted gender (or any) who is not in `taken`.
pub fn draw(dice: &mut Dice, gender: Option<Gender>, taken: &[Person]) -> Person {
    let fits = |person: &&Person| {
        gender.is_none_or(|wanted| person.gender == wanted)
            && taken.iter().all(|other| other.name != person.name && other.country != person.country)
    };
    let candidates: Vec<&Person> = PEOPLE.iter().filter(fits).collect();
    **dice.pick(&candidates)
}

/// A relative of the first of `taken`: the same country, a name that no one of `taken` has.
pub fn draw_kin(dice: &mut Dice, gender: Option<Gender>, taken: &[Person]) -> Person {
    let narrator = taken[0];
    let gender = gender.unwrap_or(if dice.chance(50) { Female } else { Male });
    let (_, female, male) = KIN.iter().find(|kin| kin.0 == narrator.language).unwrap_or(&KIN[0]);
    let names = if gender == Female { female } else { male };
    let free = |name: &&str| taken.iter().all(|other| other.name != *name);
    let names: Vec<&'static str> = names.iter().copied().filter(free).collect();
    Person { name: dice.pick::<&'static str>(&names), gender, ..narrator }
}

const fn person(
    name: &'static str,
    gender: Gender,
    home: (&'static str, &'static str),
    tongue: (&'static str, &'static str),
) -> Person {
    Person { name, gender, city: home.0, country: home.1, nationality: tongue.0, language: tongue.1 }
}

use Gender::{Female, Male};

const PEOPLE: &[Person] = &[
    person("Elif", Female, ("Izmir", "Turkey"), ("Turkish", "Turkish")),
    person("Zeynep", Female, ("Ankara", "Turkey"), ("Turkish", "Turkish")),
    person("Defne", Female, ("Antalya", "Turkey"), ("Turkish", "Turkish")),
    person("Ayşe", Female, ("Bursa", "Turkey"), ("Turkish", "Turkish")),
    person("Emre", Male, ("Istanbul", "Turkey"), ("Turkish", "Turkish")),
    person("Mehmet", Male, ("Trabzon", "Turkey"), ("Turkish", "Turkish")),
    person("Kerem", Male, ("Adana", "Turkey"), ("Turkish", "Turkish")),
    person("Deniz", Male, ("Mersin", "Turkey"), ("Turkish", "Turkish")),
    person("Maria", Female, ("Madrid", "Spain"), ("Spanish", "Spanish")),
    person("Pablo", Male, ("Seville", "Spain"), ("Spanish", "Spanish")),
    person("Sofia", Female, ("Athens", "Greece"), ("Greek", "Greek")),
    person("Nikos", Male, ("Athens", "Greece"), ("Greek", "Greek")),
    person("Anna", Female, ("Warsaw", "Poland"), ("Polish", "Polish")),
    person("Marek", Male, ("Krakow", "Poland"), ("Polish", "Polish")),
    person("Giulia", Female, ("Rome", "Italy"), ("Italian", "Italian")),
    person("Marco", Male, ("Milan", "Italy"), ("Italian", "Italian")),
    person("Camille", Female, ("Paris", "France"), ("French", "French")),
    person("Hugo", Male, ("Lyon", "France"), ("French", "French")),
    person("Lena", Female, ("Berlin", "Germany"), ("German", "German")),
    person("Jonas", Male, ("Hamburg", "Germany"), ("German", "German")),
    person("Yuki", Female, ("Kyoto", "Japan"), ("Japanese", "Japanese")),
    person("Kenji", Male, ("Osaka", "Japan"), ("Japanese", "Japanese")),
    person("Mina", Female, ("Seoul", "South Korea"), ("Korean", "Korean")),
    person("Joon", Male, ("Busan", "South Korea"), ("Korean", "Korean")),
    person("Mei", Female, ("Shanghai", "China"), ("Chinese", "Chinese")),
    person("Wei", Male, ("Beijing", "China"), ("Chinese", "Chinese")),
    person("Priya", Female, ("Delhi", "India"), ("Indian", "Hindi")),
    person("Arjun", Male, ("Mumbai", "India"), ("Indian", "Hindi")),
    person("Amina", Female, ("Cairo", "Egypt"), ("Egyptian", "Arabic")),
    person("Omar", Male, ("Cairo", "Egypt"), ("Egyptian", "Arabic")),
    person("Fatima", Female, ("Casablanca", "Morocco"), ("Moroccan", "Arabic")),
    person("Youssef", Male, ("Rabat", "Morocco"), ("Moroccan", "Arabic")),
    person("Chioma", Female, ("Lagos", "Nigeria"), ("Nigerian", "Igbo")),
    person("Kwame", Male, ("Accra", "Ghana"), ("Ghanaian", "Akan")),
    person("Wanjiru", Female, ("Nairobi", "Kenya"), ("Kenyan", "Swahili")),
    person("Lucia", Female, ("Lima", "Peru"), ("Peruvian", "Spanish")),
    person("Diego", Male, ("Bogota", "Colombia"), ("Colombian", "Spanish")),
    person("Valentina", Female, ("Buenos Aires", "Argentina"), ("Argentinian", "Spanish")),
    person("Mateo", Male, ("Santiago", "Chile"), ("Chilean", "Spanish")),
    person("Beatriz", Female, ("Porto", "Portugal"), ("Portuguese", "Portuguese")),
    person("Rafael", Male, ("Sao Paulo", "Brazil"), ("Brazilian", "Portuguese")),
    person("Emma", Female, ("Bristol", "England"), ("English", "English")),
    person("Jack", Male, ("Leeds", "England"), ("English", "English")),
    person("Fiona", Female, ("Glasgow", "Scotland"), ("Scottish", "English")),
    person("Liam", Male, ("Dublin", "Ireland"), ("Irish", "English")),
    person("Grace", Female, ("Toronto", "Canada"), ("Canadian", "English")),
    person("Noah", Male, ("Sydney", "Australia"), ("Australian", "English")),
    person("Ingrid", Female, ("Oslo", "Norway"), ("Norwegian", "Norwegian")),
    person("Lars", Male, ("Bergen", "Norway"), ("Norwegian", "Norwegian")),
    person("Oksana", Female, ("Lviv", "Ukraine"), ("Ukrainian", "Ukrainian")),
    person("Bogdan", Male, ("Odesa", "Ukraine"), ("Ukrainian", "Ukrainian")),
    person("Linh", Female, ("Hanoi", "Vietnam"), ("Vietnamese", "Vietnamese")),
    person("Minh", Male, ("Hue", "Vietnam"), ("Vietnamese", "Vietnamese")),
    person("Leila", Female, ("Baku", "Azerbaijan"), ("Azerbaijani", "Azerbaijani")),
    person("Tarik", Male, ("Sarajevo", "Bosnia"), ("Bosnian", "Bosnian")),
];

/// Names for relatives by language; four each, so that three relatives never run out.
const KIN: &[(&str, [&str; 4], [&str; 4])] = &[
    ("English", ["Alice", "Lucy", "Ruby", "Hannah"], ["Tom", "Ben", "Harry", "Adam"]),
    ("Turkish", ["Selin", "Ece", "Merve", "Derya"], ["Can", "Burak", "Ali", "Murat"]),
    ("Spanish", ["Carmen", "Elena", "Paula", "Rosa"], ["Luis", "Carlos", "Javier", "Miguel"]),
    ("Greek", ["Eleni", "Katerina", "Ioanna", "Despina"], ["Yannis", "Kostas", "Petros", "Stavros"]),
    ("Polish", ["Kasia", "Zofia", "Ewa", "Magda"], ["Tomasz", "Piotr", "Jan", "Adam"]),
    ("Italian", ["Chiara", "Elisa", "Paola", "Marta"], ["Luca", "Paolo", "Matteo", "Andrea"]),
    ("French", ["Chloe", "Manon", "Juliette", "Louise"], ["Louis", "Paul", "Antoine", "Julien"]),
    ("German", ["Laura", "Clara", "Greta", "Marie"], ["Felix", "Max", "Lukas", "Moritz"]),
    ("Japanese", ["Hana", "Aiko", "Sakura", "Emi"], ["Ren", "Haruto", "Sota", "Takumi"]),
    ("Korean", ["Jisoo", "Yuna", "Hyejin", "Sora"], ["Minho", "Jihun", "Seojun", "Dohyun"]),
    ("Chinese", ["Ling", "Fang", "Xia", "Yan"], ["Jun", "Hao", "Ming", "Lei"]),
    ("Hindi", ["Anjali", "Meera", "Kavita", "Nisha"], ["Rohan", "Vikram", "Rahul", "Amit"]),
    ("Arabic", ["Layla", "Nour", "Salma", "Mariam"], ["Karim", "Hassan", "Ahmed", "Samir"]),
    ("Swahili", ["Akinyi", "Zawadi", "Neema", "Amani"], ["Juma", "Baraka", "Otieno", "Kamau"]),
    ("Portuguese", ["Ana", "Ines", "Clara", "Joana"], ["Pedro", "Tiago", "Bruno", "Miguel"]),
    ("Norwegian", ["Astrid", "Nora", "Solveig", "Kari"], ["Erik", "Magnus", "Olav", "Henrik"]),
    ("Ukrainian", ["Olena", "Iryna", "Daryna", "Natalia"], ["Taras", "Andriy", "Maksym", "Danylo"]),
    ("Igbo", ["Ngozi", "Adaeze", "Ifeoma", "Amara"], ["Emeka", "Obinna", "Chidi", "Uche"]),
    ("Akan", ["Ama", "Akosua", "Efua", "Abena"], ["Kofi", "Yaw", "Kojo", "Kwesi"]),
    ("Vietnamese", ["Lan", "Huong", "Thao", "Mai"], ["Tuan", "Nam", "Long", "Duc"]),
    ("Azerbaijani", ["Aysel", "Nigar", "Gunel", "Sevda"], ["Elchin", "Rashad", "Orkhan", "Farid"]),
    ("Bosnian", ["Lejla", "Emina", "Selma", "Aida"], ["Adnan", "Haris", "Edin", "Damir"]),
];
