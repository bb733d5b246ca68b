"""The workloads' networks as PyTorch modules, in its best form, with Keras' weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from workloads import Layers, Workload

# a weight as Keras has it: its name, its shape, and what puts such an array into the module
Slot = tuple[str, tuple[int, ...], Callable[[np.ndarray], None]]


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
        return F.pad(x, pads)


class Flatten(nn.Module):
    """Channels last, as the dense kernel expects: a view of a channels_last tensor."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


class Mean(nn.Module):
    def __init__(self, *axes: int) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(self.axes)


class Residual(nn.Module):
    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.shortcut, self.body = shortcut, body

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.body(x) + self.shortcut(x), inplace=True)


class Recurrent(nn.Module):
    """The last output of sequences (batch, time, features); `padded`: zeros at their ends."""

    def __init__(
        self,
        kind: str,
        features: int,
        units: int,
        layers: int = 1,
        both: bool = False,
        padded: bool = False,
    ) -> None:
        super().__init__()
        cls = {"lstm": nn.LSTM, "gru": nn.GRU, "simplernn": nn.RNN}[kind]
        self.kind, self.units, self.features = kind, units, features
        self.layers, self.both, self.padded = layers, both, padded
        self.inner = cls(features, units, layers, batch_first=True, bidirectional=both)

    def forward(self, x: Tensor) -> Tensor:
        if self.padded:
            lengths = (x != 0).any(-1).sum(1)
            x = nn.utils.rnn.pack_padded_sequence(x, lengths, True, enforce_sorted=False)
        y, states = self.inner(x)
        h = states[0] if self.kind == "lstm" else states
        if self.both:
            return torch.cat([h[-2], h[-1]], -1)
        return h[-1] if self.padded else y[:, -1]

    def slots(self) -> list[Slot]:
        n, u = {"lstm": 4, "gru": 3, "simplernn": 1}[self.kind], self.units
        order = [1, 0, 2] if self.kind == "gru" else list(range(n))  # Keras: z r h; here: r z n

        def matrix(parameter: Tensor) -> Callable[[np.ndarray], None]:
            return lambda v: put(parameter, v.reshape(len(v), n, u)[:, order].reshape(len(v), -1).T)

        def bias(of_x: Tensor, of_h: Tensor) -> Callable[[np.ndarray], None]:
            def fill(v: np.ndarray) -> None:
                assert not v.any()  # all workloads begin so; PyTorch has two vectors for one
                of_x.zero_()
                of_h.zero_()

            return fill

        found: list[Slot] = []
        for layer in range(self.layers):
            features = u * (1 + self.both) if layer else self.features
            for direction in ["", "_reverse"][: 1 + self.both]:
                of_x, of_h, b_x, b_h = (
                    getattr(self.inner, f"{name}_l{layer}{direction}")
                    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
                )
                found += [
                    ("kernel", (features, n * u), matrix(of_x)),
                    ("recurrent_kernel", (u, n * u), matrix(of_h)),
                    ("bias", (2, n * u) if self.kind == "gru" else (n * u,), bias(b_x, b_h)),
                ]
        return found


