"""The mean CEFR level of the words of each file of rows, names left out: 1 is A1, 6 is C2.

    pip install cefrpy==1.0.3
    python3 data/vocabulary.py data/*.json

cefrpy (MIT) averages the levels of a word's parts of speech. It rates most names of people and cities as C2, so a word with a
capital is counted only where a sentence begins.
"""

import json
import re
import statistics
import sys

from cefrpy import CEFRAnalyzer

level_of = CEFRAnalyzer().get_average_word_level_float
START = re.compile(r'(?:^|[.!?:\n"]\s*)([A-Za-z])')

for path in sys.argv[1:]:
    levels = []
    for row in json.load(open(path)):
        starts = {found.start(1) for found in START.finditer(row["output"])}
        for word in re.finditer(r"[A-Za-z']+", row["output"]):
            if word.group()[0].islower() or word.start() in starts:
                levels.append(level_of(word.group().lower()))
    print(path, round(statistics.mean(filter(None, levels)), 2))
