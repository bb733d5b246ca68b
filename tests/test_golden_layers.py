"""Every layer against Keras: output, gradients of inputs and weights, moving statistics."""

import pytest

from golden import cases, store
from golden.check_layer import check_layer

GOLDEN = store.load("layers")


def test_every_case_is_stored():
    assert set(GOLDEN) == {case.name for case in cases.LAYERS}


@pytest.mark.parametrize("case", cases.LAYERS, ids=lambda case: case.name)
def test_layer(case):
    check_layer(case, GOLDEN[case.name])
