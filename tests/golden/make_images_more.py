"""Run every case of image_more_cases.py with Keras, as make_images.py does.

python tests/golden/make_images_more.py
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from golden import store
from golden.image_more_cases import MORE
from golden.make_images import run_layer

if __name__ == "__main__":
    results = store.load("images_more") if store.exists("images_more") else {}
    for case in MORE:
        if f"layer {case.name}" not in results:
            print(case.name, flush=True)
            try:
                results[f"layer {case.name}"] = run_layer(case)
            except (TypeError, ValueError) as error:
                print("left out:", str(error).splitlines()[0])
    names = [f"layer {case.name}" for case in MORE]
    store.save("images_more", {name: results[name] for name in names if name in results})
