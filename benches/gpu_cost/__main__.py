"""A cost model of the CUDA path: a prediction, not a measurement. It writes its part of benches/gpu.md and draws gpu_cost.svg.

    pip install matplotlib
    python benches/gpu_cost
    python benches/gpu_cost --check [candle|own|held]    the counts beside the software GPU's in gpu.md; needs no package

counter.py has candle's rules, operations.py and kernels.py each operation's two forms, network.py the passes, cards.py the
ceilings, run.py the seed's run, memory.py the peak. `--check` fails where a row of the table is the counts of no form,
or not of the one that is named.
"""
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # the gate leaves nothing behind

from cards import CARDS, seconds
from check import check
from kernels import FORMS
from memory import estimate
from network import Pass
from run import LLAMA, SMOLLM2, STATES, TRAINING, micro_batch, of_run, whole_run

BENCHES = Path(__file__).resolve().parent.parent
GOAL = 60
REACHED = 0.8  # of the ceilings, in a whole run: an assumption until a card was measured
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#999999")


def row(*cells):
    return "| " + " | ".join(map(str, cells)) + " |"


def table(head, rows):
    return [row(*head), "|---|" + "---:|" * (len(head) - 1), *(row(*cells) for cells in rows)]


def counts(model):
    rows = []
    for state, form in STATES.items():
        counter = micro_batch(model, state)
        total = lambda name: sum(getattr(work, name) for work in counter.work)
        uploads = sum(work.kind == "upload" for work in counter.work)
        memory = sum(estimate(model, TRAINING, form).values())
        times = (1e3 * sum(seconds(work, card) for work in counter.work) for card in CARDS)
        rows.append((state, counter.launches, counter.products, counter.synchronizations, uploads,
                     f"{total('bytes') / 1e9:.1f}", f"{total('tensor') / 1e12:.2f}", *(f"{time:.0f}" for time in times),
                     f"{memory / 1e9:.1f}"))
    head = ("predicted: a micro-batch", "kernels", "products", "synchronizations", "uploads", "GB moved", "TFLOP",
            *(f"ms, {card.name}" for card in CARDS), "peak GB")
    return table(head, rows)


def of_a_layer(model):
    """What a layer between the first and the last asks for, forward and backward."""
    lines = []
    for state, form in STATES.items():
        one = Pass(model, TRAINING, form)
        one.layer(1, "trained")
        one.layer_backward(1)
        lines.append(f"{one.counter.launches} kernels and {one.counter.products} products ({state})")
    return f"A layer forward and backward: {', '.join(lines)}."


def of_operations(model):
    """Seconds of the run by operation: a column a card and state."""
    columns = [(card, state) for card in CARDS for state in STATES]
    sums = [of_run(model, state, card, lambda call, ceiling: call.operation) for card, state in columns]
    names = sorted(sums[0], key=lambda name: -sums[0][name])
    rows = [(name, *(f"{column.get(name, 0):.1f}" for column in sums)) for name in names]
    rows.append(("**the run**", *(f"**{sum(column.values()):.0f}**" for column in sums)))
    return table(("predicted: seconds of the seed's run", *(f"{card.name}: {state}" for card, state in columns)), rows)


def verdict(model):
    """Whether the goal can be met on the first card, and what binds there."""
    lines, card = [], CARDS[0]
    for state in STATES:
        run = sum(whole_run(model, state, card).values())
        by_ceiling = of_run(model, state, card, lambda call, ceiling: ceiling)
        first = next(iter(of_run(model, state, card, lambda call, ceiling: call.operation)))
        shares = ", ".join(f"{name} {value:.0f} s" for name, value in by_ceiling.items())
        needed = "are out of reach" if run > GOAL else f"need {100 * run / GOAL:.0f} % of the ceilings"
        times = f"{run:.0f} s at the ceilings, {run / REACHED:.0f} s at {100 * REACHED:.0f} % of them"
        lines.append(f"- {card.name}, {state}: predicted {times}; {GOAL} s {needed}. By what binds: {shares}. "
                     f"The most goes to {first}.")
    kinds = of_run(model, state, card, lambda call, ceiling: call.kind)
    allowed = GOAL * REACHED - kinds["product"]
    rest = sum(kinds.values()) - kinds["product"]
    lines.append(f"- What is missing: at {100 * REACHED:.0f} % of the ceilings {GOAL} s leave {GOAL * REACHED:.0f} s of work at "
                 f"full speed, of which cuBLAS's products alone are predicted to take {kinds['product']:.0f} s. For all else "
                 f"{max(allowed, 0):.0f} s are left, and it takes {rest:.0f} s.")
    return lines


def prediction():
    lines = ["**Prediction, not a measurement.** Each call takes as long as the ceiling that binds it: bytes at the card's "
             "bandwidth, FLOP on or off its tensor cores, 4 µs a call. Caches, cuBLAS's shapes and the host's work are not in "
             f"it, so that a card may be slower, or faster where a tensor fits its cache. {LLAMA.name}, NF4 double, r 128, dropout "
             f"0.05, bf16, kept activations; micro-batches of 16 rows, {TRAINING.tokens} tokens, {TRAINING.targets} of them "
             "targets. The seed's run: 2000 rows, 339 micro-batches, 87 updates, and four evaluations of 200 rows; texts, "
             "checkpoints and loading are not in it.", ""]
    for model in (LLAMA, SMOLLM2):
        lines += [f"### {model.name}", "", *counts(model), "", of_a_layer(model), "", *of_operations(model), ""]
    return "\n".join([*lines, f"### {GOAL} seconds, {LLAMA.name}", "", *verdict(LLAMA), "",
                      "![Predicted seconds of the run by operation](gpu_cost.svg)", ""])


def draw():
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams["svg.hashsalt"] = "tezgah"  # the same counts give the same file
    figure, axes = plt.subplots(figsize=(8, 3.8))
    bars = [(card, state) for card in reversed(CARDS) for state in reversed(STATES)]
    sums = [of_run(LLAMA, state, card, lambda call, ceiling: call.operation) for card, state in bars]
    names = sorted(sums[-1], key=lambda name: -sums[-1][name])
    shown = {name: [of.get(name, 0) for of in sums] for name in names[:7]}
    shown["all else"] = [sum(of.values()) - sum(of.get(name, 0) for name in shown) for of in sums]
    left = [0.0] * len(bars)
    for (name, values), colour in zip(shown.items(), COLOURS):
        axes.barh(range(len(bars)), values, left=left, color=colour, label=name)
        left = [a + b for a, b in zip(left, values)]
    axes.axvline(GOAL, color="black", linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(bars)), [f"{card.name}, {state}" for card, state in bars], fontsize=8)
    axes.set_xlabel(f"predicted seconds of the seed's run at the cards' ceilings (dotted: {GOAL})")
    axes.set_title(f"{LLAMA.name}: prediction, not a measurement", fontsize=10)
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(BENCHES / "gpu_cost.svg", bbox_inches="tight", metadata={"Date": None})


def main():
    file = BENCHES / "gpu.md"
    text = file.read_text()
    if sys.argv[1:2] == ["--check"]:
        faults = check(text, sys.argv[2:] or FORMS)
        sys.exit("\n".join(["gpu_cost: counts part from the software GPU's", *faults]) if faults else 0)
    before, rest = text.split("<!-- prediction -->\n")
    after = rest.split("<!-- /prediction -->\n")[1]
    file.write_text(f"{before}<!-- prediction -->\n{prediction()}<!-- /prediction -->\n{after}")
    draw()


main()
