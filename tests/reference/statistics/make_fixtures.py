"""Makes comparisons.json and holm.json, the expected numbers of tests/engine/statistics.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
    venv/bin/python tests/reference/statistics/make_fixtures.py

Two kinds of expected numbers:
- `scipy`: what numpy, scipy and statsmodels say of the same rows, with their own random numbers;
- `stream`: what the documented streams must give to the last digit. ChaCha8 is written out here from its
  definition (and checked against its published test vector), the quantile is numpy's.
"""

import json
import math
from pathlib import Path

import numpy as np
import scipy.stats
from statsmodels.stats.multitest import multipletests

HERE = Path(__file__).parent
SEED = 3407
RESAMPLES = 10_000


def keystream(key: bytes, stream: int, n_bytes: int) -> bytes:
    """ChaCha with 8 rounds, 64-bit block counter from 0, 64-bit stream number (Bernstein 2008)."""
    blocks = -(-n_bytes // 64)
    counter = np.arange(blocks, dtype=np.uint64)
    state = [np.full(blocks, word, dtype=np.uint32) for word in np.frombuffer(b"expand 32-byte k" + key, "<u4")]
    state += [(counter & np.uint64(0xFFFFFFFF)).astype(np.uint32), (counter >> np.uint64(32)).astype(np.uint32)]
    state += [np.full(blocks, half, dtype=np.uint32) for half in (stream & 0xFFFFFFFF, stream >> 32)]
    x = [word.copy() for word in state]

    def quarter(a, b, c, d):
        for left, right, target, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[left] += x[right]
            mixed = x[target] ^ x[left]
            x[target] = (mixed << np.uint32(bits)) | (mixed >> np.uint32(32 - bits))

    for _ in range(4):
        for i in range(4):
            quarter(i, i + 4, i + 8, i + 12)
        for i in range(4):
            quarter(i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12)
    return np.stack([a + b for a, b in zip(x, state)], axis=1).astype("<u4").tobytes()[:n_bytes]


# Test vector TC1, 256-bit key, 8 rounds, of draft-strombergson-chacha-test-vectors-01.
assert keystream(bytes(32), 0, 64).hex() == (
    "3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e"
    "984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42"
)


def draws(name: bytes, n: int) -> np.ndarray:
    key = SEED.to_bytes(8, "little") + bytes(24)
    return np.frombuffer(keystream(key, int.from_bytes(name, "big"), 8 * n), "<u8")


def resampled_indices(n: int) -> np.ndarray:
    """Lemire: high 64 bits of draw x n. Rejection has probability below n / 2^64: it must not happen here."""
    words = [int(word) * n for word in draws(b"resample", RESAMPLES * n)]
    assert all(word & (2**64 - 1) >= n for word in words)
    return np.array([word >> 64 for word in words]).reshape(RESAMPLES, n)


def stream_expectations(tokens, baseline, fine_tuned):
    n = len(tokens)
    index = resampled_indices(n)
    total = tokens[index].sum(axis=1)
    b, f = baseline[index].sum(axis=1) / total, fine_tuned[index].sum(axis=1) / total
    bounds = lambda values: np.quantile(values, [0.025, 0.975])

    words_per_flip = -(-n // 64)
    bits = np.unpackbits(
        draws(b"signflip", RESAMPLES * words_per_flip).view(np.uint8).reshape(RESAMPLES, -1),
        axis=1, bitorder="little",
    )[:, :n]
    difference = baseline - fine_tuned
    sums = np.abs((np.where(bits == 1, -1.0, 1.0) * difference).sum(axis=1))
    k = int((sums >= abs(difference.sum()) - 1e-9).sum())
    return {
        "baseline": bounds(b).tolist(), "fine_tuned": bounds(f).tolist(), "difference": bounds(b - f).tolist(),
        "relative_loss": bounds((b - f) / b).tolist(),
        # By definition the function of the difference's bounds, as the perplexities are exp of the losses'.
        "relative_perplexity": (1 - np.exp(-bounds(b - f))).tolist(),
        "permutation_p": (k + 1) / (RESAMPLES + 1),
    }


def scipy_expectations(tokens, n_bytes, baseline, fine_tuned):
    n = len(tokens)
    means = baseline / tokens - fine_tuned / tokens
    rng = np.random.default_rng(1)

    def bootstrap(statistic):
        result = scipy.stats.bootstrap(
            (tokens, baseline, fine_tuned), statistic, paired=True, vectorized=True, method="percentile",
            n_resamples=200_000, batch=2_000, rng=rng,
        ).confidence_interval
        return [result.low, result.high]

    b = lambda t, b, f, axis: b.sum(axis) / t.sum(axis)
    f = lambda t, b, f, axis: f.sum(axis) / t.sum(axis)
    permutation = scipy.stats.permutation_test(
        (baseline, fine_tuned), lambda b, f, axis: (b.sum(axis) - f.sum(axis)) / tokens.sum(),
        permutation_type="samples", vectorized=True, batch=2_000, rng=rng,
        n_resamples=np.inf if n <= 13 else 199_999,
    )
    changed = means[means != 0]
    wilcoxon = scipy.stats.wilcoxon(means, zero_method="wilcox", correction=False)
    # scipy reports the smaller of the two rank sums; both are needed to know which side it was.
    ranks = scipy.stats.rankdata(np.abs(changed))
    positive = ranks[changed > 0].sum()
    assert wilcoxon.statistic == min(positive, ranks.sum() - positive)
    return {
        "baseline_loss": baseline.sum() / tokens.sum(),
        "fine_tuned_loss": fine_tuned.sum() / tokens.sum(),
        "baseline_bits_per_byte": baseline.sum() / (math.log(2) * n_bytes.sum()),
        "fine_tuned_bits_per_byte": fine_tuned.sum() / (math.log(2) * n_bytes.sum()),
        "baseline": bootstrap(b), "fine_tuned": bootstrap(f),
        "difference": bootstrap(lambda *rows, axis: b(*rows, axis) - f(*rows, axis)),
        "relative_loss": bootstrap(lambda *rows, axis: 1 - f(*rows, axis) / b(*rows, axis)),
        "relative_perplexity": bootstrap(lambda *rows, axis: 1 - np.exp(f(*rows, axis) - b(*rows, axis))),
        "permutation_p": permutation.pvalue,
        "wilcoxon_p": wilcoxon.pvalue,
        "positive_rank_sum": positive,
        "effect_size": means.mean() / means.std(ddof=1),
        "improved": int((means > 0).sum()), "worsened": int((means < 0).sum()),
    }


def simulated(n, gain, noise, rng):
    """Token counts from 5 to 80, a row difficulty that both models share, losses rounded to 6 places."""
    tokens = rng.integers(5, 81, n)
    difficulty = 2.5 + 0.6 * (rng.exponential(1, n) - 1)
    baseline = np.round(tokens * (difficulty + 2 / tokens), 6)
    fine_tuned = np.round(tokens * (difficulty * (1 - gain) + noise * rng.standard_normal(n)), 6)
    return tokens, tokens * 4 + rng.integers(0, 9, n), baseline, fine_tuned


def tied(n, rng):
    """Token counts that are powers of two and losses in eighths: differences tie exactly, some are 0."""
    tokens = 2 ** rng.integers(2, 6, n)
    baseline = tokens * (20 + rng.integers(0, 5, n)) / 8
    fine_tuned = baseline - tokens * rng.integers(-2, 5, n) / 8
    return tokens, tokens * 3, baseline, fine_tuned


def main():
    rng = np.random.default_rng(20261124)
    cases = {
        "8 rows": simulated(8, 0.05, 0.2, rng),
        "12 rows with ties and unchanged ones": tied(12, rng),
        "30 rows, little difference": simulated(30, -0.04, 0.2, rng),
        "30 rows with ties": tied(30, rng),
        "50 rows, none better": simulated(50, 0, 0.3, rng),
        "51 rows": simulated(51, 0.0, 0.25, rng),
        "200 rows, worse": simulated(200, -0.10, 0.4, rng),
        "200 rows": simulated(200, 0.02, 0.5, rng),
    }
    comparisons = []
    for name, (tokens, n_bytes, baseline, fine_tuned) in cases.items():
        comparisons.append({
            "name": name,
            "tokens": tokens.tolist(), "bytes": n_bytes.tolist(),
            "baseline_nll": baseline.tolist(), "fine_tuned_nll": fine_tuned.tolist(),
            "scipy": scipy_expectations(tokens, n_bytes, baseline, fine_tuned),
            "stream": stream_expectations(tokens, baseline, fine_tuned),
        })
        print(name, {key: comparisons[-1]["scipy"][key] for key in ("permutation_p", "wilcoxon_p", "effect_size")})
    write("comparisons.json", {"seed": SEED, "comparisons": comparisons})

    lists = [[0.01, 0.04, 0.03], [0.05], [], [0.5, 0.9, 0.7], [0.02, 0.02, 0.02, 0.8, 0.0, 1.0]]
    lists += [np.round(rng.beta(0.4, 3, 10), 5).tolist() for _ in range(4)]
    write("holm.json", [
        {"p": p, "adjusted": multipletests(p, method="holm")[1].tolist() if p else []} for p in lists
    ])


def write(name, value):
    (HERE / name).write_text(json.dumps(value, default=lambda number: number.item()) + "\n")


main()
