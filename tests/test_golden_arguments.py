"""Layers with unusual arguments against Keras: output, gradients, moving statistics."""

import pytest

from golden import store
from golden.argument_cases import ARGUMENTS
from golden.check_layer import check_layer

GOLDEN = store.load("arguments")


def test_every_case_is_stored():
    assert set(GOLDEN) == {case.name for case in ARGUMENTS}


@pytest.mark.parametrize("case", ARGUMENTS, ids=lambda case: case.name)
def test_layer(case):
    check_layer(case, GOLDEN[case.name])
