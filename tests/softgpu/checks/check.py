#!/usr/bin/env python3
"""Does the software GPU catch what it is for? Plants faults and compares what comes out: check.py TOOLKIT"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ORDERS = [{"SOFTGPU_THREADS": order} for order in ("up", "down", "random:1", "random:2")]
LOOSE = {"SOFTGPU_RACES": "off", "SOFTGPU_STREAMS": "lazy"}

# Case, settings, what must stand in its output.
EXPECTED = [
    *[("sum", order, "right") for order in ORDERS],
    ("read behind", {}, "copy_at touches 0 bytes behind the end of an allocation of 1020"),
    ("read before", {}, "before an allocation of 1020"),
    ("read far away", {}, "copy_at touches"),
    ("write behind", {}, "write_at touches 0 bytes behind the end of an allocation of 4"),
    ("uninitialised", {}, "nan"),
    ("use after free", {}, "sum: argument 0"),
    ("use after free", {}, "was freed before"),
    ("freed by another stream", {}, "race: cuMemFreeAsync on stream 2"),
    ("freed by another stream", LOOSE, "sum touches freed memory"),
    ("freed twice", {}, "which was freed before"),
    ("host pointer", {}, "sum: argument 0"),
    ("two streams", {}, "race: copy_at on stream 2"),
    ("two streams", LOOSE, "wrong"),
    ("two streams", {"SOFTGPU_RACES": "off", "SOFTGPU_STREAMS": "eager"}, "right"),
    ("two streams and an event", {}, "right"),
    ("two streams and an event", {"SOFTGPU_STREAMS": "random:7"}, "right"),
    ("no block", {}, "result 1"),
    ("no thread", {}, "result 1"),
    ("too many threads", {}, "result 1"),
    ("too many blocks", {}, "result 1"),
    ("too much shared memory", {}, "result 1"),
    ("shared memory by request", {}, "result 10"),
    ("diverging barrier", {}, "deadlock: 7 threads wait at __syncthreads, 1 at a warp operation"),
    ("mask without its caller", {}, "a warp operation whose mask leaves out the caller"),
    ("rounded twice", {}, "right"),
    ("no such kernel", {}, "result 500"),
    ("no such function", {}, "cuArrayCreate_v2 is not part of the software GPU"),
]


def main(toolkit):
    with tempfile.TemporaryDirectory() as folder:
        program, image = Path(folder) / "faults", Path(folder) / "faults.ptx"
        library = toolkit / "lib64"
        subprocess.run([toolkit / "bin/nvcc", "--ptx", "-o", image, HERE / "faults.cu"], check=True)
        subprocess.run(["g++", "-std=c++17", "-O1", "-o", program, HERE / "faults.cpp", f"-L{library}", "-lcuda",
                        f"-Wl,-rpath,{library}"], check=True)

        def output(case, settings):
            environment = {**os.environ, "NVCC": str(toolkit / "bin/nvcc"), **settings}
            done = subprocess.run([program, image, case], env=environment, capture_output=True, text=True)
            return done.stdout + done.stderr

        wrong = []
        for case, settings, expected in EXPECTED:
            got = output(case, settings)
            if expected not in got:
                wrong.append(f"{case} {settings}: expected {expected!r}, got {got!r}")
        # Without its barrier a sum may come out right by chance, but not in every order of the threads.
        sums = {output("missing barrier", order) for order in ORDERS}
        if "wrong\n" not in sums:
            wrong.append(f"missing barrier: expected a wrong sum in some order, got {sums}")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"software GPU: {len(EXPECTED) + 1} checks passed")


main(Path(sys.argv[1]).resolve())
