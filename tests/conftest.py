"""Shared by all tests: every test starts from the same seed."""

import pytest

import hornbeam as hb


@pytest.fixture(autouse=True)
def same_seed():
    hb.utils.set_random_seed(1234)
