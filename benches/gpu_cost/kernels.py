"""Each operation with a kernel of this project, as src/model/ops/cuda launches it; and what else could be done."""
from counter import cat
from operations import PADDED_TO, QUERIES, Candle

SHARE = 64 * 256  # adamw.cu
NF4_DOUBLE = 4.127 / 8  # bytes a weight


class Own(Candle):
    """With a kernel of this project an operation: each operand is read once, each result written once. The last layer's output
    and MLP are computed at rows that have a target alone, and nothing is sent below the first."""
    name = "own"
    saves_rows = True

    def _new(self, like, shape, bytes, flop):
        result = like.counter.unwritten(shape, like.dtype)
        like.counter.launch(bytes + result.bytes, flop * result.count)
        return result

    def rms_norm(self, x, w):
        return self._new(x, x.shape, x.bytes + w.bytes, 5)

    def norm_of_sum(self, x, y, w):
        """The sum takes the place of x."""
        return self._new(x, x.shape, 2 * x.bytes + y.bytes + w.bytes, 6)

    def rms_norm_backward(self, grad_x, x, w, grad_y):
        x.counter.launch(4 * x.bytes + w.bytes, 10 * x.count)
        return grad_x

    def lookup(self, x, places):
        result = x.counter.unwritten((places.count, x.shape[1]), x.dtype)
        x.counter.launch(2 * result.bytes + places.bytes)
        return result

    def rope(self, x, angles, heads):
        turned = x.bytes * heads * 2 * angles.shape[1] // x.shape[1]
        x.counter.launch(2 * turned + 2 * angles.bytes, 3 * x.count)
        return x

    def swiglu(self, gate_up):
        return self._new(gate_up, (gate_up.shape[0], gate_up.shape[1] // 2), gate_up.bytes, 8)

    def swiglu_backward(self, gate_up, grad_y):
        gate_up.counter.launch(2 * gate_up.bytes + grad_y.bytes, 8 * gate_up.count)
        return gate_up

    def _block(self, q, k, v, first):
        """As before, but products take keys and values as views."""
        count = min(QUERIES, q.shape[2] - first)
        flat = q.narrow(2, count).contiguous()
        groups, group, _, width = flat.shape
        keys = first + count
        return flat.reshape(groups, group * count, width), k.narrow(1, keys), v.narrow(1, keys), (groups, group, count, keys)

    def _probabilities(self, q, k, block):
        """The softmax masks and scales scores in f32; in f32 it writes in their place."""
        scores = q.counter.unwritten((*q.shape[:-1], k.shape[-2]), "f32")
        q.product_into(k.t(), scores, scores.bytes)
        p = scores if q.dtype == "f32" else q.counter.unwritten(scores.shape, q.dtype)
        q.counter.launch(scores.bytes + p.bytes, 6 * scores.count)
        return p

    def _grad_scores(self, p, grad_p):
        p.counter.launch(3 * p.bytes, 5 * p.count)
        return grad_p

    def _split(self, packed, parts, grid, width):
        """padding.cu: packed tokens to (rows, heads, longest, D) a part, in one launch for all parts."""
        rows, longest = grid
        results = [packed.counter.unwritten((rows, heads, longest, width), packed.dtype) for heads in parts]
        packed.counter.launch(packed.bytes + sum(part.bytes for part in results))
        return results

    def _join(self, parts, tokens, columns):
        packed = parts[0].counter.unwritten((tokens, columns), parts[0].dtype)
        packed.counter.launch(2 * packed.bytes)  # the padding is not read
        return packed

    def rows(self, counter, lengths):
        """Where rows begin, told once a pass."""
        counter.upload((len(lengths) + 1,), "u32")

    def _grid(self, lengths):
        return len(lengths), -(-max(lengths) // PADDED_TO) * PADDED_TO

    def _operands(self, qkv, heads, grid):
        query, key_value, width = heads
        q, k, v = self._split(qkv, (query, key_value, key_value), grid, width)
        rows, longest = grid
        groups = rows * key_value
        return q.reshape(groups, query // key_value, longest, width), *(x.reshape(groups, longest, width) for x in (k, v))

    def attention(self, qkv, lengths, heads):
        grid = self._grid(lengths)
        operands, outputs = self._operands(qkv, heads, grid), []
        for first in range(0, grid[1], QUERIES):
            q, k, v, block = self._block(*operands, first)
            outputs.append(self._probabilities(q, k, block).matmul(v).reshape(*block[:3], heads.width))
        return self._join([cat(outputs, 2)], qkv.shape[0], heads.query * heads.width)

    def attention_backward(self, qkv, grad_y, lengths, heads):
        grid = self._grid(lengths)
        operands = self._operands(qkv, heads, grid)
        grad = self._split(grad_y, (heads.query,), grid, heads.width)[0].reshape(*operands[0].shape)
        grad_q, sums = [], []
        for first in reversed(range(0, grid[1], QUERIES)):
            q, k, v, block = self._block(*operands, first)
            of_block = grad.narrow(2, block[2]).contiguous().reshape(*q.shape)
            p = self._probabilities(q, k, block)
            grad_s = self._grad_scores(p, of_block.matmul(v.t()))
            grad_q.append(grad_s.matmul(k).reshape(*block[:3], heads.width))
            pairs = ((grad_s.t(), q), (p.t(), of_block))
            if sums:
                for sum, pair in zip(sums, pairs):
                    self.add_matmul(sum.narrow(1, block[3]), *pair)
            else:
                sums = [one.matmul(other) for one, other in pairs]
        return self._join([cat(grad_q, 2), *sums], *qkv.shape)

    def add_low_rank(self, y, terms):
        for hidden, b in terms:
            into = y.narrow(1, b.shape[0])
            hidden.product_into(b.t(), into, 2 * into.bytes)
        return y

    def add_matmul(self, c, a, b):
        return a.product_into(b, c, 2 * c.bytes)

    def accumulate(self, gradient, a, b):
        return a.product_into(b, gradient, 2 * gradient.bytes)

    def columns(self, y, width):
        return y.narrow(1, width)

    def add(self, x, y):
        return x.with_(y)

    def nf4(self, counter, shape, dtype):
        return self.nf4_parts(counter, [shape], dtype)

    def nf4_parts(self, counter, shapes, dtype):
        """A launch a part, each into its place."""
        whole = counter.unwritten((sum(rows for rows, _ in shapes), shapes[0][1]), dtype)
        for rows, width in shapes:
            part = counter.array((rows, width), dtype)
            counter.launch(part.count * NF4_DOUBLE + part.bytes, 3 * part.count)
        return whole

    def nll(self, logits):
        counter = logits.counter
        counter.upload((logits.shape[0], 1), "u32")
        nll = counter.unwritten((logits.shape[0],), "f32")
        counter.launch(2 * logits.bytes, 6 * logits.count)
        counter.download(nll)

    def targets(self, counter, rows):
        counter.upload((rows,), "u32")

    def cross_entropy(self, logits):
        losses = logits.counter.unwritten((logits.shape[0],), "f32")
        logits.counter.launch(3 * logits.bytes, 8 * logits.count)
        return losses, logits

    def sum_of_losses(self, losses):
        losses[0].counter.download(cat(losses, 0))

    def factor(self, parameter, dtype):
        """Narrowed once a step, see `adamw`."""
        return parameter.counter.array(parameter.shape, dtype)

    def scaled(self, factor):
        """The product takes the factor."""
        return factor

    def dropouts(self, x, times):
        """One launch that reads x once."""
        results = [x.counter.unwritten(x.shape, x.dtype) for _ in range(times)]
        x.counter.launch((1 + times) * x.bytes, 12 * times * x.count)
        return results

    def dropouts_backward(self, sum, sent):
        """The same: the sum is read and written once."""
        sum.counter.launch((2 + len(sent)) * sum.bytes, 14 * len(sent) * sum.count)

    def adamw(self, counter, shapes):
        """Two launches a parameter; the sums of all are read at once. Then each is narrowed when it is multiplied with."""
        parameters = [counter.array(shape, "f32") for shape in shapes]
        sums = counter.unwritten((sum(-(-parameter.count // SHARE) for parameter in parameters),), "f32")
        for parameter in parameters:
            counter.launch(parameter.bytes, 2 * parameter.count)
        counter.download(sums)
        for parameter in parameters:
            counter.launch(8 * parameter.bytes, 12 * parameter.count)  # p, m, v: read, written; g: read, zeroed
            parameter.to("bf16")


class Held(Own):
    """The same, with the weights kept as they are multiplied: NF4's values in bf16, in memory."""
    name = "held"

    def nf4_parts(self, counter, shapes, dtype):
        return counter.array((sum(rows for rows, _ in shapes), shapes[0][1]), dtype)


FORMS = {form.name: form() for form in (Candle, Own, Held)}
