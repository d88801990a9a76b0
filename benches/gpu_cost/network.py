"""A micro-batch, an update and an evaluation put together from operations, in the order of src/model/network and src/train."""
from dataclasses import dataclass

from counter import Counter, cat
from operations import Heads

LOGITS_ROWS = 256  # llama.rs


@dataclass(frozen=True)
class Model:
    """A Llama's shape, with tied embeddings."""
    name: str
    hidden: int
    mlp: int
    layers: int
    heads: Heads
    vocabulary: int

    def groups(self):
        """Projections that share an input: its width, and that of each output."""
        query, key_value, width = self.heads
        return {"qkv": (self.hidden, (query * width, key_value * width, key_value * width)),
                "output": (query * width, (self.hidden,)),
                "gate_up": (self.hidden, (self.mlp, self.mlp)),
                "down": (self.mlp, (self.hidden,))}

    def projections(self):
        """Parameters of all layers' projections."""
        return self.layers * sum(into * sum(outputs) for into, outputs in self.groups().values())

    def others(self):
        return self.vocabulary * self.hidden + (2 * self.layers + 1) * self.hidden

    def lora_shapes(self, rank):
        return self.layers * [shape for into, outputs in self.groups().values() for out in outputs
                              for shape in ((rank, into), (out, rank))]


@dataclass(frozen=True)
class Recipe:
    """Rows by their lengths, and how many of a micro-batch's tokens are targets."""
    rank: int
    lengths: tuple
    targets: int
    dtype: str = "bf16"

    @property
    def tokens(self):
        return sum(self.lengths)


