"""Registers and spills of this project's CUDA kernels on three kinds of cards, against benches/gpu_registers.csv.

    .ci/cuda-check --registers           fails on a spill, on more registers than in the table, on a kernel that is not in it
    .ci/cuda-check --registers --write   writes the table

ptxas says the numbers when it compiles; the options are build.rs's. A card's driver compiles the same PTX once more, with its
own ptxas: the numbers there may differ by a few.
"""
import csv
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KERNELS = ROOT / "src/model/ops/cuda"
TABLE = ROOT / "benches/gpu_registers.csv"
ARCHITECTURES = ("80", "89", "90")
LIMIT = 64  # 1024 threads of a multiprocessor's 65,536 registers
HEAD = ["file", "kernel", *(f"sm_{one}" for one in ARCHITECTURES)]

ENTRY = re.compile(r"Compiling entry function '(\w+)' for 'sm_(\d+)'")
SPILLS = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers")


def said(file):
    """What ptxas says of a file, once for each kind of card."""
    targets = [f"-gencode=arch=compute_{one},code=sm_{one}" for one in ARCHITECTURES]
    with tempfile.TemporaryDirectory() as out:
        command = [Path(os.environ["CUDA_HOME"]) / "bin/nvcc", "-std=c++17", "-O3", "--fatbin", "-Xptxas", "-v", *targets,
                   "-o", f"{out}/kernels", file]
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode:
        sys.exit(f"{file}: {run.stdout}")
    return run.stdout


def parsed(text):
    """Registers by kernel and card, and what lies in local memory."""
    registers, local, entry = {}, [], None
    for line in text.splitlines():
        if found := ENTRY.search(line):
            entry = found.groups()
        elif entry and (found := SPILLS.search(line)):
            if any(map(int, found.groups())):
                local.append(f"{entry[0]} for sm_{entry[1]}: {found[0]}")
        elif entry and (found := USED.search(line)):
            registers.setdefault(entry[0], {})[entry[1]] = int(found[1])
    return registers, local


def compiled():
    """The table's rows as they are now, and the faults that need no table."""
    rows, faults = {}, []
    for file in sorted(KERNELS.glob("*.cu")):
        registers, local = parsed(said(file))
        faults += [f"{file.name}, {one}" for one in local]
        if not registers:
            faults.append(f"{file.name}: no kernel in it")
        for kernel, of_card in sorted(registers.items()):
            rows[file.name, kernel] = [of_card[one] for one in ARCHITECTURES]
            if max(of_card.values()) > LIMIT:
                faults.append(f"{file.name}, {kernel}: {max(of_card.values())} registers, at most {LIMIT} are wanted")
    return rows, faults


def read():
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        if next(rows) != HEAD:
            sys.exit(f"{TABLE}: expected the columns {','.join(HEAD)}")
        return {(name, kernel): [int(cell) for cell in cells] for name, kernel, *cells in rows}


def write(rows):
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEAD)
        writer.writerows([*name, *cells] for name, cells in rows.items())


def compared(now, table):
    """Faults, and what is only worth knowing."""
    faults = [f"{', '.join(name)}: not in the table" for name in now.keys() - table.keys()]
    faults += [f"{', '.join(name)}: in the table alone" for name in table.keys() - now.keys()]
    fewer = []
    for name in now.keys() & table.keys():
        text = f"{', '.join(name)}: {now[name]} registers, {table[name]} in the table"
        if any(have > had for have, had in zip(now[name], table[name])):
            faults.append(text)
        elif now[name] != table[name]:
            fewer.append(text)
    return sorted(faults), sorted(fewer)


def main():
    now, faults = compiled()
    if sys.argv[1:] == ["--write"]:
        write(now)
    else:
        more, fewer = compared(now, read())
        faults += more
        for line in fewer:
            print(f"gpu_registers: fewer than before, {line}")
    if faults:
        sys.exit("\n".join(["gpu_registers: --write after a change that is meant", *faults]))
    print(f"gpu_registers: {len(now)} kernels for sm_{', sm_'.join(ARCHITECTURES)}, no spills, at most "
          f"{max(max(cells) for cells in now.values())} registers")


if __name__ == "__main__":
    main()
