"""Run every case of rare_cases.py with Keras and store what comes out, as make_calls.py does.

python tests/golden/make_rare.py
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from golden import store
from golden.make_calls import run
from golden.rare_cases import RARE

if __name__ == "__main__":
    results = store.load("rare") if store.exists("rare") else {}
    for case in RARE:
        if case.name not in results:
            print(case.name, flush=True)
            results[case.name] = run(case)
            store.save("rare", {c.name: results[c.name] for c in RARE if c.name in results})
