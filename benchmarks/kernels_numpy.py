"""NumPy's worker for the kernels: the products alone, through its BLAS."""

from __future__ import annotations

import numpy as np
from harness import Answer, calibrate, measure, serve
from kernels import JOBS, verify


def about(threads: int) -> Answer:  # noqa: ARG001  the environment has told BLAS
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {"version": f"numpy {np.__version__} ({blas['name']} {blas['version']})"}


def prepare(name: str) -> Answer:
    job = JOBS[name]
    if job.op != "matmul":
        return {"skip": "only products are measured"}
    a, b = job.inputs()
    out = a @ b
    verify(job, [a, b], out)
    calibrate(lambda: np.matmul(a, b, out=out))
    return {}


if __name__ == "__main__":
    serve({"about": about, "prepare": prepare, "measure": measure})
