"""PyTorch's worker for whole steps: eager, channels_last, fused optimizers, inference_mode."""

from __future__ import annotations

import time
from typing import Any

import torch
from harness import Answer, calibrate, extra_memory, measure, serve
from networks_torch import load, stack
from torch import nn
from workloads import BY_NAME, Workload

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


def prepare(name: str) -> Answer:
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
            out = model(x)
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
