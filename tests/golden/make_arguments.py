"""Run every case of argument_cases.py with Keras and store what comes out, as make_golden.py does.

python tests/golden/make_arguments.py
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from golden import store
from golden.argument_cases import ARGUMENTS
from golden.make_golden import layer

if __name__ == "__main__":
    results = store.load("arguments") if store.exists("arguments") else {}
    for i, case in enumerate(ARGUMENTS):
        if case.name not in results:
            print(case.name, flush=True)
            results[case.name] = {k: np.asarray(v) for k, v in layer(case).items()}
        if i % 5 == 4:
            store.save("arguments", results)
    store.save("arguments", {case.name: results[case.name] for case in ARGUMENTS})
