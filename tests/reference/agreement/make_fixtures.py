"""Makes expected.json, the expected numbers of tests/engine/statistics/agreement.rs.

    python3 -m venv venv && venv/bin/pip install krippendorff==0.9.0 pingouin==0.7.0 scikit-learn==1.9.1 \
        scipy==1.17.1 choix==0.4.1 numpy==2.4.6 pandas==3.1.1
    venv/bin/python tests/reference/agreement/make_fixtures.py

null stands for what the peer calls undefined: nan, or an error that says so. The peers and the formulas part in this:
- krippendorff refuses a single value, and texts of which none has two answers: undefined.
- scikit-learn has kappa for two raters: the mean over the pairs is taken here, of those that have one (`nanmean`).
- pingouin's ICC takes complete texts alone; `nan_policy="omit"` drops the others, and so do we. Below two complete texts it
  fails: undefined. It refuses fewer than five answers: such cases have no `icc` here, unless there is one text. Its quotient is given also where the denominator is not positive, and is then at least the number
  of texts, or infinite: undefined here.
- pingouin's Friedman test, whose W it is, drops raters with a missing answer and not texts: the texts are dropped here
  before it is asked.
- choix has no ties: every win is given to it twice and a tie once for each side, which leaves the strengths alone. It does
  not settle where they are not determined: undefined. With two systems of which one won all we have 1, by definition.

`intervals` are what the documented stream must give: ChaCha8 is taken from tests/reference/statistics/make_fixtures.py,
the figure on each resample is the peer's.
"""

import importlib.metadata
import importlib.util
import itertools
import json
import math
import warnings
from pathlib import Path

import choix
import krippendorff
import numpy as np
import pandas as pd
import pingouin
import scipy.stats
from sklearn.metrics import cohen_kappa_score

HERE = Path(__file__).parent
SEED = 3407
RESAMPLES = 2_000
warnings.simplefilter("ignore")


def defined(value):
    return float(value) if math.isfinite(value) else None


def alpha(answers):
    try:
        return defined(krippendorff.alpha(answers.T, level_of_measurement="ordinal"))
    except ValueError as error:
        assert "more than one value" in str(error) or "at least one unit" in str(error), error
        return None


def kappa(answers):
    """Of whole numbers alone: scikit-learn's labels are a list."""
    there = answers[~np.isnan(answers)]
    labels = list(range(int(there.min()), int(there.max()) + 1))
    kappas = []
    for one, two in itertools.combinations(range(answers.shape[1]), 2):
        both = answers[~np.isnan(answers[:, [one, two]]).any(axis=1)][:, [one, two]].astype(int)
        if len(both):
            kappas.append(cohen_kappa_score(both[:, 0], both[:, 1], weights="quadratic", labels=labels))
    return defined(np.nanmean(kappas)) if kappas else None


def long(answers):
    rows, raters = np.indices(answers.shape)
    return pd.DataFrame({"text": rows.ravel(), "rater": raters.ravel(), "answer": answers.ravel()})


def icc(answers):
    complete = answers[~np.isnan(answers).any(axis=1)]
    if len(complete) < 2:
        return None
    table = pingouin.intraclass_corr(long(answers), "text", "rater", "answer", nan_policy="omit").set_index("Type")
    value = table.at["ICC(A,k)", "ICC"]
    assert not np.isfinite(value) or value <= 1 + 1e-12 or value >= len(complete) - 1e-9, value
    return None if value > 1 + 1e-12 else defined(value)


def kendall_w(answers):
    complete = answers[~np.isnan(answers).any(axis=1)]
    if len(complete) < 2:
        return None
    w = defined(pingouin.friedman(long(complete), dv="answer", within="text", subject="rater").at["Friedman", "W"])
    if len(complete) > 2 and w is not None:
        # scipy's chi-squared is m (n - 1) W.
        assert math.isclose(scipy.stats.friedmanchisquare(*complete).statistic, answers.shape[1] * (len(complete) - 1) * w,
                            abs_tol=1e-9)
    return w


