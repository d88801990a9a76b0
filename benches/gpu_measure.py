"""What was measured on a card, as JSON, and its part of benches/gpu.md.

    python benches/gpu_measure.py card FILE                     name, and what it copies and multiplies at most (PyTorch)
    python benches/gpu_measure.py operations PROGRAM CARD FILE  device_operations: ms, GB/s, TFLOPS, share of the ceiling
    python benches/gpu_measure.py merge OUT FILE                call B's windows and what else lies in OUT, as one document
    python benches/gpu_measure.py render                        benches/gpu_measured/*.json into benches/gpu.md

`.ci/gpu-check` calls the first three. Bytes and FLOP of an operation are those that it cannot do without: benches/gpu_cost's
counts with a kernel of our own.
"""
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benches/gpu_cost"))
sys.dont_write_bytecode = True  # the gate leaves nothing behind
from check import operations as of_shapes  # noqa: E402
from counter import Counter  # noqa: E402
from kernels import FORMS  # noqa: E402

TIMES = (20, 1020)  # what the second run takes longer is a thousand times the operation
REPEATS = 3


def best(work, repeats=20):
    import torch

    work(), torch.cuda.synchronize()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work(), torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times)


def nvidia_smi():
    fields = ("name", "memory.total", "driver_version", "compute_cap")
    run = subprocess.run(["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader"], check=True,
                         stdout=subprocess.PIPE, text=True)
    return dict(zip(fields, (cell.strip() for cell in run.stdout.splitlines()[0].split(","))))


def card():
    facts = nvidia_smi()
    try:
        import torch
    except ImportError:
        print("no PyTorch: the card's ceilings are not known")
        return facts
    try:
        facts |= ceilings(torch)
    except Exception as fault:  # of a PyTorch that was built for other cards, for one
        print(f"the card's ceilings are not known: {type(fault).__name__}: {fault}")
        return facts
    print(f"{facts['name']}: copy {facts['bandwidth'] / 1e9:.0f} GB/s, products {facts['tensor'] / 1e12:.0f} TFLOPS in bf16, "
          f"{facts['plain'] / 1e12:.0f} in f32")
    return facts


def ceilings(torch):
    """Bytes and FLOP a second."""
    x = torch.empty(1 << 28, device="cuda")
    y = torch.empty_like(x)
    facts = {}
    facts["bandwidth"] = 2 * 4 * (1 << 28) / best(lambda: y.copy_(x))
    for name, dtype in (("tensor", torch.bfloat16), ("plain", torch.float32)):
        a, b = (torch.randn(8192, 8192, device="cuda", dtype=dtype) for _ in range(2))
        facts[name] = 2 * 8192 ** 3 / best(lambda: a @ b)
    return facts


