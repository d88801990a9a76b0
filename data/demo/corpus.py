"""Prints what the demonstration model reads: plain English of two Debian packages, one text a line.

    python3 -m venv venv
    venv/bin/pip install rdata==1.1.0
    apt-get download wordnet-base=1:3.0-37 r-cran-janeaustenr=1.0.0-1
    for package in *.deb; do dpkg -x $package packages; done
    venv/bin/python data/demo/corpus.py packages > corpus.txt

Jane Austen's six novels, a paragraph a text, give connected prose; WordNet 3.0 gives the words of today, each synset as
its headword, what it means and the examples of its use. Nothing of data/*.json is in it.
"""

import gzip
import random
import re
import sys
import zlib
from pathlib import Path

import rdata

ROOT = Path(sys.argv[1])
# Lexicographer files of animals, plants and persons: mostly species and lives of single people.
LEFT_OUT = {"05", "20", "18"}


def paragraphs():
    folder = ROOT / "usr/lib/R/site-library/janeaustenr/data"
    data = (folder / "Rdata.rdb").read_bytes()
    read = lambda packed: rdata.conversion.convert(rdata.parser.parse_data(packed))
    places = read(gzip.decompress((folder / "Rdata.rdx").read_bytes()))["variables"]
    for _, (start, length) in sorted(places.items()):
        # Four bytes give the length before packing.
        lines = read(zlib.decompress(data[int(start) + 4 : int(start) + int(length)]))
        for paragraph in "\n".join(map(str, lines)).split("\n\n"):
            yield " ".join(paragraph.replace("_", "").split())


def sentence(text):
    text = text.strip(" ;:,")
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", '"')) else ".")


def entries():
    for part in ("noun", "verb", "adj", "adv"):
        for line in (ROOT / f"usr/share/wordnet/data.{part}").read_text().splitlines():
            if line.startswith("  "):
                continue
            facts, gloss = line.split(" | ", 1)
            _, file, _, _, word = facts.split()[:5]
            word = re.sub(r"\(\w+\)$", "", word).replace("_", " ")
            if file in LEFT_OUT and part == "noun" or word != word.lower():
                continue
            meaning = re.sub(r'"[^"]*"', "", gloss)
            examples = re.findall(r'"([^"]+)"', gloss)
            yield " ".join([f"{word.capitalize()}: {meaning.strip(' ;:')}."] + [sentence(one) for one in examples])


texts = [text for source in (paragraphs(), entries()) for text in source if len(text) > 20]
random.Random(3407).shuffle(texts)
print("\n".join(texts))
