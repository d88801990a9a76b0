"""The counts of shapes beside those that the software GPU measured: the table of benches/gpu.md, row by row."""
import re

from counter import Counter
from kernels import FORMS
from network import Model, Pass, Recipe
from operations import Heads

SMOLLM2 = Model("SmolLM2-135M", 576, 1536, 30, Heads(9, 3, 64), 49152)
DEMONSTRATION = Model("the demonstration model", 256, 704, 2, Heads(4, 2, 64), 4096)
LENGTHS, TOKENS, RANK = (128,) * 4, 512, 128
CHUNKS = (3, 3)  # of 256 targets, in the two micro-batches of a smoke run's second step
COLUMNS = ("launches", "products", "synchronizations", "allocations", "bytes_to_device", "bytes_to_host", "bytes_on_device",
           "bytes_allocated")


def operations(form, counter):
    """benches/device_operations.rs: name and call."""
    matrix = lambda rows, width, dtype="bf16": counter.array((rows, width), dtype)
    hidden, mlp, heads = SMOLLM2.hidden, SMOLLM2.mlp, SMOLLM2.heads
    x, w = matrix(TOKENS, hidden), counter.array((hidden,), "bf16")
    gate_up, narrow = matrix(TOKENS, 2 * mlp), matrix(TOKENS, mlp)
    qkv, low, logits = matrix(TOKENS, 15 * 64), matrix(TOKENS, RANK), matrix(256, SMOLLM2.vocabulary)
    return {
        "rms_norm": lambda: form.rms_norm(x, w),
        "rms_norm of a sum": lambda: form.norm_of_sum(x, x, w),
        "rms_norm, backward": lambda: form.rms_norm_backward(x, x, w, x),
        "rope": lambda: form.rope(qkv, matrix(TOKENS, 32, "f32"), 12),
        "attention": lambda: form.attention(qkv, LENGTHS, heads),
        "attention, backward": lambda: form.attention_backward(qkv, x, LENGTHS, heads),
        "swiglu": lambda: form.swiglu(gate_up),
        "swiglu, backward": lambda: form.swiglu_backward(gate_up, narrow),
        "product of a projection": lambda: x.matmul(matrix(2 * mlp, hidden).t()),
        "LoRA's update of two projections": lambda: form.add_low_rank(gate_up, [(low, matrix(mlp, RANK))] * 2),
        "product added": lambda: form.add_matmul(x, low, matrix(RANK, hidden)),
        "dropout for three projections": lambda: form.dropouts(x, 3),
        "dropout for three projections, backward": lambda: form.dropouts_backward(x, [x] * 3),
        "NF4 double to f32": lambda: form.nf4(counter, (mlp, hidden), "f32"),
        "cross-entropy of 256 rows": lambda: form.nll(logits),
        "cross-entropy of 256 rows, with gradient": lambda: with_gradient(form, logits),
    }


def with_gradient(form, logits):
    form.targets(logits.counter, logits.shape[0])
    form.sum_of_losses([form.cross_entropy(logits)[0]])


def step(form):
    """a1 in smoke size. How many tokens its rows have is not in the table: bytes and uploads are not compared."""
    total = dict.fromkeys(COLUMNS, 0)
    for of_batch in CHUNKS:
        one = Pass(DEMONSTRATION, Recipe(8, (300,) * 4, 256 * of_batch), form)
        add(total, one.micro_batch())
    # A window is waited for once; each micro-batch above was.
    total["synchronizations"] -= len(CHUNKS) - 1
    add(total, Pass(DEMONSTRATION, Recipe(8, (300,) * 4, 256), form).update())
    return total


def add(total, counter):
    for name in COLUMNS:
        total[name] += getattr(counter, name)


def number(cell):
    """`5.3 MB` with the half of its last digit."""
    value, _, unit = cell.partition(" ")
    factor = {"MB": 1e6, "kB": 1e3}.get(unit, 1)
    return float(value) * factor, 0.0501 * factor if "." in value else 0


def measured(text):
    table = text.split("<!-- counts -->\n")[1].split("<!-- /counts -->")[0]
    for line in table.splitlines()[2:]:
        name, *cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        yield name, [number(cell) for cell in cells]


def parted(counted, cells, columns=COLUMNS):
    """The columns that are not the table's."""
    pairs = zip(COLUMNS, cells)
    return [f"{name} {counted[name]}, measured {value:.0f}" for name, (value, off) in pairs
            if name in columns and abs(counted[name] - value) > off]


def counts(name, form):
    if name.startswith("a step of a1"):
        return step(form), COLUMNS[:3]
    counter = Counter()
    operations(form, counter)[name]()
    return {column: getattr(counter, column) for column in COLUMNS}, COLUMNS


def check(text, forms=FORMS):
    """The faults of each row that is the counts of no form; says of the others of which."""
    faults = []
    for name, cells in measured(text):
        tried = {}
        for form in forms:
            counted, columns = counts(name, FORMS[form])
            tried[form] = parted(counted, cells, columns)
        fits = [form for form, differences in tried.items() if not differences]
        print(f"{name}: {' and '.join(fits) or 'PARTED'}")
        if not fits:
            faults += [f"{name}, {form}: {'; '.join(differences)}" for form, differences in tried.items()]
    return faults

