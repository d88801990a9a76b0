"""Makes gaps.json, the expected numbers of tests/engine/statistics/gaps.rs, from the rows of comparisons.json.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1
    venv/bin/python tests/reference/statistics/make_gaps.py

scipy resamples two samples independently of each other and takes the percentile interval of the difference of their
gains; the random numbers are its own, so a test compares within what 10,000 resamples can differ by.
"""

import json
from pathlib import Path

import numpy as np
import scipy.stats

HERE = Path(__file__).parent
cases = json.loads((HERE / "comparisons.json").read_text())["comparisons"]


def gain(case, rows):
    sums = [np.asarray(case[name], float)[rows].sum(axis=-1) for name in ("tokens", "baseline_nll", "fine_tuned_nll")]
    return (sums[1] - sums[2]) / sums[0]


gaps = []
for first, second in zip(cases, cases[1:]):
    rows = [np.flatnonzero(np.asarray(case["tokens"]) > 0) for case in (first, second)]
    result = scipy.stats.bootstrap(
        rows,
        lambda one, two, axis=-1: gain(second, two) - gain(first, one),
        n_resamples=100_000,
        batch=10_000,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(1),
    )
    drawn = result.bootstrap_distribution
    gaps.append(
        {
            "first": first["name"],
            "second": second["name"],
            "estimate": float(gain(second, rows[1]) - gain(first, rows[0])),
            "low": float(result.confidence_interval.low),
            "high": float(result.confidence_interval.high),
            "p": float(min(1, 2 * min((drawn <= 0).mean(), (drawn >= 0).mean()))),
        }
    )
(HERE / "gaps.json").write_text(json.dumps(gaps, indent=1) + "\n")
