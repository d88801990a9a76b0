"""Makes sweep.json, the table of losses of tests/engine/statistics/contrasts.rs and what scipy says of it.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
    venv/bin/python tests/reference/statistics/make_sweep.py

Two levels, two ranks, three learning rates, three seeds; three runs are not finished, so pairs are missing. Pairs and their
differences are made here by loops over the table, p by wilcoxon(method="exact"), Holm's adjustment by statsmodels.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import scipy.stats
from statsmodels.stats.multitest import multipletests

HERE = Path(__file__).parent
AXES = {"lora.rank": ["16", "128"], "train.learning_rate": ["0.0001", "0.0002", "0.0005"]}
rng = np.random.default_rng(17)

table = []
for level, rank, rate, seed in itertools.product(["A1", "B1"], *AXES.values(), [3407, 1, 2]):
    effect = (0.03 if rank == "128" else 0.0) + {"0.0001": 0.0, "0.0002": 0.05, "0.0005": 0.04}[rate]
    loss = (1.2 if level == "A1" else 1.9) - effect + rng.normal(0.0, 0.02)
    table.append({"level": level, "lora.rank": rank, "train.learning_rate": rate, "seed": seed, "loss": round(loss, 6)})
for missing in (4, 19, 30):
    table[missing]["loss"] = None

contrasts = []
for path, values in AXES.items():
    for first, second in itertools.combinations(values, 2):
        differences = []
        for one, other in itertools.product(table, table):
            alike = all(one[key] == other[key] for key in one if key not in (path, "loss"))
            if alike and (one[path], other[path]) == (first, second) and None not in (one["loss"], other["loss"]):
                differences.append(one["loss"] - other["loss"])
        d = np.array(differences)
        contrasts.append(
            {
                "path": path,
                "values": [first, second],
                "pairs": len(d),
                "mean": d.mean(),
                "standard_deviation": d.std(ddof=1),
                "effect_size": d.mean() / d.std(ddof=1),
                "second_better": int((d > 0).sum()),
                "p": scipy.stats.wilcoxon(d, method="exact").pvalue,
            }
        )
adjusted = multipletests([contrast["p"] for contrast in contrasts], method="holm")[1]
for contrast, holm in zip(contrasts, adjusted):
    contrast["holm"] = float(holm)

text = json.dumps({"table": table, "contrasts": contrasts}, indent=1)
(HERE / "sweep.json").write_text(text + "\n")
