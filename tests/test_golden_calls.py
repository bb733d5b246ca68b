"""Attention, wrappers and masked layers against Keras: outputs, gradients, moving statistics."""

import pytest

from golden import store
from golden.call_cases import CALLS
from golden.check_call import check_call

GOLDEN = store.load("calls")


def test_every_case_is_stored():
    assert set(GOLDEN) == {case.name for case in CALLS}


@pytest.mark.parametrize("case", CALLS, ids=lambda case: case.name)
def test_call(case):
    check_call(case, GOLDEN[case.name])
