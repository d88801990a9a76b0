"""Each operation as candle operations make it, as calls upon a Counter: src/model/ops, the `device` modules. Who changes an
operation there changes it here; `--check` says where they part.
"""
from collections import namedtuple

from counter import cat

Heads = namedtuple("Heads", "query key_value width")
PADDED_TO, QUERIES = 8, 512  # attention/device.rs


class Candle:
    """What plain candle operations ask for; dropout has a kernel of its own since the first."""
    name = "candle"
    saves_rows = False

    def rms_norm(self, x, w):
        wide = x.to("f32")
        normed = wide.with_(self._inverse_rms(wide))
        return normed.with_(w.to("f32")).to(x.dtype)

    def _inverse_rms(self, wide):
        return wide.unary().mean().affine().unary().unary()

    def rms_norm_backward(self, grad_x, x, w, grad_y):
        wide = x.to("f32")
        scale = self._inverse_rms(wide)
        normed = wide.with_(scale)
        weighted = grad_y.to("f32").with_(w.to("f32"))
        along = weighted.with_(normed).mean()
        through = weighted.with_(normed.with_(along)).with_(scale)
        return grad_x.with_(through.to(x.dtype))

    def lookup(self, x, places):
        return x.index_select(places)

    def rope(self, x, angles, heads):
        rows, width = x.shape
        half = angles.shape[1]
        turned = heads * 2 * half
        cos, sin = angles.reshape(rows, 1, half), angles.reshape(rows, 1, half).affine()
        of_heads = x.narrow(1, turned).contiguous().reshape(rows, heads, 2 * half).to("f32")
        part = of_heads.narrow(2, half)
        new = [part.with_(cos).with_(part.with_(sin)) for _ in range(2)]
        of_heads = cat(new, 2).reshape(rows, turned).to(x.dtype)
        return of_heads if turned == width else cat([of_heads, x.narrow(1, width - turned)], 1)

    def swiglu(self, gate_up):
        gate, up = self._halves(gate_up)
        return gate.with_(self._sigmoid(gate)).with_(up).to(gate_up.dtype)

    def _halves(self, gate_up):
        return [gate_up.narrow(1, gate_up.shape[1] // 2).contiguous().to("f32") for _ in range(2)]

    def _sigmoid(self, x):
        return x.unary().unary().affine().unary()

    def swiglu_backward(self, gate_up, grad_y):
        gate, up = self._halves(gate_up)
        grad_y = grad_y.to("f32")
        sigma = self._sigmoid(gate)
        silu = gate.with_(sigma)
        slope = sigma.with_(silu.with_(sigma.affine()))
        first = grad_y.with_(up).with_(slope).to(gate_up.dtype)
        return cat([first, grad_y.with_(silu).to(gate_up.dtype)], 1)

    def _split(self, x, heads, groups, width, padding):
        rows, longest, gather, _ = padding
        columns = x.narrow(1, heads * width).contiguous().index_select(gather)
        turned = columns.reshape(rows, longest, heads, width).transpose(1, 2).contiguous()
        return turned.reshape(rows * groups, heads // groups, longest, width)

    def _join(self, x, heads, width, padding):
        rows, longest, _, scatter = padding
        columns = x.reshape(rows, heads, longest, width).transpose(1, 2).contiguous()
        return columns.reshape(rows * longest, heads * width).index_select(scatter)

    def _padding(self, x, lengths):
        longest = -(-max(lengths) // PADDED_TO) * PADDED_TO
        rows = len(lengths)
        return rows, longest, x.counter.upload((rows * longest,), "u32"), x.counter.upload((sum(lengths),), "u32")

    def _operands(self, qkv, heads, padding):
        query, key_value, width = heads
        parts = [self._split(qkv, number, key_value, width, padding) for number in (query, key_value, key_value)]
        return [parts[0], *(part.reshape(part.shape[0], *part.shape[2:]) for part in parts[1:])]

    def _block(self, q, k, v, first):
        count = min(QUERIES, q.shape[2] - first)
        flat = q.narrow(2, count).contiguous()
        groups, group, _, width = flat.shape
        keys = first + count
        q = flat.reshape(groups, group * count, width)
        return q, k.narrow(1, keys).contiguous(), v.narrow(1, keys).contiguous(), (groups, group, count, keys)

    def _probabilities(self, q, k, block):
        groups, group, count, keys = block
        mask = q.counter.upload((1, 1, count, keys), "f32")
        scores = q.matmul(k.t()).affine().reshape(groups, group, count, keys)
        masked = scores.to("f32").with_(mask)
        shifted = masked.with_(masked.reduced()).unary()
        return shifted.with_(shifted.reduced()).to(scores.dtype).reshape(groups, group * count, keys)

    def attention(self, qkv, lengths, heads):
        padding = self._padding(qkv, lengths)
        q, k, v = self._operands(qkv, heads, padding)
        outputs = []
        for first in range(0, padding[1], QUERIES):
            q_block, k_block, v_block, block = self._block(q, k, v, first)
            p = self._probabilities(q_block, k_block, block)
            outputs.append(p.matmul(v_block).reshape(*block[:3], heads.width))
        return self._join(cat(outputs, 2), heads.query, heads.width, padding)

    def attention_backward(self, qkv, grad_y, lengths, heads):
        counter, padding = qkv.counter, self._padding(qkv, lengths)
        rows, longest = padding[:2]
        q, k, v = self._operands(qkv, heads, padding)
        real = counter.upload((rows * heads.key_value, 1, longest, 1), "f32").to(grad_y.dtype)
        grad = self._split(grad_y, heads.query, heads.key_value, heads.width, padding).with_(real)
        grad_q, grad_k, grad_v = [], counter.zeros(k.shape, k.dtype), counter.zeros(v.shape, v.dtype)
        for first in range(0, longest, QUERIES):
            q_block, k_block, v_block, block = self._block(q, k, v, first)
            grad_block = grad.narrow(2, block[2]).contiguous().reshape(*q_block.shape)
            p = self._probabilities(q_block, k_block, block)
            grad_p = grad_block.matmul(v_block.t())
            along = p.with_(grad_p).reduced()
            grad_s = p.with_(grad_p.with_(along)).affine()
            grad_q.append(grad_s.matmul(k_block).reshape(*block[:3], heads.width))
            rest = longest - block[3]
            pad = lambda x: cat([x, counter.zeros((x.shape[0], rest, x.shape[2]), x.dtype)], 1) if rest else x
            grad_k = grad_k.with_(pad(grad_s.t().matmul(q_block)))
            grad_v = grad_v.with_(pad(p.t().matmul(grad_block)))
        joined = [self._join(cat(grad_q, 2), heads.query, heads.width, padding)]
        joined += [self._join(x, heads.key_value, heads.width, padding) for x in (grad_k, grad_v)]
        return cat(joined, 1)

    def add_low_rank(self, y, terms):
        pieces = [y.narrow(1, b.shape[0]).with_(hidden.matmul(b.t()).affine()) for hidden, b in terms]
        assert sum(b.shape[0] for _, b in terms) == y.shape[1]
        return cat(pieces, 1)

    def add_matmul(self, c, a, b):
        return c.with_(a.matmul(b).affine())

    def accumulate(self, gradient, a, b):
        return gradient.with_(a.matmul(b).to(gradient.dtype).affine())

    def columns(self, y, width):
        return y.narrow(1, width).contiguous()

    def add(self, x, y):
        return x.with_(y)

    def norm_of_sum(self, x, y, w):
        self.add(x, y)
        return self.rms_norm(x, w)

    def rows(self, counter, lengths):
        """Each attention pads for itself."""

    def dropout(self, x):
        result = x.counter.unwritten(x.shape, x.dtype)
        x.counter.launch(2 * x.bytes, 12 * x.count)  # the hash
        return result

    def dropout_backward(self, sum, x):
        x.counter.launch(3 * x.bytes, 14 * x.count)
        return sum

    def dropouts(self, x, times):
        return [self.dropout(x) for _ in range(times)]

    def dropouts_backward(self, sum, sent):
        for x in sent:
            self.dropout_backward(sum, x)

    def factor(self, parameter, dtype):
        """A or B as it is multiplied."""
        return parameter.to(dtype)

    def scaled(self, factor):
        return factor.affine()

    def nf4(self, counter, shape, dtype):
        count = shape[0] * shape[1]
        blocks = -(-count // 64)
        nested = -(-blocks // 256)
        look_up = lambda table, codes: table.index_select(codes.to("u32"))
        scales = look_up(counter.array((256,), "f32"), counter.array((nested * 256,), "u8"))
        scales = scales.reshape(nested, 256).with_(counter.array((nested, 1), "f32")).affine()
        pairs = look_up(counter.array((256, 2), "f32"), counter.array((blocks * 32,), "u8"))
        del scales
        values = pairs.reshape(blocks, 64).with_(counter.array((blocks, 1), "f32"))
        return values.reshape(-(-values.count // shape[1]), shape[1]).narrow(0, shape[0]).to(dtype)

    def nf4_parts(self, counter, shapes, dtype):
        return cat([self.nf4(counter, shape, dtype) for shape in shapes], 0)

    def _log_probabilities(self, logits):
        wide = logits.to("f32")
        shifted = wide.with_(wide.reduced())
        return shifted.with_(shifted.unary().reduced().unary())

    def targets(self, counter, rows):
        """What stays on the card for all chunks: nothing."""

    def nll(self, logits):
        targets = logits.counter.upload((logits.shape[0], 1), "u32")
        logits.counter.download(self._log_probabilities(logits).gather(targets).unary())

    def cross_entropy(self, logits):
        """Losses that are still on the card, and the gradient."""
        counter = logits.counter
        targets = counter.upload((logits.shape[0], 1), "u32")
        log_p = self._log_probabilities(logits)
        counter.download(log_p.gather(targets))
        ones = counter.ones(targets.shape, "f32")
        return None, log_p.unary().with_rows(targets, ones.unary()).affine().to(logits.dtype)

    def sum_of_losses(self, losses):
        """Read already, chunk by chunk."""

    def adamw(self, counter, shapes):
        """Norm and update of each; candle's zeros are a memset."""
        for parameter in (counter.array(shape, "f32") for shape in shapes):
            counter.download(parameter.unary().reduced(all_axes=True))
            for _ in range(4):  # clip; m b1; g (1 - b1); v b2
                parameter.affine()
            parameter.unary().affine()  # g^2 (1 - b2)
            for _ in range(2):
                parameter.with_(parameter)  # m, v
            parameter.unary().affine().affine()
            parameter.with_(parameter).affine()
            parameter.affine().with_(parameter)
            counter.zeros(parameter.shape, "f32")
