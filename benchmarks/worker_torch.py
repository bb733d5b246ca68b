"""Runs workloads on PyTorch in its fast form: channels_last, fused optimizers, inference_mode."""

from __future__ import annotations

import time
from typing import Any

import torch
from harness import Answer, serve
from torch import Tensor, nn
from workloads import BY_NAME, Layers, Workload

current: dict[str, Any] = {}


def about(threads: int) -> Answer:
    torch.set_num_threads(threads)
    level = torch.backends.cpu.get_cpu_capability()
    return {"version": f"torch {torch.__version__} ({level})"}


class Same(nn.Module):
    """Keras' "same" padding: what is odd goes to the end."""

    def __init__(self, kernel: int, strides: int) -> None:
        super().__init__()
        self.kernel, self.strides = kernel, strides

    def forward(self, x: Tensor) -> Tensor:
        pads = []
        for size in (x.shape[3], x.shape[2]):
            total = max((-(-size // self.strides) - 1) * self.strides + self.kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return nn.functional.pad(x, pads)


class Flatten(nn.Module):
    """Channels last, as the dense kernel expects: a view of a channels_last tensor."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


class Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))


class Residual(nn.Module):
    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.shortcut, self.body = shortcut, body

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.relu(self.body(x) + self.shortcut(x), inplace=True)


def stack(layers: Layers, shape: tuple[int, ...]) -> tuple[nn.Sequential, tuple[int, ...]]:
    """Modules and the shape (without batch, channels last) that comes out."""
    made: list[nn.Module] = []
    for kind, c in layers:
        if kind == "dense":
            made.append(nn.Linear(shape[-1], c["units"]))
            shape = (c["units"],)
            if c["activation"] == "relu":
                made.append(nn.ReLU(inplace=True))
        elif kind == "conv":
            k, s = c["kernel"], c["strides"]
            if c["same"] and s > 1 and k > 1:
                made.append(Same(k, s))
            inner = k // 2 if c["same"] and s == 1 else 0
            made.append(nn.Conv2d(shape[-1], c["filters"], k, s, inner, bias=c["bias"]))
            size = -(-shape[0] // s) if c["same"] else (shape[0] - k) // s + 1
            shape = (size, size, c["filters"])
            if c["activation"] == "relu":
                made.append(nn.ReLU(inplace=True))
        elif kind == "residual":
            shortcut, _ = stack(c["shortcut"], shape)
            body, shape = stack(c["layers"], shape)
            made.append(Residual(body, shortcut))
        elif kind == "norm":
            made.append(nn.BatchNorm2d(shape[-1], eps=1e-3, momentum=0.01))
        elif kind == "pool":
            made.append(nn.MaxPool2d(2))
            shape = (shape[0] // 2, shape[1] // 2, shape[2])
        elif kind == "flatten":
            made.append(Flatten())
            shape = (shape[0] * shape[1] * shape[2],)
        elif kind == "mean":
            made.append(Mean())
            shape = (shape[-1],)
        else:
            made.append(nn.ReLU(inplace=True))
    return nn.Sequential(*made), shape


def slots(module: nn.Module) -> list[tuple[str, Tensor]]:
    """Keras' names and our tensors, in the order in which the layers are made."""
    found: list[tuple[str, Tensor]] = []
    for m in module.modules():
        if isinstance(m, (nn.Linear, nn.Conv2d)):
            found.append(("kernel", m.weight))
            if m.bias is not None:
                found.append(("bias", m.bias))
        elif isinstance(m, nn.BatchNorm2d):
            assert m.running_mean is not None
            assert m.running_var is not None
            found += [("gamma", m.weight), ("beta", m.bias)]
            found += [("moving_mean", m.running_mean), ("moving_variance", m.running_var)]
    return found


def keras_shape(tensor: Tensor) -> tuple[int, ...]:
    shape = tuple(tensor.shape)
    return (*shape[2:], shape[1], shape[0]) if len(shape) > 1 else shape


def load(module: nn.Module, work: Workload) -> None:
    found = slots(module)
    values = work.weights([keras_shape(t) for _, t in found], [n for n, _ in found])
    with torch.no_grad():
        for (_, tensor), value in zip(found, values, strict=True):
            axes = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}[value.ndim]
            tensor.copy_(torch.from_numpy(value.transpose(axes).copy()))


def prepare(name: str) -> Answer:
    work = BY_NAME[name]
    torch.manual_seed(0)
    model, _ = stack(work.layers, work.input_shape)
    load(model, work)
    x_array, y_array = work.data()
    x, y = torch.from_numpy(x_array), torch.from_numpy(y_array)
    if x.ndim == 4:  # (N,H,W,C) in memory is what channels_last means
        x = x.permute(0, 3, 1, 2)
        model = model.to(memory_format=torch.channels_last)
    if y.dtype == torch.int32:
        y = y.long()
    objective = nn.MSELoss() if work.loss == "mean_squared_error" else nn.CrossEntropyLoss()
    rate = 1e-3
    optimizer = (
        torch.optim.Adam(model.parameters(), rate, eps=1e-7, fused=True)
        if work.optimizer == "adam"
        else torch.optim.SGD(model.parameters(), rate, momentum=work.momentum, fused=True)
    )
    current.update(model=model, x=x, y=y, work=work, objective=objective, optimizer=optimizer)
    model.eval()
    with torch.inference_mode():
        loss = float(objective(model(x[: work.batch]), y[: work.batch]))
    start = time.perf_counter()
    repeat()
    return {"loss": loss, "first": time.perf_counter() - start}


def repeat() -> None:
    model, x, y, work = (current[k] for k in ("model", "x", "y", "work"))
    if work.mode == "fit":
        objective, optimizer = current["objective"], current["optimizer"]
        model.train()
        for at in range(0, len(x), work.batch):
            optimizer.zero_grad(set_to_none=True)
            loss = objective(model(x[at : at + work.batch]), y[at : at + work.batch])
            loss.backward()
            optimizer.step()
        return
    model.eval()
    softmax = work.loss != "mean_squared_error"
    with torch.inference_mode():
        for _ in range(work.steps):
            out = model(x)
            (out.softmax(-1) if softmax else out).numpy()


def measure() -> Answer:
    start = time.perf_counter()
    repeat()
    return {"seconds": (time.perf_counter() - start) / current["work"].steps}


if __name__ == "__main__":
    serve({"about": about, "prepare": prepare, "measure": measure})
