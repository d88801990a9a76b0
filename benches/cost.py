"""Draws benches/cost.svg, tokens a second against row length and rank, from benches/cost.csv.

    pip install matplotlib
    python benches/cost.py
"""

import csv
import pathlib

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

folder = pathlib.Path(__file__).parent
with open(folder / "cost.csv", encoding="utf-8") as file:
    rows = list(csv.DictReader(file))
plt.rcParams["svg.hashsalt"] = "tezgah"  # the same rows give the same file
figure, axes = plt.subplots(figsize=(6, 3.5))
for rank, colour, marker in (("8", "#0072B2", "o"), ("128", "#D55E00", "s")):
    points = [(int(row["length"]), float(row["tokens_per_second"])) for row in rows if row["rank"] == rank]
    axes.plot(*zip(*points), color=colour, marker=marker, label=f"r {rank}")
axes.set_xscale("log", base=2)
axes.set_xticks(lengths := [128, 512, 2048], [str(length) for length in lengths])
axes.set_ylim(bottom=0)
axes.set_xlabel("tokens a row (2048 tokens a step)")
axes.set_ylabel("tokens a second")
axes.set_title("SmolLM2-135M, f32, dropout 0.05, activations kept, 2 cores", fontsize=10)
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
figure.savefig(folder / "cost.svg", bbox_inches="tight", metadata={"Date": None})
