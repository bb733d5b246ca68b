"""Arguments of layers that are seldom given, against Keras."""

import pytest

from golden import store
from golden.check_call import check_call
from golden.rare_cases import RARE

GOLDEN = store.load("rare")


def test_every_case_is_stored():
    assert set(GOLDEN) == {case.name for case in RARE}


@pytest.mark.parametrize("case", RARE, ids=lambda case: case.name)
def test_call(case):
    check_call(case, GOLDEN[case.name])
