"""PyTorch's worker for the kernels: channels_last, preallocated outputs where it has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from harness import Answer, calibrate, measure, serve
from kernels import EPSILON, JOBS, Arrays, Job, verify
from networks_torch import Recurrent
from torch import Tensor
from torch.nn import functional as F

Call = Callable[[], Any]
ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "add": torch.add,
    "relu": torch.clamp_min,
    "exp": torch.exp,
    "tanh": torch.tanh,
}


def about(threads: int) -> Answer:
    torch.set_num_threads(threads)
    return {"version": f"torch {torch.__version__} ({torch.backends.cpu.get_cpu_capability()})"}


def image(array: Any) -> Tensor:
    """(N, spatial..., C) in memory, which PyTorch calls channels_last where it has such layouts."""
    tensor = torch.from_numpy(array).movedim(-1, 1)
    return tensor if array.ndim == 4 else tensor.contiguous()


def kernel(array: Any) -> Tensor:
    tensor = torch.from_numpy(array).movedim((-1, -2), (0, 1))
    layout = torch.channels_last if array.ndim == 4 else torch.contiguous_format
    return tensor.contiguous(memory_format=layout)


def convolution(job: Job, arrays: Arrays) -> Call:
    """Convolutions through aten's entry points, which autograd calls too.

    Padding that differs between the sides is made the larger one on both: the nearest PyTorch has
    without a copy. A causal layer then computes a few positions more at the end, as its users do.
    """
    attrs = job.attrs
    strides, dilation, groups = attrs["strides"], attrs["dilation"], attrs["groups"]
    n = len(strides)
    pads = [max(p) for p in zip(attrs["pad_low"], attrs["pad_high"], strict=True)]
    if job.op == "conv":
        x, w = image(arrays[0]), kernel(arrays[1])
        fn = (F.conv1d, F.conv2d, F.conv3d)[n - 1]
        return lambda: fn(x, w, None, strides, pads, dilation, groups)
    # gradients exist for PyTorch's own output size: data of that size
    if job.op == "conv_backward_data":
        given, w = image(arrays[0]), kernel(arrays[1])
        channels = w.shape[1] * groups
        x = image(arrays[0][:1]).new_zeros(given.shape[0], channels, *attrs["input_shape"])
        mask = [True, False, False]
    else:
        x, given = image(arrays[0]), image(arrays[1])
        shape = [x.shape[1] // groups, given.shape[1], *attrs["kernel_shape"]]
        w = x.new_zeros(shape[1], shape[0], *shape[2:])
        mask = [False, True, False]
    if n == 2:
        x = x.contiguous(memory_format=torch.channels_last)
        w = w.contiguous(memory_format=torch.channels_last)
    fn = (F.conv1d, F.conv2d, F.conv3d)[n - 1]
    out = fn(x, w, None, strides, pads, dilation, groups)
    dy = torch.zeros_like(out)
    common = [slice(0, min(a, b)) for a, b in zip(out.shape, given.shape, strict=True)]
    dy[tuple(common)] = given[tuple(common)]
    rest = (None, strides, pads, dilation, False, [0] * n, groups, mask)
    return lambda: torch.ops.aten.convolution_backward(dy, x, w, *rest)


def adam(arrays: Arrays) -> Call:
    parameters = [torch.nn.Parameter(torch.from_numpy(row.copy())) for row in arrays[0]]
    for parameter, row in zip(parameters, arrays[1], strict=True):
        parameter.grad = torch.from_numpy(row)
    return torch.optim.Adam(parameters, 1e-3, eps=1e-7, fused=True).step


def attention(job: Job, arrays: Arrays) -> Call:
    q, k, v = (torch.from_numpy(a).transpose(1, 2) for a in arrays)
    causal = job.attrs["causal"]
    if job.op == "attention":
        return lambda: F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    for tensor in (q, k, v):
        tensor.requires_grad_()
    ones = torch.ones_like(q)

    def step() -> Tensor:
        with torch.inference_mode(False), torch.enable_grad():
            y = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
            torch.autograd.grad(y, (q, k, v), ones)
        return y.detach()

    return step


def recurrent(job: Job, arrays: Arrays) -> Call:
    """Time first, as its kernels take it."""
    units = len(arrays[2])
    net = Recurrent(job.attrs["kind"], units, units)
    with torch.no_grad():
        for (name, shape, place), value in zip(net.slots(), (*arrays[1:], None), strict=True):
            place(np.zeros(shape, "float32") if name == "bias" else value)
    layer = net.inner
    layer.batch_first = False
    x = torch.from_numpy(arrays[0]).transpose(0, 1).contiguous().requires_grad_()
    if job.op == "recurrent":
        return lambda: layer(x)[0]
    seed = torch.ones_like(x)

    def step() -> Tensor:
        with torch.inference_mode(False), torch.enable_grad():
            y = layer(x)[0]
            torch.autograd.grad(y, (x, *layer.parameters()), seed)
        return y.detach()

    return step


def rows(job: Job, tensors: list[Tensor]) -> Call:
    x = tensors[0]
    if job.op == "softmax":
        out = torch.empty_like(x)
        return lambda: torch.softmax(x, -1, out=out)
    gamma, beta = tensors[1:]
    if job.op == "layer_norm":
        return lambda: F.layer_norm(x, gamma.shape, gamma, beta, EPSILON)
    side = int(len(x) ** 0.5)  # pixels as an image: what its channels_last kernel takes
    pixels = x.view(1, side, -1, x.shape[1]) if len(x) % side == 0 else x.view(1, 1, *x.shape)
    pixels = pixels.permute(0, 3, 1, 2)
    return lambda: F.batch_norm(pixels, None, None, gamma, beta, True, 0.0, EPSILON)


def call_of(job: Job, arrays: Arrays) -> Call:
    if job.op.startswith("conv"):
        return convolution(job, arrays)
    if job.op == "adam":
        return adam(arrays)
    if job.op.startswith("attention"):
        return attention(job, arrays)
    if job.op.startswith("recurrent"):
        return recurrent(job, arrays)
    tensors = [torch.from_numpy(a) for a in arrays]
    if job.op in ("softmax", "layer_norm", "batch_norm"):
        return rows(job, tensors)
    if job.op == "matmul":
        out = tensors[0] @ tensors[1]
        return lambda: torch.mm(*tensors, out=out)
    if job.op == "sum":
        return tensors[0].sum
    extra = (0,) if job.op == "relu" else ()
    out, fn = torch.empty_like(tensors[0]), ELEMENTWISE[job.op]
    return lambda: fn(*tensors, *extra, out=out)


def back(job: Job, result: Any) -> Any:
    """The result as an array in our layout, where it is the same computation."""
    attrs = job.attrs
    if job.op == "adam" or (job.op.startswith("conv") and attrs["pad_low"] != attrs["pad_high"]):
        return None
    if job.op == "conv_backward_weights":
        return result[1].movedim((0, 1), (-1, -2)).numpy()
    if job.op.startswith("conv"):
        return (result if job.op == "conv" else result[0]).movedim(1, -1).numpy()
    if job.op.startswith("attention"):
        return result.transpose(1, 2).numpy()
    if job.op.startswith("recurrent"):
        return result.transpose(0, 1).detach().numpy()
    if job.op == "batch_norm":
        return result.permute(0, 2, 3, 1).reshape(-1, result.shape[1]).numpy()
    return result.numpy()


def prepare(name: str) -> Answer:
    job = JOBS[name]
    arrays = job.inputs()
    on = job.op in ("attention_step", "recurrent_step")
    with torch.inference_mode(not on):
        call = call_of(job, arrays)
        got = back(job, call())
        if got is not None:
            verify(job, arrays, got)
        calibrate(call)
    return {}


def timed() -> Answer:
    with torch.inference_mode():
        return measure()


if __name__ == "__main__":
    serve({"about": about, "prepare": prepare, "measure": timed})
