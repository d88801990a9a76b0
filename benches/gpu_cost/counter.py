"""What operations ask of a card, counted from shapes: the rules of candle 0.11.1's CUDA backend, and nothing computed.

An Array has a shape, strides and a type, as a candle tensor has; whether an operation copies, uploads strides or goes straight
through follows from them. Each kernel and product is kept with its bytes and FLOP, so that it can be timed by itself.
"""
import math
from dataclasses import dataclass, field

WIDTH = {"f32": 4, "bf16": 2, "u32": 4, "u8": 1}


@dataclass(frozen=True)
class Work:
    """One call: bytes read and written, and FLOP on tensor cores and outside of them."""
    kind: str  # kernel, product, copy, upload
    operation: str
    bytes: float = 0
    tensor: float = 0
    plain: float = 0


@dataclass
class Counter:
    """Counts as the software GPU's counters do, and the list of what was launched."""
    work: list = field(default_factory=list)
    synchronizations: int = 0
    allocations: int = 0
    bytes_to_device: int = 0
    bytes_to_host: int = 0
    bytes_on_device: int = 0
    bytes_allocated: int = 0
    operation: str = ""

    def named(self, operation):
        """What follows belongs to `operation`."""
        self.operation = operation
        return self

    @property
    def launches(self):
        return sum(work.kind == "kernel" for work in self.work)

    @property
    def products(self):
        return sum(work.kind == "product" for work in self.work)

    def array(self, shape, dtype):
        """An operand that is there already."""
        return Array(self, tuple(shape), strides_of(shape), dtype)

    def unwritten(self, shape, dtype):
        array = self.array(shape, dtype)
        self.allocations += 1
        self.bytes_allocated += array.bytes
        return array

    def launch(self, bytes, plain=0):
        self.work.append(Work("kernel", self.operation, bytes, plain=plain))

    def kernel(self, reads, shape, dtype, flop=1):
        """A kernel that goes once through `reads` and writes a new array."""
        result = self.unwritten(shape, dtype)
        self.launch(sum(array.touched for array in reads) + result.bytes, flop * result.count)
        return result

    def copied(self, bytes):
        """A copy from one place of the card to another."""
        self.work.append(Work("copy", self.operation, 2 * bytes))
        self.bytes_on_device += bytes

    def upload(self, shape, dtype):
        array = self.unwritten(shape, dtype)
        self.work.append(Work("upload", self.operation, array.bytes))
        self.bytes_to_device += array.bytes
        return array

    def dimensions(self, count):
        """Dims and strides that a kernel is given through memory: 8 bytes a number."""
        self.upload((2 * count,), "f32")

    def download(self, array):
        self.synchronizations += 1
        self.bytes_to_host += array.bytes

    def zeros(self, shape, dtype):
        array = self.unwritten(shape, dtype)
        self.work.append(Work("copy", self.operation, array.bytes))
        return array

    def ones(self, shape, dtype):
        return self.kernel([], shape, dtype, flop=0)


def strides_of(shape):
    return tuple(math.prod(shape[axis + 1:]) for axis in range(len(shape)))


