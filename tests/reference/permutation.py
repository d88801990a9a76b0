"""The split's permutation in plain Python, written from ChaCha's definition: the golden numbers of
tests/engine/data/split.rs.

    python permutation.py
"""

import hashlib
import struct


def block(key, counter, rounds):
    state = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *struct.unpack("<8I", key),
             counter & 0xFFFFFFFF, counter >> 32, 0, 0]
    x = state[:]

    def quarter(a, b, c, d):
        for to, by, turned, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[to] = (x[to] + x[by]) & 0xFFFFFFFF
            y = x[turned] ^ x[to]
            x[turned] = (y << turn | y >> 32 - turn) & 0xFFFFFFFF

    for _ in range(rounds // 2):
        for q in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                  (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(*q)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(x, state)))


def stream(seed, name):
    key, counter = hashlib.sha256(b"tezgah" + name.encode() + struct.pack("<Q", seed)).digest(), 0
    while True:
        yield from struct.unpack("<8Q", block(key, counter, 8))
        counter += 1


def permutation(rows, seed):
    draws, order = stream(seed, "split"), list(range(rows))
    for last in range(rows - 1, 0, -1):
        limit = 2**64 - 1 - (2**64 - 1) % (last + 1)
        chosen = next(draw for draw in draws if draw < limit) % (last + 1)
        order[last], order[chosen] = order[chosen], order[last]
    return order


# The block function at 20 rounds gives the known key stream of ChaCha20 under a zero key.
assert block(bytes(32), 0, 20).hex().startswith("76b8e0ada0f13d90405d6ae55386bd28")
draws = stream(3407, "dropout")
print("stream(3407, dropout)", [next(draws) for _ in range(3)])
print("20 rows, seed 42", permutation(20, 42))
print("20 rows, seed 0", permutation(20, 0))
order = permutation(2000, 42)
print("2000 rows, seed 42", order[:8], hashlib.sha256(",".join(map(str, order)).encode()).hexdigest())
