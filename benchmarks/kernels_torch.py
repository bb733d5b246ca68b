"""PyTorch's worker for the kernels: channels_last, preallocated outputs where it has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from harness import Answer, serve
from kernels import JOBS, calibrate, measure

ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "add": torch.add,
    "relu": torch.clamp_min,
    "exp": torch.exp,
    "tanh": torch.tanh,
}


def about(threads: int) -> Answer:
    torch.set_num_threads(threads)
    return {"version": f"torch {torch.__version__} ({torch.backends.cpu.get_cpu_capability()})"}


def image(array: Any) -> torch.Tensor:
    """(N,H,W,C) in memory, which PyTorch calls channels_last."""
    return torch.from_numpy(array).permute(0, 3, 1, 2)


def kernel(array: Any) -> torch.Tensor:
    tensor = torch.from_numpy(array).permute(3, 2, 0, 1)
    return tensor.contiguous(memory_format=torch.channels_last)


def convolution(job: Any, arrays: list[Any]) -> Callable[[], Any]:
    attrs = job.attrs
    strides, low, high = attrs["strides"], attrs["pad_low"], attrs["pad_high"]
    if low != high:  # PyTorch pads alike on both sides: the nearest it has
        low = high
    if job.op == "conv":
        x, w = image(arrays[0]), kernel(arrays[1])
        return lambda: torch.conv2d(x, w, None, strides, low)
    if job.op == "conv_backward_data":
        dy, w = image(arrays[0]), kernel(arrays[1])
        shape = [dy.shape[0], w.shape[1], *attrs["input_shape"]]
        return lambda: torch.nn.grad.conv2d_input(shape, w, dy, strides, low)
    x, dy = image(arrays[0]), image(arrays[1])
    shape = [dy.shape[1], x.shape[1], *attrs["kernel_shape"]]
    return lambda: torch.nn.grad.conv2d_weight(x, shape, dy, strides, low)


def prepare(name: str) -> Answer:
    job = JOBS[name]
    arrays = job.inputs()
    if job.op.startswith("conv"):
        call = convolution(job, arrays)
    else:
        tensors = [torch.from_numpy(a) for a in arrays]
        if job.op == "matmul":
            out = tensors[0] @ tensors[1]
            call = lambda: torch.mm(*tensors, out=out)  # noqa: E731
        elif job.op == "sum":
            call = tensors[0].sum
        else:
            extra = (0,) if job.op == "relu" else ()
            out = torch.empty_like(tensors[0])
            fn = ELEMENTWISE[job.op]
            call = lambda: fn(*tensors, *extra, out=out)  # noqa: E731
    with torch.inference_mode():
        calibrate(call)
    return {}


if __name__ == "__main__":
    with torch.inference_mode():
        serve({"about": about, "prepare": prepare, "measure": measure})
