"""PyTorch's worker for whole steps: eager, channels_last, fused optimizers, inference_mode."""

from __future__ import annotations

import time
from typing import Any

import torch
from harness import Answer, calibrate, extra_memory, measure, serve
from networks_torch import load, put, stack
from recurrent_workloads import BY_NAME as RECURRENTS
from torch import nn
from workloads import BY_NAME as MODELS
from workloads import Workload

BY_NAME = {**MODELS, **RECURRENTS}
current: dict[str, Any] = {}


def about(threads: int) -> Answer:
    torch.set_num_threads(threads)
    level = torch.backends.cpu.get_cpu_capability()
    return {"version": f"torch {torch.__version__} ({level})"}


def setup(work: Workload) -> None:
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
    current.clear()
    current.update(model=model, x=x, y=y, work=work, objective=objective, optimizer=optimizer)


def prepare_step(work: Workload) -> Answer:
    """A cell and its states; what is verified is the mean of the outputs."""
    kind, units = work.layers[0][0], work.layers[0][1]["units"]
    cls = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "simplernn": nn.RNNCell}[kind]
    cell = cls(units, units)
    width = cell.weight_hh.shape[0]
    shapes, names = [(units, width)] * 2, ["kernel", "recurrent_kernel"]
    with torch.no_grad():
        for parameter, v in zip(
            (cell.weight_ih, cell.weight_hh), work.weights(shapes, names), strict=True
        ):
            order = [1, 0, 2] if kind == "gru" else list(range(width // units))
            put(parameter, v.reshape(units, -1, units)[:, order].reshape(units, -1).T)
        cell.bias_ih.zero_()
        cell.bias_hh.zero_()
    x, state = torch.from_numpy(work.data()[0]), torch.zeros(work.batch, units)
    current.update(state=(state, state) if kind == "lstm" else state)

    def step() -> Any:
        with torch.inference_mode():
            new = current["state"] = cell(x, current["state"])
        return new[0] if kind == "lstm" else new

    return {"loss": float(step().abs().mean()), "first": calibrate(step)}


def prepare(name: str) -> Answer:
    if BY_NAME[name].mode == "step":
        return prepare_step(BY_NAME[name])
    if "dropout" in str(BY_NAME[name].layers):
        return {"skip": "no dropout inside of a layer"}
    setup(BY_NAME[name])
    model, x, y, work = (current[k] for k in ("model", "x", "y", "work"))
    model.eval()
    with torch.inference_mode():
        loss = float(current["objective"](model(x[: work.batch]), y[: work.batch]))
    return {"loss": loss, "first": calibrate(unit, work.unit)}


def step(x: Any, y: Any) -> float | Any:
    optimizer = current["optimizer"]
    optimizer.zero_grad(set_to_none=True)
    loss = current["objective"](current["model"](x), y)
    loss.backward()
    optimizer.step()
    return loss


def unit() -> None:
    """An epoch, or one call."""
    model, x, y, work = (current[k] for k in ("model", "x", "y", "work"))
    if work.mode == "fit":
        model.train()
        for at in range(0, len(x), work.batch):
            step(x[at : at + work.batch], y[at : at + work.batch])
    elif work.mode == "train_on_batch":
        model.train()
        step(x, y).item()  # Keras' returns the loss as a number
    else:
        model.eval()
        with torch.inference_mode():
            for at in range(0, len(x), work.batch):
                out = model(x[at : at + work.batch])
                (out if work.loss == "mean_squared_error" else out.softmax(-1)).numpy()


def memory(name: str) -> Answer:
    """Bytes that two steps need beyond the model and its data, at the peak."""
    work = BY_NAME[name]
    setup(work)
    current["model"].train()
    x, y = current["x"][: work.batch], current["y"][: work.batch]
    return extra_memory(lambda: step(x, y))


def ready(name: str) -> Answer:
    """Seconds until a new model's first step is done, the second step's time taken off."""
    work, seconds = BY_NAME[name], []
    setup(work)
    x, y = current["x"][: work.batch], current["y"][: work.batch]
    for _ in range(2):
        start = time.perf_counter()
        step(x, y)
        seconds.append(time.perf_counter() - start)
    return {"seconds": max(0.0, seconds[0] - seconds[1])}


if __name__ == "__main__":
    actions = {"about": about, "prepare": prepare, "measure": measure}
    serve({**actions, "memory": memory, "ready": ready})