def cases():
    rng = np.random.default_rng(20260301)

    def rated(texts, raters, noise, low=1, high=5):
        quality = rng.normal(3, 1.1, texts)
        return np.clip(np.round(quality[:, None] + noise * rng.standard_normal((texts, raters))), low, high)

    def without(answers, share):
        answers = answers.copy()
        answers[rng.random(answers.shape) < share] = np.nan
        return answers

    x = np.nan
    # Krippendorff 2011, section C: four coders, twelve units.
    krippendorff_2011 = np.array([
        [1, 2, 3, 3, 2, 1, 4, 1, 2, x, x, x], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, x, 3],
        [x, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, x], [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, x],
    ]).T
    one = rated(20, 1, 0.5)
    yield "complete", rated(12, 3, 0.6)
    yield "Krippendorff 2011, missing answers", krippendorff_2011
    yield "heavy ties", rated(20, 3, 0.4, 3, 4)
    yield "all raters equal on everything", np.repeat(rated(10, 1, 0.5), 3, axis=1)
    yield "one category only", np.full((8, 3), 4.0)
    yield "one category only, one of two in part", np.array([[4, 4], [4, x], [4, 4], [x, 2]], float)
    yield "two raters", rated(15, 2, 0.7)
    yield "five raters, missing answers", without(rated(25, 5, 0.8), 0.1)
    yield "one rater reversed", np.hstack([one, 6 - one])
    yield "one of three reversed", np.hstack([one, one, 6 - one])
    yield "two texts, opposite orders", np.array([[1, 2, 2, 1], [2, 1, 1, 2]], float)
    yield "one rater constant", np.hstack([rated(9, 2, 0.6), np.full((9, 1), 3.0)])
    yield "a strict rater", np.hstack([one[:, :1], np.clip(one - 1, 1, 5), one])
    yield "no text that all answered", np.array([[1, 2, x], [x, 3, 3], [4, x, 5], [2, 2, x], [5, x, 4], [x, 1, 2]], float)
    yield "two raters of three share no text", np.array([[1, 2, x], [2, 2, x], [4, 5, x], [x, 3, 3], [x, 5, 4], [x, 1, 2]])
    yield "no text with two answers", np.array([[1, x], [x, 3], [4, x]], float)
    yield "one text", np.array([[2, 3, 5]], float)
    yield "preferences", rng.choice([0.0, 1.0, 2.0], (30, 3), p=[0.2, 0.2, 0.6])
    yield "40 texts, 3 raters", rated(40, 3, 0.7)
    yield "40 texts, 3 raters, missing answers", without(rated(40, 3, 0.9), 0.15)
    yield "no whole numbers, far from 0", np.round(1000 + rng.normal(0, 1, (14, 1)) + rng.normal(0, 0.4, (14, 4)), 2)


def agreements():
    for name, answers in cases():
        whole = answers[~np.isnan(answers)]
        listed = [[None if np.isnan(value) else value for value in row] for row in answers.tolist()]
        case = {"name": name, "answers": listed, "alpha": alpha(answers), "kendall_w": kendall_w(answers)}
        complete = answers[~np.isnan(answers).any(axis=1)]
        if len(complete) < 2 or complete.size >= 5:
            case["icc"] = icc(answers)
        if (whole == np.round(whole)).all():
            case["kappa"] = kappa(answers)
        yield case


def strengths(wins):
    systems = len(wins)
    data = [(i, j) for i in range(systems) for j in range(systems) for _ in range(round(2 * wins[i][j])) if i != j]
    try:
        weights = np.exp(choix.ilsr_pairwise(systems, data, max_iter=10_000, tol=1e-13))
    except (RuntimeError, ValueError):
        return None
    if not np.isfinite(weights).all() or weights.max() > 1e9 * weights.min():
        return None
    by_mm = np.exp(choix.mm_pairwise(systems, data, max_iter=1_000_000, tol=1e-11))
    assert np.allclose(by_mm / by_mm.sum(), weights / weights.sum(), rtol=1e-7)
    return (weights / weights.sum()).tolist()


TABLES = [
    ("two systems", [[0, 7], [3, 0]]),
    ("two systems with ties", [[0, 25.5], [14.5, 0]]),
    ("three systems, all pairs", [[0, 12, 9.5], [8, 0, 11], [10.5, 4, 0]]),
    ("three systems, two never met", [[0, 10, 0], [30, 0, 2], [0, 3, 0]]),
    ("three systems, one nearly always wins", [[0, 39.5, 38], [0.5, 0, 20], [2, 15, 0]]),
    ("four systems in a ring of wins", [[0, 5, 0, 0], [0, 0, 4, 0], [0, 0, 0, 3], [2, 0, 0, 0]]),
    ("five systems", [[0, 3, 4, 5, 9], [2, 0, 6, 4, 7], [1, 2, 0, 8, 5], [2, 3, 1, 0, 6], [1, 0, 2, 3, 0]]),
    ("one of three won all", [[0, 4, 5], [0, 0, 2], [0, 3, 0]]),
    ("one of three lost all", [[0, 4, 5], [3, 0, 2], [0, 0, 0]]),
    ("two groups that never met", [[0, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1], [0, 0, 4, 0]]),
]
THROWS = [(1, 0), (4, 1), (5, 5), (6, 5), (9, 2), (2, 9), (0, 40), (30, 10), (21, 19), (100, 140), (1200, 1000), (0, 900)]