def seconds_of(program, name, times):
    start = time.perf_counter()
    subprocess.run([program, name, str(times)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def shares(work, seconds, card):
    """Of the ceiling that binds: 1 where every byte and FLOP went at full speed."""
    if not {"bandwidth", "tensor", "plain"} <= card.keys():
        return None
    limits = lambda call: max(call.bytes / card["bandwidth"], call.tensor / card["tensor"], call.plain / card["plain"])
    return sum(map(limits, work)) / seconds


def operations(program, card):
    """An operation's milliseconds at SmolLM2's shapes, launches included: small ones show the host's pace, not the card's."""
    names = subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    measured = []
    for name in names:
        few, many = (min(seconds_of(program, name, times) for _ in range(REPEATS)) for times in TIMES)
        seconds = max(many - few, 1e-9) / (TIMES[1] - TIMES[0])
        counter = Counter()
        form = of_shapes(FORMS["own"], counter)
        if name not in form:
            measured.append({"operation": name, "seconds": seconds})
            continue
        form[name]()
        work = [call for call in counter.work if call.kind != "upload"]
        measured.append({"operation": name, "seconds": seconds, "bytes": sum(call.bytes for call in work),
                         "flop": sum(call.tensor + call.plain for call in work), "share": shares(work, seconds, card)})
        print(line(measured[-1]))
    return measured


def line(of):
    if "bytes" not in of:
        return f"| {of['operation']} | {1e3 * of['seconds']:.3f} | | | |"
    share = f"{100 * of['share']:.0f} %" if of["share"] else ""
    return (f"| {of['operation']} | {1e3 * of['seconds']:.3f} | {of['bytes'] / of['seconds'] / 1e9:.0f} | "
            f"{of['flop'] / of['seconds'] / 1e12:.2f} | {share} |")


def ours(file):
    """A run's document in the form of a peer's."""
    record = json.loads(file.read_text())
    training = record["training"]
    keep = ("loss", "grad_norm", "tokens", "seconds")
    return {"peer": "tezgah", "dropout": record["recipe"]["lora"]["dropout"],
            "peak_memory_bytes": training["peak_memory_bytes"],
            "steps": [{name: step[name] for name in keep} for step in training["steps"]]}


def merge(out):
    """One document: the card, the windows in their order, the operations."""
    read = lambda name: json.loads((out / name).read_text()) if (out / name).exists() else None
    files = sorted([*out.glob("window-*.json"), *out.glob("window-*/record.json")])
    windows = [ours(file) if file.name == "record.json" else json.loads(file.read_text()) for file in files]
    return {"card": read("card.json"), "windows": windows, "operations": read("operations.json")}


def warm(windows):
    """Tokens a second of each window, the first step of which is cold."""
    rate = lambda steps: sum(step["tokens"] for step in steps) / sum(step["seconds"] for step in steps)
    return [rate(of["steps"][1:]) for of in windows if len(of.get("steps", [])) > 1]


def beside(windows):
    rows = ["| | dropout | tokens/s, warm windows | median | peak GB | first losses | first norms |",
            "|---|---:|---:|---:|---:|---:|---:|"]
    for key in dict.fromkeys((of["peer"], of["dropout"]) for of in windows):
        same = [of for of in windows if (of["peer"], of["dropout"]) == key]
        rates = warm(same)
        if not rates:
            why = same[0].get("absent") or same[0].get("failed") or "one step alone"
            rows.append(f"| {key[0]} | {key[1]} | not measured: {why.replace('|', '/').splitlines()[0]} | | | | |")
            continue
        listed = lambda name, digits: ", ".join(f"{step[name]:.{digits}f}" for step in same[0]["steps"][:3])
        peak = max(of["peak_memory_bytes"] for of in same if "steps" in of) / 1e9
        rows.append(f"| {key[0]} | {key[1]} | {', '.join(f'{one:.0f}' for one in rates)} | {statistics.median(rates):.0f} | "
                    f"{peak:.2f} | {listed('loss', 4)} | {listed('grad_norm', 3)} |")
    return rows


def rendered(document):
    card = document["card"] or {}
    lines = [f"### {card.get('name', 'a card that was not named')}, driver {card.get('driver_version', '?')}", ""]
    if "bandwidth" in card:
        lines += [f"At most {card['bandwidth'] / 1e9:.0f} GB/s copied, {card['tensor'] / 1e12:.0f} TFLOPS in bf16, "
                  f"{card['plain'] / 1e12:.0f} in f32, as PyTorch reaches them.", ""]
    if document["windows"]:
        lines += ["Windows in turn, each a process of its own; its first step is cold and not counted.", "",
                  *beside(document["windows"]), ""]
    if document["operations"]:
        lines += ["SmolLM2-135M's shapes, 4 rows of 128 tokens, launches included:", "",
                  "| operation | ms | GB/s | TFLOPS | share of the ceiling |", "|---|---:|---:|---:|---:|",
                  *map(line, document["operations"]), ""]
    return lines


def render():
    files = sorted((ROOT / "benches/gpu_measured").glob("*.json"))
    lines = [line for file in files for line in rendered(json.loads(file.read_text()))] or ["Nothing yet.", ""]
    page = ROOT / "benches/gpu.md"
    before, rest = page.read_text().split("<!-- measured -->\n")
    after = rest.split("<!-- /measured -->\n")[1]
    page.write_text(f"{before}<!-- measured -->\n" + "\n".join(lines) + f"<!-- /measured -->\n{after}")


def main():
    match sys.argv[1:]:
        case ["card", file]:
            document = card()
        case ["operations", program, of_card, file]:
            document = operations(program, json.loads(Path(of_card).read_text()))
        case ["merge", out, file]:
            document = merge(Path(out))
        case ["render"]:
            return render()
        case _:
            sys.exit(__doc__)
    Path(file).write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