class Pass:
    """Counts what `form` asks of a card."""

    def __init__(self, model, recipe, form):
        self.model, self.recipe, self.form, self.counter = model, recipe, form, Counter()
        self.hidden = self.counter.array((recipe.tokens, model.hidden), recipe.dtype)
        self.scale = self.counter.array((model.hidden,), recipe.dtype)

    def array(self, *shape, dtype=None):
        return self.counter.array(shape, dtype or self.recipe.dtype)

    def at(self, operation):
        self.counter.named(operation)
        return self.form

    def dense(self, group):
        into, outputs = self.model.groups()[group]
        form = self.at("NF4")
        return form.nf4_parts(self.counter, [(out, into) for out in outputs], self.recipe.dtype)

    def factors(self, out, into):
        """A and B in the model's type."""
        form, rank = self.at("LoRA"), self.recipe.rank
        return [form.factor(self.array(*shape, dtype="f32"), self.recipe.dtype) for shape in ((rank, into), (out, rank))]

    def linear(self, group, x, lora):
        dense = self.dense(group)
        self.at("products of the base")
        y, terms = x.matmul(dense.t()), []
        if not lora:
            return y
        into, outputs = self.model.groups()[group]
        is_dropped = lora == "trained"
        seen = self.at("dropout").dropouts(x, len(outputs)) if is_dropped else [x] * len(outputs)
        for out, seen in zip(outputs, seen):
            a, b = self.factors(out, into)
            terms.append((seen.matmul(a.t()), b))
        return self.at("LoRA").add_low_rank(y, terms)

    def linear_backward(self, group, x, grad_y, sends=True):
        into, outputs = self.model.groups()[group]
        if sends:
            dense = self.dense(group)
            self.at("products of the base")
            grad_x = grad_y.matmul(dense)
        sent = []
        seen = self.at("dropout").dropouts(x, len(outputs))
        for out, seen in zip(outputs, seen):
            a, b = self.factors(out, into)
            form = self.at("LoRA")
            hidden = seen.matmul(a.t())
            grad_out = form.columns(grad_y, out)
            form.accumulate(self.array(out, self.recipe.rank, dtype="f32"), grad_out.t(), hidden)
            grad_hidden = grad_out.matmul(form.scaled(b))
            form.accumulate(self.array(self.recipe.rank, into, dtype="f32"), grad_hidden.t(), seen)
            if sends:
                sent.append(grad_hidden.matmul(a))
        if not sends:
            return None
        self.at("dropout").dropouts_backward(grad_x, sent)
        return grad_x

    def rope(self, qkv):
        query, key_value, width = self.model.heads
        angles = self.array(self.recipe.tokens, width // 2, dtype="f32")
        return self.at("rope").rope(qkv, angles, query + key_value)

    def stream(self, rows):
        """The residual stream, or those of its rows that are needed."""
        return self.array(rows, self.model.hidden)

    def rows_of(self, layer):
        """Tokens for which a layer's output is computed."""
        is_last = layer == self.model.layers - 1
        return self.recipe.targets if is_last and self.form.saves_rows else self.recipe.tokens

    def gathered(self, x, layer):
        """Of x, the rows for which a layer's output is computed."""
        if self.rows_of(layer) == self.recipe.tokens:
            return x
        self.at("embedding, head")
        return self.form.lookup(x, self.sources)

    def spread(self, x, layer):
        """The inverse: a gradient of all rows."""
        if self.rows_of(layer) == self.recipe.tokens:
            return x
        self.at("embedding, head")
        return self.counter.zeros((self.recipe.tokens, x.shape[1]), x.dtype).with_rows(self.sources, x)

    def layer(self, layer, lora, to_end=True):
        normed = self.at("RMSNorm").rms_norm(self.hidden, self.scale)
        qkv = self.rope(self.linear("qkv", normed, lora))
        attended = self.at("attention").attention(qkv, self.recipe.lengths, self.model.heads)
        output = self.linear("output", self.gathered(attended, layer), lora)
        x = self.gathered(self.hidden, layer)
        gate_up = self.linear("gate_up", self.at("RMSNorm").norm_of_sum(output, x, self.scale), lora)
        if to_end:
            down = self.linear("down", self.at("SwiGLU").swiglu(gate_up), lora)
            self.at("sums").add(down, x)

    def layer_backward(self, layer):
        tokens, mlp, heads = self.recipe.tokens, self.model.mlp, self.model.heads
        x = self.stream(self.rows_of(layer))
        gate_up = self.array(x.shape[0], 2 * mlp)
        qkv = self.array(tokens, (heads.query + 2 * heads.key_value) * heads.width)
        attended = self.array(x.shape[0], heads.query * heads.width)
        hidden = self.at("SwiGLU").swiglu(gate_up)
        grad_hidden = self.linear_backward("down", hidden, x)
        grad = self.at("SwiGLU").swiglu_backward(gate_up, grad_hidden)
        self._through_norm("gate_up", x, grad)
        grad = self.spread(self.linear_backward("output", attended, x), layer)
        self.spread(x, layer)
        grad = self.at("attention").attention_backward(qkv, grad, self.recipe.lengths, heads)
        sends = layer > 0 or not self.form.saves_rows
        self._through_norm("qkv", self.hidden, self.rope(grad), sends)

    def _through_norm(self, group, x, grad, sends=True):
        normed = self.at("RMSNorm").rms_norm(x, self.scale)
        grad = self.linear_backward(group, normed, grad, sends)
        if sends:
            self.at("RMSNorm").rms_norm_backward(x, x, self.scale, grad)

    def begin(self):
        """Positions, ids, the embedding's rows, which rows there are and which have targets."""
        self.at("attention").rows(self.counter, self.recipe.lengths)
        self.at("embedding, head")
        self.sources = self.counter.upload((self.recipe.targets,), "u32")
        self.counter.upload((self.recipe.tokens,), "u32")
        ids = self.counter.upload((self.recipe.tokens,), "u32")
        self.form.lookup(self.array(self.model.vocabulary, self.model.hidden), ids)

    def rows_with_targets(self):
        """Rows of the last norm that have a target, by chunks."""
        self.at("embedding, head")
        x = self.stream(self.recipe.targets) if self.form.saves_rows else self.hidden.index_select(self.sources)
        normed = self.at("RMSNorm").rms_norm(x, self.scale)
        left = [min(LOGITS_ROWS, self.recipe.targets - first) for first in range(0, self.recipe.targets, LOGITS_ROWS)]
        return x, [normed.narrow(0, rows) for rows in left]

    def micro_batch(self, kept=True):
        self.begin()
        for layer in range(self.model.layers):
            self.layer(layer, "trained")
        x, chunks = self.rows_with_targets()
        head, losses, grads = self.array(self.model.vocabulary, self.model.hidden), [], []
        self.at("cross-entropy").targets(self.counter, self.recipe.targets)
        for normed in chunks:
            self.at("embedding, head")
            logits = normed.matmul(head.t())
            of_chunk, grad = self.at("cross-entropy").cross_entropy(logits)
            losses.append(of_chunk)
            self.at("embedding, head")
            grads.append(grad.matmul(head))
        self.at("cross-entropy").sum_of_losses(losses)
        self.at("embedding, head")
        grad = cat(grads, 0)
        zeros = self.counter.zeros(x.shape, x.dtype)
        self.at("RMSNorm").rms_norm_backward(zeros, x, self.scale, grad)
        if not self.form.saves_rows:
            self.at("embedding, head")
            self.counter.zeros(self.hidden.shape, self.recipe.dtype).with_rows(self.sources, x)
        for layer in reversed(range(self.model.layers)):
            if not kept:
                self.layer(layer, "trained", to_end=False)
            self.layer_backward(layer)
        return self.counter

    def update(self):
        self.at("AdamW").adamw(self.counter, self.model.lora_shapes(self.recipe.rank))
        return self.counter

    def evaluation(self, lora):
        self.begin()
        for layer in range(self.model.layers):
            self.layer(layer, lora)
        head = self.array(self.model.vocabulary, self.model.hidden)
        for normed in self.rows_with_targets()[1]:
            self.at("embedding, head")
            logits = normed.matmul(head.t())
            self.at("cross-entropy").nll(logits)
        return self.counter