def correlations():
    rng = np.random.default_rng(7)
    tied = rng.integers(1, 6, 30)
    pairs = {
        "no ties": (rng.normal(size=12), rng.normal(size=12)),
        "ties on one side": (tied, tied + rng.normal(size=30)),
        "ties on both sides": (tied, np.clip(tied + rng.integers(-1, 2, 30), 1, 5)),
        "opposite": (np.arange(9), -np.arange(9) ** 3),
        "two": ([1, 2], [4, 4.5]),
        "constant": ([1, 2, 3], [4, 4, 4]),
    }
    for name, (left, right) in pairs.items():
        left, right = np.asarray(left, float), np.asarray(right, float)
        rho = defined(scipy.stats.spearmanr(left, right).statistic)
        yield {"name": name, "left": left.tolist(), "right": right.tolist(), "rho": rho}


def signed_ranks():
    rng = np.random.default_rng(11)
    for name, differences in {
        "whole scores": rng.integers(-1, 4, 40) / 1.0,
        "thirds": rng.integers(-4, 8, 40) / 3,
        "few, tied": np.array([1, 1, -1, 2, 0, 3.0]),
        "no ties": rng.normal(0.3, 1, 20),
    }.items():
        changed = differences[differences != 0]
        p = scipy.stats.wilcoxon(differences, zero_method="wilcox", correction=False).pvalue
        ranks = scipy.stats.rankdata(np.abs(changed))
        yield {"name": name, "differences": differences.tolist(), "p": float(p), "positive_rank_sum": float(ranks[changed > 0].sum())}


def reference_stream():
    """`keystream` of the other fixtures' script, which makes its files only when it is run."""
    source = (HERE.parent / "statistics/make_fixtures.py").read_text()
    names = {"np": np}
    exec(source[source.index("def keystream") : source.index("def draws")], names)
    return names["keystream"]


def resamples(groups):
    """Indices of the values of each resample: as many groups as there are, by Lemire's rule, in the order of their names."""
    keystream = reference_stream()
    members = [np.flatnonzero(groups == name) for name in np.unique(groups)]
    key = SEED.to_bytes(8, "little") + bytes(24)
    draws = np.frombuffer(keystream(key, int.from_bytes(b"clusters", "big"), 8 * RESAMPLES * len(members)), "<u8")
    words = [int(word) * len(members) for word in draws]
    assert all(word & (2**64 - 1) >= len(members) for word in words)
    drawn = np.array([word >> 64 for word in words]).reshape(RESAMPLES, len(members))
    return [np.concatenate([members[group] for group in resample]) for resample in drawn]


def bounds(figure, groups):
    drawn = [value for value in map(figure, resamples(np.asarray(groups))) if value is not None]
    return np.quantile(drawn, [0.025, 0.975]).tolist()


def intervals(listed):
    answers = {case["name"]: np.array(case["answers"], float) for case in listed}
    for name in ["complete", "40 texts, 3 raters, missing answers"]:
        rows = answers[name]
        yield {"name": name, "alpha": bounds(lambda drawn: alpha(rows[drawn]), range(len(rows)))}
    rng = np.random.default_rng(13)
    groups = np.repeat([7, 3, 11, 5, 2, 13, 17, 19, 23, 29, 31, 37], [2, 2, 1, 3, 2, 2, 2, 1, 2, 2, 2, 3])
    left = np.round(rng.normal(3, 1, groups.max() + 1)[groups] + rng.normal(0, 0.4, len(groups)), 1)
    right = np.round(left + rng.normal(0, 0.8, len(groups)), 1)
    yield {
        "name": "grouped", "groups": groups.tolist(), "left": left.tolist(), "right": right.tolist(),
        "rho": bounds(lambda drawn: defined(scipy.stats.spearmanr(left[drawn], right[drawn]).statistic), groups),
        "mean": bounds(lambda drawn: left[drawn].mean(), groups),
        "ungrouped_mean": bounds(lambda drawn: left[drawn].mean(), range(len(left))),
    }


def main():
    listed = list(agreements())
    packages = ["krippendorff", "pingouin", "scikit-learn", "scipy", "choix", "numpy", "pandas"]
    out = {
        "versions": {name: importlib.metadata.version(name) for name in packages},
        "seed": SEED,
        "agreement": listed,
        "bradley_terry": [{"name": name, "wins": wins, "strengths": strengths(wins)} for name, wins in TABLES],
        "sign_test": [{"wins": w, "losses": l, "p": float(scipy.stats.binomtest(w, w + l).pvalue)} for w, l in THROWS],
        "spearman": list(correlations()),
        "signed_rank": list(signed_ranks()),
        "intervals": list(intervals(listed)),
    }
    lines = []
    for key, value in out.items():
        if isinstance(value, list):
            inner = ",\n".join("  " + json.dumps(entry, allow_nan=False) for entry in value)
            lines.append(f' "{key}": [\n{inner}\n ]')
        else:
            lines.append(f' "{key}": {json.dumps(value)}')
    (HERE / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
