"""The seed's run, and what of it takes how long: a prediction from ceilings, not a measurement."""
from dataclasses import dataclass
from functools import cache

from cards import by, seconds
from kernels import Held, Own
from network import Model, Pass, Recipe
from operations import Candle, Heads

LLAMA = Model("Llama-3.2-1B", 2048, 8192, 16, Heads(32, 8, 64), 128256)
SMOLLM2 = Model("SmolLM2-135M", 576, 1536, 30, Heads(9, 3, 64), 49152)
STATES = {"candle operations": Candle(), "own kernels": Own(), "weights kept in bf16": Held()}

# 16 rows of 200 tokens on average; all are padded to the longest in attention. 56 % of the tokens are an answer's.
LENGTHS = tuple(140 + 8 * row for row in range(16))
TRAINING = Recipe(128, LENGTHS, 7 * 256)
# 1800 rows, 113 micro-batches an epoch of which the last has 8 rows; 3 epochs; 4 micro-batches a step.
FULL, SHORT, STEPS = 3 * 112, 3, 87
# 200 rows: the base and the result over all tokens, both masks from the same logits; twice on the way over answers alone.
EVALUATION = 200 / 16


@dataclass(frozen=True)
class Part:
    name: str
    times: float
    work: tuple


@cache
def parts(model, state):
    form = STATES[state]
    tokens = TRAINING.tokens
    short = Recipe(128, LENGTHS[::2], TRAINING.targets // 2)
    whole = Recipe(128, LENGTHS, tokens - len(LENGTHS))
    work = lambda counter: tuple(counter.work)
    return (Part("micro-batches of 16 rows", FULL, work(micro_batch(model, state))),
            Part("micro-batches of 8 rows", SHORT, work(Pass(model, short, form).micro_batch())),
            Part("updates", STEPS, work(Pass(model, TRAINING, form).update())),
            Part("evaluation of the base", EVALUATION, work(Pass(model, whole, form).evaluation(None))),
            Part("evaluation of the result", EVALUATION, work(Pass(model, whole, form).evaluation("applied"))),
            Part("evaluations on the way", 2 * EVALUATION, work(Pass(model, TRAINING, form).evaluation("applied"))))


@cache
def micro_batch(model, state):
    return Pass(model, TRAINING, STATES[state]).micro_batch()


def whole_run(model, state, card):
    """Seconds of each part."""
    return {part.name: part.times * sum(seconds(work, card) for work in part.work) for part in parts(model, state)}


def of_run(model, state, card, of):
    """Seconds of the whole run by `of(call, ceiling)`, the largest first."""
    sums = {}
    for part in parts(model, state):
        for key, value in by(of, part.work, card).items():
            sums[key] = sums.get(key, 0) + part.times * value
    return dict(sorted(sums.items(), key=lambda item: -item[1]))
