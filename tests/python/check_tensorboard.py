#!/usr/bin/env python3
"""Reads a run's event file as TensorBoard does, and compares every scalar with the record.

    python tests/python/check_tensorboard.py OUT        OUT: an output folder of a run

TensorBoard checks the framing and both checksums of each record. Its scalars are f32: the record's numbers are rounded to
them, and must then be the same bits. Steps must be those of the record, each once and in their order.
"""

import json
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def main(out):
    training = json.loads((out / "record.json").read_text())["training"]
    expected = {
        f"train/{name}": [(step["step"], f32(step[name])) for step in training["steps"]]
        for name in ("loss", "learning_rate", "grad_norm")
    }
    expected["eval/loss"] = [(evaluation["step"], f32(evaluation["loss"])) for evaluation in training["evals"]]

    # 0: keep every scalar, and not a sample of them.
    events = EventAccumulator(str(out / "tensorboard"), size_guidance={"scalars": 0})
    events.Reload()
    found = {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}
    assert sorted(found) == sorted(expected), f"expected the tags {sorted(expected)}, got {sorted(found)}"
    for tag, scalars in found.items():
        values = [(scalar.step, scalar.value) for scalar in scalars]
        assert values == expected[tag], f"{tag}: expected {expected[tag][:3]}..., got {values[:3]}..."
        times = [scalar.wall_time for scalar in scalars]
        assert times == sorted(times), f"{tag}: its times go back"
    count = sum(map(len, expected.values()))
    assert count > 0, "expected at least one scalar, the record has no step"
    print(f"check_tensorboard: {count} scalars of {len(found)} tags are the record's")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
