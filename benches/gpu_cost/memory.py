"""The peak of a training pass in bytes, part by part: the sums of src/train/memory for candle operations, and for kernels that
write in place. Activations are kept."""
from kernels import NF4_DOUBLE
from network import LOGITS_ROWS
from operations import PADDED_TO

LIBRARIES = 32 << 20
WIDE, NARROW = 4, 2


def estimate(model, recipe, form):
    trained = 4 * sum(rows * width for rows, width in model.lora_shapes(recipe.rank))
    held = model.projections() * NARROW if form.name == "held" else 0
    kept, working, logits = activations(model, recipe, form)
    return {"weights": model.projections() * NF4_DOUBLE + model.others() * NARROW + held, "adapter": 2 * trained + (0 if form.name == "candle" else trained // 2),
            "moments": 2 * trained, "activations": kept + working, "logits": max(logits - working, 0), "program": LIBRARIES}


def activations(model, recipe, form):
    hidden, mlp, tokens, (query, key_value, width) = model.hidden, model.mlp, recipe.tokens, model.heads
    packed, attended = (query + 2 * key_value) * width, query * width
    kept = tokens * model.layers * (hidden + packed + attended + hidden + 2 * mlp) * NARROW
    longest = -(-max(recipe.lengths) // PADDED_TO) * PADDED_TO
    padded = len(recipe.lengths) * longest
    a_token = padded * (2 * packed + attended) * NARROW - tokens * 2 * mlp * NARROW
    chunk = LOGITS_ROWS * model.vocabulary
    # A score, a number of gate or up, a weight of gate and up, a logit.
    if form.name == "candle":
        score, swiglu, dense, logit = 4 * WIDE + 2 * NARROW, 7 * WIDE + NARROW, NARROW + 2 * WIDE, 4 * WIDE + NARROW
    else:
        score, swiglu, dense, logit = 2 * NARROW, 2 * NARROW, 0 if form.name == "held" else 2 * NARROW, 2 * NARROW
    working = max(tokens * (mlp * swiglu + hidden * NARROW), tokens * 2 * (hidden + mlp) * NARROW + hidden * mlp * dense,
                  query * padded * longest * score + a_token)
    return kept, working, chunk * logit
