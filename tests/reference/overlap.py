"""The overlap of the tiny reference's two parts, by Python's sets: `python3 overlap.py > overlap.json`."""
import json
import pathlib
import re

N = 8
HERE = pathlib.Path(__file__).parent / "tiny"


def words(text):
    return re.findall(r"(?:[^\W_]|['’])+", text.lower())


def sentences(text):
    return [tuple(ids) for ids in map(words, re.split(r"[.!?]", text)) if ids]


def windows(ids):
    return {tuple(ids[start : start + N]) for start in range(len(ids) - N + 1)}


def covered(ids, known):
    starts = [start for start in range(len(ids) - N + 1) if tuple(ids[start : start + N]) in known]
    return len({place for start in starts for place in range(start, start + N)})


train, held_out = ([row["output"] for row in json.loads((HERE / f"{part}.json").read_text())] for part in ("train", "eval"))
by_row = [windows(words(text)) for text in train]
known = set().union(*by_row)
verbatim = {sentence for text in train for sentence in sentences(text)}
rows = []
for text in held_out:
    ids = words(text)
    alone = [covered(ids, row) for row in by_row]
    row = {
        "words": len(ids),
        "covered_words": covered(ids, known),
        "sentences": len(sentences(text)),
        "verbatim_sentences": sum(sentence in verbatim for sentence in sentences(text)),
        "nearest": alone.index(max(alone)) if max(alone) else None,
        "nearest_words": max(alone),
    }
    rows.append({key: value for key, value in row.items() if value is not None})
total = lambda key: sum(row[key] for row in rows)
print(json.dumps({
    "n": N,
    "covered_words": total("covered_words") / total("words"),
    "verbatim_sentences": total("verbatim_sentences") / total("sentences"),
    "rows": rows,
}, indent=1))
