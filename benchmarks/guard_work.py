"""What `guard.py` counts: one kernel, once, on one thread:  python guard_work.py "gemm 192"

The kernels are small enough for an emulated processor and large enough that their inner loops are
nearly all of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import _core


def tensors(*shapes: tuple[int, ...]) -> list[Any]:
    rng = np.random.default_rng(0)
    return [_core.tensor(rng.standard_normal(shape, dtype="float32")) for shape in shapes]


def op(name: str, *shapes: tuple[int, ...], **attrs: Any) -> Callable[[], Any]:
    inputs = tensors(*shapes)
    return lambda: _core.apply(name, inputs, **attrs)


CONV = {"strides": [1, 1], "dilation": [1, 1], "groups": 1, "pad_low": [1, 1], "pad_high": [1, 1]}
DEPTHWISE = {**CONV, "groups": 64}
KERNELS: dict[str, Callable[[], Callable[[], Any]]] = {
    "gemm 192": lambda: op("matmul", (192, 192), (192, 192), transpose_a=False, transpose_b=False),
    "gemv 512": lambda: op("matmul", (1, 512), (512, 512), transpose_a=False, transpose_b=False),
    "conv 14x14 64-64": lambda: op("conv", (1, 14, 14, 64), (3, 3, 64, 64), **CONV),
    "conv dx 14x14 64-64": lambda: op(
        "conv_backward_data", (1, 14, 14, 64), (3, 3, 64, 64), **CONV, input_shape=[14, 14]
    ),
    "conv dw 14x14 64-64": lambda: op(
        "conv_backward_weights", (1, 14, 14, 64), (1, 14, 14, 64), **CONV, kernel_shape=[3, 3]
    ),
    "conv first 28x28 1-32": lambda: op("conv", (2, 28, 28, 1), (3, 3, 1, 32), **CONV),
    "depthwise 14x14 64": lambda: op("conv", (1, 14, 14, 64), (3, 3, 1, 64), **DEPTHWISE),
    "softmax 128x256": lambda: op("softmax", (128, 256), axis=-1),
    "layer norm 128x256": lambda: op("layer_norm", (128, 256), (256,), (256,), epsilon=1e-5),
    "tanh 64k": lambda: op("tanh", (65536,)),
    "sum 64k": lambda: op("sum", (65536,), axes=[0], keepdims=False),
}


def main() -> None:
    _core.set_num_threads(1)
    KERNELS[sys.argv[1]]()()


if __name__ == "__main__":
    main()
