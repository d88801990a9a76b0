"""What each operation asks of a card: benches/gpu.md, from the software GPU's counters.

    python benches/gpu.py

An operation is done once and twice, each in a process of its own; what the second time adds is what it takes.
"""
import json
import os
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COUNTERS = ["launches", "products", "synchronizations", "allocations", "bytes_to_device", "bytes_to_host",
            "bytes_on_device", "bytes_allocated"]


def softgpu(*arguments, **settings):
    run = subprocess.run([ROOT / ".ci/softgpu", *arguments], env={**os.environ, **settings}, check=True,
                         stdout=subprocess.PIPE, text=True)
    return run.stdout


def counts(*arguments):
    with tempfile.NamedTemporaryFile() as file:
        softgpu(*arguments, SOFTGPU_COUNTS=file.name)
        return json.loads(Path(file.name).read_text())


def size(count):
    for unit, bytes in (("MB", 1e6), ("kB", 1e3)):
        if count >= bytes:
            return f"{count / bytes:.1f} {unit}"
    return f"{count} B" if count else "0"


def row(name, of):
    numbers = [of["launches"], of["products"], of["synchronizations"], of["allocations"]]
    bytes = [of["bytes_to_device"], of["bytes_to_host"], of["bytes_on_device"], of["bytes_allocated"]]
    return f"| {name} | " + " | ".join([*map(str, numbers), *map(size, bytes)]) + " |"


def difference(more, less):
    return {name: more[name] - less[name] for name in COUNTERS}


def main():
    head = ["kernels", "products", "synchronizations", "allocations", "to the card", "to the host", "copied on it",
            "allocated"]
    table = ["| operation | " + " | ".join(head) + " |", "|---|" + "---:|" * len(head)]
    for name in softgpu("device_operations").splitlines():
        table.append(row(name, difference(*(counts("device_operations", name, times) for times in "21"))))
    with tempfile.TemporaryDirectory() as out:
        a1 = lambda steps: counts("a1", "--device", "cuda", "--smoke", "--quiet", "--out", f"{out}/{steps}", "--set",
                                  f"train.max_steps={steps}", "--set", "samples.count=0", "--set",
                                  "train.eval_steps=100", "--set", "train.save_steps=100")
        table.append(row("a step of a1 in smoke size: 2 micro-batches, 2 layers, NF4 double kept as bf16, update",
                         difference(a1(2), a1(1))))
    text = (ROOT / "benches/gpu.md").read_text()
    before, rest = text.split("<!-- counts -->\n")[0], text.split("<!-- /counts -->\n")[1]
    (ROOT / "benches/gpu.md").write_text(f"{before}<!-- counts -->\n" + "\n".join(table) + f"\n<!-- /counts -->\n{rest}")


main()
