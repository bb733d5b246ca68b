"""Shapes that kernels are measured on: those of real networks, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gemm:
    """(m, k) times (k, n); `of` tells which network multiplies so."""

    m: int
    k: int
    n: int
    of: str = ""

    @property
    def name(self) -> str:
        return f"{self.of} {self.m}x{self.k}x{self.n}".strip()

    @property
    def flops(self) -> int:
        return 2 * self.m * self.k * self.n


@dataclass(frozen=True)
class Conv:
    """x (batch, size..., channels), w (kernel..., channels / groups, filters), padding as "same".

    `rank` spatial axes, alike; a causal one has all its padding before. A transposed layer is the
    gradient of this convolution: it goes from (out..., filters) to (size..., channels).
    """

    size: int
    channels: int
    filters: int
    kernel: int
    strides: int = 1
    batch: int = 8
    rank: int = 2
    dilation: int = 1
    groups: int = 1
    causal: bool = False
    transposed: bool = False
    of: str = ""
    count: int = 1  # how often the network has it

    @property
    def name(self) -> str:
        stride = f" s{self.strides}" if self.strides > 1 else ""
        stride += f" d{self.dilation}" if self.dilation > 1 else ""
        kernel = "×".join([str(self.kernel)] * self.rank) + stride
        size = f"{self.size}{'²' if self.rank == 2 else ''}"
        ends = (self.filters, self.channels) if self.transposed else (self.channels, self.filters)
        kind = "depthwise " if self.groups > 1 else "transposed " if self.transposed else ""
        text = f"{self.of} {kind}{size} {ends[0]}→{ends[1]} {kernel} N{self.batch}"
        return text.strip()

    @property
    def out(self) -> int:
        return -(-self.size // self.strides)

    @property
    def padding(self) -> tuple[int, int]:
        reach = (self.kernel - 1) * self.dilation + 1
        total = max((self.out - 1) * self.strides + reach - self.size, 0)
        return (total, 0) if self.causal else (total // 2, total - total // 2)

    @property
    def flops(self) -> int:
        taps = self.kernel**self.rank * self.channels // self.groups
        return 2 * self.batch * self.out**self.rank * self.filters * taps


@dataclass(frozen=True)
class Rows:
    """(rows, features) that are normalised, or whose softmax is taken."""

    rows: int
    features: int
    of: str = ""

    @property
    def name(self) -> str:
        return f"{self.of} {self.rows}x{self.features}".strip()


@dataclass(frozen=True)
class Attention:
    """q, k and v of (batch, length, heads, size)."""

    batch: int
    length: int
    heads: int
    size: int
    causal: bool = False
    of: str = ""

    @property
    def name(self) -> str:
        kind = " causal" if self.causal else ""
        return f"{self.of} {self.length}x{self.heads}x{self.size}{kind} N{self.batch}".strip()

    @property
    def flops(self) -> int:
        """Two products of (length, length, size) a head; half of it is enough where causal."""
        whole = 4 * self.batch * self.heads * self.length**2 * self.size
        return whole // 2 if self.causal else whole


@dataclass(frozen=True)
class Recurrent:
    """A layer whose inputs have as many features as it has units; all its outputs are used."""

    kind: str  # lstm, gru or simplernn
    steps: int
    batch: int
    units: int

    @property
    def gates(self) -> int:
        return {"lstm": 4, "gru": 3, "simplernn": 1}[self.kind]

    @property
    def name(self) -> str:
        return f"T{self.steps} N{self.batch} U{self.units}"

    @property
    def flops(self) -> int:
        """Of the forward pass: a product of the inputs, and one of the states."""
        return 2 * 2 * self.steps * self.batch * self.gates * self.units**2


def resnet50(batch: int) -> list[Conv]:
    """The distinct layers, and how often each occurs (arXiv:1512.03385; stride in the 3×3)."""
    of = "resnet50"
    layers = [Conv(224, 3, 64, 7, strides=2, batch=batch, of=of)]
    # size of the stage, channels before it, width, blocks
    for size, before, width, blocks in (
        (56, 64, 64, 3),
        (28, 256, 128, 4),
        (14, 512, 256, 6),
        (7, 1024, 512, 3),
    ):
        first, step = (size, 1) if before == 64 else (2 * size, 2)
        wide = 4 * width
        layers += [
            Conv(first, before, width, 1, batch=batch, of=of),
            Conv(first, width, width, 3, strides=step, batch=batch, of=of),
            Conv(first, before, wide, 1, strides=step, batch=batch, of=of),
            Conv(size, wide, width, 1, batch=batch, of=of, count=blocks - 1),
            Conv(size, width, width, 3, batch=batch, of=of, count=blocks - 1),
            Conv(size, width, wide, 1, batch=batch, of=of, count=blocks),
        ]
    return layers


def vgg16(batch: int) -> list[Conv]:
    """arXiv:1409.1556, table 1, D."""
    shapes = [
        (224, 3, 64, 1), (224, 64, 64, 1), (112, 64, 128, 1), (112, 128, 128, 1),
        (56, 128, 256, 1), (56, 256, 256, 2), (28, 256, 512, 1), (28, 512, 512, 2),
        (14, 512, 512, 3),
    ]  # fmt: skip
    return [Conv(s, c, f, 3, batch=batch, of="vgg16", count=n) for s, c, f, n in shapes]


def mobilenet_depthwise(batch: int) -> list[Conv]:
    """The 3×3 depthwise layers of arXiv:1704.04861, table 1."""
    shapes = [
        (112, 32, 1, 1), (112, 64, 2, 1), (56, 128, 1, 1), (56, 128, 2, 1), (28, 256, 1, 1),
        (28, 256, 2, 1), (14, 512, 1, 5), (14, 512, 2, 1), (7, 1024, 1, 1),
    ]  # fmt: skip
    return [
        Conv(s, c, c, 3, strides=step, batch=batch, groups=c, of="mobilenet", count=n)
        for s, c, step, n in shapes
    ]


def wavenet(batch: int) -> list[Conv]:
    """Dilated causal layers of width 2 (arXiv:1609.03499), and the 1×1 between them."""
    common = {"batch": batch, "rank": 1, "causal": True, "of": "wavenet"}
    dilated = [Conv(2048, 64, 128, 2, dilation=d, **common) for d in (1, 16, 128)]
    return [*dilated, Conv(2048, 64, 64, 1, **common)]


def dcgan(batch: int) -> list[Conv]:
    """The generator's layers (arXiv:1511.06434), at 64×64: each doubles the size."""
    shapes = [(8, 512, 1024), (16, 256, 512), (32, 128, 256), (64, 3, 128)]
    return [
        Conv(s, c, f, 5, strides=2, batch=batch, transposed=True, of="dcgan") for s, c, f in shapes
    ]


