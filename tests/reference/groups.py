"""Groups of near duplicates by all pairs of sets: `python3 groups.py > groups.json`."""
import json
import pathlib
import random
import re

N = 8
HERE = pathlib.Path(__file__).parent / "tiny"


def windows(text):
    ids = re.findall(r"(?:[^\W_]|['’])+", text.lower())
    return {tuple(ids[start : start + N]) for start in range(max(1, len(ids) - N + 1))}


def groups(answers, share):
    sets = [windows(text) for text in answers]
    near = lambda a, b: len(sets[a] & sets[b]) > share * min(len(sets[a]), len(sets[b]))
    of = {}
    for first in range(len(answers)):
        if first in of:
            continue
        number, waiting = len(set(of.values())), [first]
        while waiting:
            row = waiting.pop()
            of[row] = number
            waiting += [other for other in range(len(answers)) if other not in of and near(row, other)]
    return [of[row] for row in range(len(answers))]


# The tiny reference's answers, and others patched together from two of them at a sentence's end.
texts = [row["output"] for part in ("train", "eval") for row in json.loads((HERE / f"{part}.json").read_text())]
draws = random.Random(8)
answers = list(texts)
for _ in range(60):
    one, other = (draws.choice(texts).split(". ") for _ in range(2))
    cut = draws.randrange(len(one))
    answers.append(". ".join(one[:cut] + other[draws.randrange(len(other)):]))
answers += ["Hello!", "hello", "", "...", texts[0]]
draws.shuffle(answers)
cases = [{"share": share, "groups": groups(answers, share)} for share in (0.0, 0.1, 0.25, 0.5, 0.75, 0.95)]
print(json.dumps({"answers": answers, "cases": cases}, indent=1, ensure_ascii=False))
