"""Fills a planned sweep with made-up finished runs, to time `sweep collect` on.

    sweep --levels ... --seeds ... --vary ... --smoke --engine slurm --out OUT     # plans and runs nothing
    a1 --smoke --out SAMPLES/a1                                                    # one real run a level
    python benches/sweep_folders.py OUT SAMPLES
    sweep collect OUT

Each run gets the record of its level's real run with its own settings and seed and a loss of its own: folders and records as a
sweep leaves them, and numbers that say nothing.
"""
import json
import random
import sys
from pathlib import Path

out, samples = map(Path, sys.argv[1:])
random.seed(1)
for run in json.loads((out / "manifest.json").read_text())["runs"]:
    record = json.loads((samples / run["level"].lower() / "record.json").read_text())
    record["recipe"]["train"]["seed"] = run["seed"]
    for setting in run["settings"]:
        node = record["recipe"]
        *rooms, name = setting["path"].split(".")
        for room in rooms:
            node = node[room]
        node[name] = type(node[name])(setting["value"])
    shift = random.gauss(0, 0.01)
    record["training"]["best"]["loss"] += shift
    for mask in ("masked", "full"):
        record["evaluation"]["fine_tuned"][mask]["loss"] += shift
    folder = out / run["name"]
    folder.mkdir(exist_ok=True)
    (folder / "record.json").write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n")
