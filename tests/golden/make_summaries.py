"""Writes summaries.json: what Keras' summary() prints.

KERAS_BACKEND=jax python tests/golden/make_summaries.py
"""

import json
from pathlib import Path

import keras
from summary_models import texts

if __name__ == "__main__":
    path = Path(__file__).with_name("summaries.json")
    path.write_text(json.dumps(texts(keras), indent=1, ensure_ascii=False) + "\n")
