"""Blocks of memory that are kept for the next tensor of their size."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as hb
from hornbeam import _core

MB = 1 << 20


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    _core.release_cached_memory()


def use(megabytes: int) -> None:
    hb.ops.zeros((megabytes * MB,), dtype="uint8")


def test_a_block_serves_the_next_tensor_of_its_size() -> None:
    use(2)
    assert _core.cached_bytes() == 2 * MB
    kept = hb.ops.zeros((2 * MB,), dtype="uint8")
    assert _core.cached_bytes() == 0
    del kept
    assert _core.cached_bytes() == 2 * MB


def test_old_blocks_make_room_for_new_ones() -> None:
    for megabytes in (100, 120, 60):  # 256 MB are kept at most
        use(megabytes)
    assert _core.cached_bytes() == 180 * MB
    use(120)
    assert _core.cached_bytes() == 180 * MB


def test_a_block_beyond_all_that_is_kept_goes_back_at_once() -> None:
    use(1)
    use(257)
    assert _core.cached_bytes() == MB


def test_a_block_is_whole_when_it_is_used_again() -> None:
    first = np.array(hb.ops.ones((MB,), dtype="float32"))
    second = np.array(hb.ops.zeros((MB,), dtype="float32"))
    assert first.all()
    assert not second.any()