SQUARE = [Gemm(n, n, n) for n in (128, 256, 512, 1024, 2048)]
SKINNY = [Gemm(m, k, n, of="skinny") for m in (1, 4, 8, 16) for k, n in ((256, 256), (1024, 1024))]
DENSE = [Gemm(32, 784, 512, of="dense"), Gemm(128, 512, 512, of="dense")]
# sequences of 128: projection, feed-forward in and out
BERT = [
    Gemm(1024, 768, 768, of="bert-base"),
    Gemm(1024, 768, 3072, of="bert-base"),
    Gemm(1024, 3072, 768, of="bert-base"),
]
GPT2 = [
    Gemm(1024, 768, 2304, of="gpt2-small"),
    Gemm(1024, 768, 50257, of="gpt2-small"),
    Gemm(1, 768, 3072, of="gpt2-small"),
]
GEMMS = [*SQUARE, *SKINNY, *DENSE, *BERT, *GPT2]

MNIST = [
    Conv(28, 1, 32, 3, batch=64, of="mnist"),
    Conv(28, 32, 64, 3, batch=64, of="mnist"),
    Conv(28, 1, 6, 5, batch=128, of="lenet"),
    Conv(14, 6, 16, 5, batch=128, of="lenet"),
]
SMALL_IMAGES = [Conv(32, 3, 32, 3, batch=64), Conv(32, 16, 16, 3, batch=32, of="resnet20")]
CONVS = [
    *resnet50(8),
    *vgg16(2),
    *mobilenet_depthwise(8),
    *wavenet(4),
    *dcgan(16),
    *MNIST,
    *SMALL_IMAGES,
]

ROWS = [Rows(1024, 768, of="bert-base"), Rows(32768, 768), Rows(1024, 50257, of="gpt2-small")]
# (rows, channels): images of a batch, all pixels
BATCH_NORMS = [
    Rows(8 * 56 * 56, 64, of="resnet50"),
    Rows(8 * 56 * 56, 256, of="resnet50"),
    Rows(8 * 14 * 14, 1024, of="resnet50"),
]
ATTENTIONS = [
    Attention(8, 128, 12, 64, of="bert-base"),
    Attention(2, 512, 12, 64, of="bert-base"),
    Attention(1, 1024, 12, 64, causal=True, of="gpt2-small"),
]
RECURRENTS = [
    Recurrent(kind, *shape)
    for kind in ("lstm", "gru", "simplernn")
    for shape in (
        (32, 1, 64), (64, 32, 64), (64, 32, 128), (128, 32, 256), (32, 128, 256),
        (32, 64, 512), (32, 32, 1024), (64, 1, 256),
    )
]  # fmt: skip
ADAMS = [(1, 10_000_000), (1000, 1000)]  # tensors, elements of each

# Elements of memory-bound work: in the second-level cache, and in memory.
STREAMS = [64 * 1024, 8 * 1024 * 1024]
