"""Shared by all tests: every test starts from the same seed."""

import pytest

import hornbeam as hb
from hornbeam import _core


@pytest.fixture(autouse=True)
def same_seed():
    hb.utils.set_random_seed(1234)


@pytest.fixture
def threads():
    """The number of threads is afterwards what it was."""
    before = _core.num_threads()
    yield
    _core.set_num_threads(before)