class AttentionBlock(nn.Module):
    """One product for q, k and v, the fused attention, then two dense layers."""

    def __init__(self, units: int, heads: int, inner: int) -> None:
        super().__init__()
        self.units, self.heads = units, heads
        self.qkv, self.out = nn.Linear(units, 3 * units), nn.Linear(units, units)
        self.first, self.second = (nn.LayerNorm(units, eps=1e-3) for _ in range(2))
        self.wide, self.narrow = nn.Linear(units, inner), nn.Linear(inner, units)

    def forward(self, x: Tensor) -> Tensor:
        n, t, d = x.shape
        qkv = self.qkv(x).view(n, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(*qkv.unbind()).transpose(1, 2).reshape(n, t, d)
        x = self.first(x + self.out(y))
        return self.second(x + self.narrow(F.relu(self.wide(x), inplace=True)))

    def slots(self) -> list[Slot]:
        d, h = self.units, self.heads
        found: list[Slot] = []
        for i in range(3):
            rows = slice(i * d, (i + 1) * d)
            weight, bias = self.qkv.weight[rows], self.qkv.bias[rows]
            found.append(("kernel", (d, h, d // h), lambda v, w=weight: put(w, v.reshape(d, d).T)))
            found.append(("bias", (h, d // h), lambda v, b=bias: put(b, v.reshape(d))))
        out = self.out
        found.append(("kernel", (h, d // h, d), lambda v: put(out.weight, v.reshape(d, d).T)))
        found.append(("bias", (d,), lambda v: put(out.bias, v)))
        for module in (self.first, self.wide, self.narrow, self.second):
            found += slots(module)
        return found


class Causal(nn.Module):
    def __init__(self, channels: int, units: int, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        self.before = (kernel - 1) * dilation
        self.conv = nn.Conv1d(channels, units, kernel, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (self.before, 0)) if self.before else x)


class WaveNet(nn.Module):
    def __init__(self, units: int, layers: int) -> None:
        super().__init__()
        self.first = Causal(1, units, 1)
        self.layers = nn.ModuleList()
        for i in range(layers):
            gated = [Causal(units, units, 2, 2**i) for _ in range(2)]
            self.layers.append(nn.ModuleList([*gated, *(Causal(units, units, 1) for _ in "ab")]))
        self.last = nn.ModuleList([Causal(units, units, 1), Causal(units, 1, 1)])

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x.transpose(1, 2))
        total = None
        for tanh, sigmoid, skip, rest in self.layers:
            gate = torch.tanh(tanh(x)) * torch.sigmoid(sigmoid(x))
            total = skip(gate) if total is None else total + skip(gate)
            x = x + rest(gate)
        x = F.relu(self.last[0](F.relu(total, inplace=True)), inplace=True)
        return self.last[1](x).transpose(1, 2)


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": lambda: nn.ReLU(inplace=True),
    "tanh": nn.Tanh,
}


def stack(layers: Layers, shape: tuple[int, ...]) -> tuple[nn.Sequential, tuple[int, ...]]:
    """Modules and the shape (without batch, channels last) that comes out."""
    made: list[nn.Module] = []
    for kind, c in layers:
        if kind == "dense":
            made.append(nn.Linear(shape[-1], c["units"]))
            shape = (*shape[:-1], c["units"])
        elif kind == "conv":
            k, s = c["kernel"], c["strides"]
            if c["same"] and s > 1 and k > 1:
                made.append(Same(k, s))
            inner = k // 2 if c["same"] and s == 1 else 0
            made.append(nn.Conv2d(shape[-1], c["filters"], k, s, inner, bias=c["bias"]))
            size = -(-shape[0] // s) if c["same"] else (shape[0] - k) // s + 1
            shape = (size, size, c["filters"])
        elif kind == "residual":
            shortcut, _ = stack(c["shortcut"], shape)
            body, shape = stack(c["layers"], shape)
            made.append(Residual(body, shortcut))
        elif kind == "norm":
            made.append(nn.BatchNorm2d(shape[-1], eps=1e-3, momentum=0.01))
        elif kind in ("pool", "mean pool"):
            made.append(nn.MaxPool2d(2) if kind == "pool" else nn.AvgPool2d(2))
            shape = (shape[0] // 2, shape[1] // 2, shape[2])
        elif kind == "flatten":
            made.append(Flatten())
            shape = (shape[0] * shape[1] * shape[2],)
        elif kind == "mean":
            made.append(Mean(2, 3))
            shape = (shape[-1],)
        elif kind == "mean over time":
            made.append(Mean(1))
            shape = (shape[-1],)
        elif kind == "embedding":
            made.append(nn.Embedding(c["tokens"], c["units"]))
            shape = (*shape, c["units"])
        elif kind == "attention block":
            made.append(AttentionBlock(**c))
        elif kind == "wavenet":
            made.append(WaveNet(**c))
        elif kind in ("lstm", "gru", "simplernn"):
            made.append(Recurrent(kind, shape[-1], **c))
            shape = (c["units"] * (1 + c.get("both", False)),)
        elif kind != "relu":
            raise ValueError(f"no layer called {kind!r}")
        activation = "relu" if kind == "relu" else c.get("activation")
        if activation in ACTIVATIONS:  # softmax is part of the loss
            made.append(ACTIVATIONS[activation]())
    return nn.Sequential(*made), shape


def put(parameter: Tensor, value: np.ndarray) -> None:
    parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))


def slots(module: nn.Module) -> list[Slot]:
    """The weights in the order in which Keras' layers are made."""
    own = getattr(module, "slots", None)
    if own is not None:
        return own()
    found: list[Slot] = []

    def vector(name: str, parameter: Any) -> None:
        found.append((name, tuple(parameter.shape), lambda v: put(parameter, v)))

    if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d)):
        weight = module.weight
        shape = tuple(weight.shape)
        found.append(("kernel", (*shape[2:], shape[1], shape[0]), lambda v: put(weight, turned(v))))
        if module.bias is not None:
            vector("bias", module.bias)
    elif isinstance(module, nn.Embedding):
        vector("embeddings", module.weight)
    elif isinstance(module, nn.LayerNorm):
        vector("gamma", module.weight)
        vector("beta", module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        vector("gamma", module.weight)
        vector("beta", module.bias)
        vector("moving_mean", module.running_mean)
        vector("moving_variance", module.running_var)
    for child in module.children():
        found += slots(child)
    return found


def turned(kernel: np.ndarray) -> np.ndarray:
    """(k..., in, out) to PyTorch's (out, in, k...)."""
    return np.moveaxis(kernel, (-1, -2), (0, 1))


def load(module: nn.Module, work: Workload) -> None:
    found = slots(module)
    values = work.weights([shape for _, shape, _ in found], [name for name, _, _ in found])
    with torch.no_grad():
        for (_, _, fill), value in zip(found, values, strict=True):
            fill(value)
