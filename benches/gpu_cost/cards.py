"""What cards can do at most, by their makers, and how long a call takes at least.

RTX 4090: NVIDIA, "NVIDIA Ada GPU Architecture" (white paper, 2022), appendix A: 1008 GB/s, 165.2 TFLOPS of bf16 with sums in
f32 and without sparsity, 82.6 of f32, PCIe 4 x16.
H100 SXM: NVIDIA, "NVIDIA H100 Tensor Core GPU Architecture" (white paper, 2022) and the card's data sheet: 3.35 TB/s,
989.4 TFLOPS of bf16 without sparsity, 66.9 of f32, PCIe 5 x16.
"""
from dataclasses import dataclass

LAUNCH = 4e-6  # seconds from one call to the next


@dataclass(frozen=True)
class Card:
    name: str
    memory: float  # bytes
    bandwidth: float  # bytes a second
    tensor: float  # FLOP a second in bf16 on tensor cores
    plain: float  # FLOP a second in f32 outside of them
    bus: float  # bytes a second from the host


CARDS = (Card("RTX 4090", 24 * 2**30, 1008e9, 165.2e12, 82.6e12, 32e9),
         Card("H100 SXM", 80e9, 3350e9, 989.4e12, 66.9e12, 64e9))


def bounds(work, card):
    """Seconds that each ceiling asks of one call."""
    memory = work.bytes / (card.bus if work.kind == "upload" else card.bandwidth)
    return {"launch": LAUNCH, "memory": memory, "tensor": work.tensor / card.tensor, "plain": work.plain / card.plain}


def seconds(work, card):
    return max(bounds(work, card).values())


def by(of, work, card):
    """Sums of seconds over calls by `of(call, the ceiling that binds it)`, the largest first."""
    sums = {}
    for call in work:
        limits = bounds(call, card)
        ceiling = max(limits, key=limits.get)
        key = of(call, ceiling)
        sums[key] = sums.get(key, 0) + limits[ceiling]
    return dict(sorted(sums.items(), key=lambda item: -item[1]))