@dataclass(frozen=True)
class Array:
    """A tensor or a view of one."""
    counter: Counter
    shape: tuple
    strides: tuple
    dtype: str

    @property
    def count(self):
        return math.prod(self.shape)

    @property
    def bytes(self):
        return self.count * WIDTH[self.dtype]

    @property
    def touched(self):
        """Bytes behind it: a broadcast axis is read once."""
        return math.prod(d for d, stride in zip(self.shape, self.strides) if stride) * WIDTH[self.dtype]

    @property
    def is_contiguous(self):
        return all(d == 1 or have == want for d, have, want in zip(self.shape, self.strides, strides_of(self.shape)))

    def view(self, shape, strides):
        return Array(self.counter, tuple(shape), tuple(strides), self.dtype)

    # Views.

    def narrow(self, axis, length):
        shape = list(self.shape)
        shape[axis] = length
        return self.view(shape, self.strides)

    def transpose(self, one, other):
        order = list(range(len(self.shape)))
        order[one], order[other] = order[other], order[one]
        return self.view([self.shape[axis] for axis in order], [self.strides[axis] for axis in order])

    def t(self):
        return self.transpose(-2 % len(self.shape), -1 % len(self.shape))

    def reshape(self, *shape):
        assert math.prod(shape) == self.count
        whole = self.contiguous()
        return whole.view(shape, strides_of(shape))

    def broadcast(self, shape):
        shape = tuple(shape)
        padded = (1,) * (len(shape) - len(self.shape)) + self.shape
        strides = (0,) * (len(shape) - len(self.shape)) + self.strides
        return self.view(shape, [0 if have != want else stride for have, want, stride in zip(padded, shape, strides)])

    # Kernels.

    def contiguous(self):
        return self if self.is_contiguous else self._one(self.dtype, flop=0)

    def _one(self, dtype, flop):
        if not self.is_contiguous:
            self.counter.dimensions(2 * len(self.shape))
        return self.counter.kernel([self], self.shape, dtype, flop)

    def to(self, dtype):
        return self if dtype == self.dtype else self._one(dtype, flop=0)

    def unary(self):
        return self._one(self.dtype, flop=1)

    def affine(self):
        return self._one(self.dtype, flop=2)

    def with_(self, other):
        """Element by element with another array, broadcast where it is smaller."""
        if other.shape != self.shape:
            other = other.broadcast(self.shape)
        if not (self.is_contiguous and other.is_contiguous):
            self.counter.dimensions(3 * len(self.shape))
        return self.counter.kernel([self, other], self.shape, self.dtype)

    def reduced(self, all_axes=False):
        """Over the last axis, which stays as 1; or over all of them."""
        self.counter.dimensions(2 * len(self.shape))
        shape = () if all_axes else self.shape[:-1] + (1,)
        result = self.counter.unwritten(shape, self.dtype)
        self.counter.launch(self.bytes + result.bytes, self.count)
        return result

    def mean(self):
        return self.reduced().affine()

    def index_select(self, ids):
        self.counter.dimensions(2 * len(ids.shape))
        shape = ids.shape + self.shape[1:]
        result = self.counter.unwritten(shape, self.dtype)
        self.counter.launch(min(self.bytes, result.bytes) + ids.bytes + result.bytes)
        return result

    def gather(self, ids):
        result = self.counter.unwritten(ids.shape, self.dtype)
        self.counter.launch(2 * result.bytes + ids.bytes)
        return result

    def with_rows(self, ids, rows):
        """index_add and scatter_add: a copy, and a kernel that adds to it."""
        result = self.counter.unwritten(self.shape, self.dtype)
        self.counter.copied(self.bytes)
        self.counter.launch(ids.bytes + 3 * rows.bytes, rows.count)
        return result

    def matmul(self, other):
        """cuBLAS: f32 outside of tensor cores, since TF32 is off."""
        *batch, m, k = self.shape
        n = other.shape[-1]
        assert other.shape[-2] == k, (self.shape, other.shape)
        result = self.counter.unwritten((*batch, m, n), self.dtype)
        return self.product_into(other, result, result.bytes)

    def product_into(self, other, result, moved):
        """The same into an array that is there: `moved` bytes of it are read and written."""
        flop = 2 * result.count * self.shape[-1]
        on_tensor_cores = {"tensor": flop} if self.dtype == "bf16" else {"plain": flop}
        bytes = self.bytes + other.bytes + moved
        self.counter.work.append(Work("product", self.counter.operation, bytes, **on_tensor_cores))
        return result

    def fits_copy2d(self, axis):
        """Whether candle joins it by rows: all from `axis` on lies together, and so do the axes before it."""
        inner, expected = self.shape[axis:], 1
        for length, stride in zip(reversed(inner), reversed(self.strides[axis:])):
            if stride != expected:
                return False
            expected *= length
        if axis == 0:
            return True
        outer = self.strides[axis - 1]
        for place in range(axis - 2, -1, -1):
            outer *= self.shape[place + 1]
            if self.strides[place] != outer:
                return False
        return True


def cat(arrays, axis):
    if len(arrays) == 1:
        return arrays[0]
    assert all(array.is_contiguous or array.fits_copy2d(axis) for array in arrays)
    shape = list(arrays[0].shape)
    shape[axis] = sum(array.shape[axis] for array in arrays)
    result = arrays[0].counter.unwritten(shape, arrays[0].dtype)
    for array in arrays:
        array.counter.launch(2 * array.bytes)
    return result
