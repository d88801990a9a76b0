"""The halves of the tiny reference's held-out rows by overlap, and their losses: `python3 least_overlapping.py > least_overlapping.json`.

The overlap is `overlap.json`, the sums are those of transformers and PEFT in `tiny/expected.json`.
"""
import json
import pathlib

HERE = pathlib.Path(__file__).parent
overlap = json.loads((HERE / "overlap.json").read_text())["rows"]
sums = json.loads((HERE / "tiny" / "expected.json").read_text())["rows"]
order = sorted(range(len(overlap)), key=lambda row: overlap[row]["covered_words"] / overlap[row]["words"])
least, others = order[: (len(order) + 1) // 2], order[(len(order) + 1) // 2 :]


def loss(half, model):
    return sum(sums[model][row]["masked_nll"] for row in half) / sum(sums[model][row]["masked_tokens"] for row in half)


def covered(half):
    return sum(overlap[row]["covered_words"] for row in half) / sum(overlap[row]["words"] for row in half)


losses = {name: [loss(half, model) for model in ("base", "adapter_final")] for name, half in (("masked", least), ("others", others))}
gain = {name: before - after for name, (before, after) in losses.items()}
print(json.dumps({
    "largest_share": max(overlap[row]["covered_words"] / overlap[row]["words"] for row in least),
    "covered_words": covered(least),
    "covered_words_of_others": covered(others),
    **losses,
    "gap": gain["masked"] - gain["others"],
}, indent=1))
