"""Shapes that kernels are measured on: those of real networks, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gemm:
    m: int
    k: int
    n: int

    @property
    def name(self) -> str:
        return f"{self.m}x{self.k}x{self.n}"

    @property
    def flops(self) -> int:
        return 2 * self.m * self.k * self.n


@dataclass(frozen=True)
class Conv:
    """x (batch, size, size, channels), w (kernel, kernel, channels, filters), padding as "same"."""

    size: int
    channels: int
    filters: int
    kernel: int
    strides: int = 1
    batch: int = 8

    @property
    def name(self) -> str:
        stride = f" s{self.strides}" if self.strides > 1 else ""
        kernel = f"{self.kernel}×{self.kernel}{stride}"
        return f"{self.size}² {self.channels}→{self.filters} {kernel} N{self.batch}"

    @property
    def out(self) -> int:
        return -(-self.size // self.strides)

    @property
    def padding(self) -> tuple[int, int]:
        total = max((self.out - 1) * self.strides + self.kernel - self.size, 0)
        return total // 2, total - total // 2

    @property
    def flops(self) -> int:
        return 2 * self.batch * self.out**2 * self.filters * self.kernel**2 * self.channels


GEMMS = [
    Gemm(128, 128, 128),
    Gemm(256, 256, 256),
    Gemm(512, 512, 512),
    Gemm(2048, 2048, 2048),
    Gemm(32, 784, 512),
    Gemm(128, 512, 512),
]

CONVS = [
    Conv(56, 64, 64, 3),
    Conv(28, 128, 128, 3),
    Conv(14, 256, 256, 3),
    Conv(56, 64, 256, 1),
    Conv(224, 3, 64, 7, strides=2),
    Conv(28, 1, 32, 3, batch=64),
    Conv(32, 3, 32, 3, batch=64),
]

# Elements of memory-bound work: in the second-level cache, and in memory.
STREAMS = [64 * 1024, 8 * 1024 * 1024]
