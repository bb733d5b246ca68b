"""Metrics with every argument, weights and masks against Keras, batch after batch."""

import numpy as np
import pytest

import hornbeam as hb
from golden import bounds, store
from golden.metric_cases import METRICS

GOLDEN = store.load("metric_options")
# means of numbers of both signs: their errors are those of terms of about 1
CANCEL = ("Mean", "Sum", "CosineSimilarity", "PearsonCorrelation", "ConcordanceCorrelation",
          "R2Score")  # fmt: skip


def test_every_case_is_stored():
    assert set(GOLDEN) == {case.name for case in METRICS}


@pytest.mark.parametrize("case", METRICS, ids=lambda case: case.name)
def test_metric(case):
    metric = getattr(hb.metrics, case.cls)(**case.config)
    terms = 0
    for index, batch in enumerate(case.batches):
        if batch.reset:
            metric.reset_state()
        inputs, weight, mask = case.data(index)
        tensors = [hb.ops.convert_to_tensor(x) for x in inputs]
        if mask is not None:
            tensors[-1]._keras_mask = hb.ops.convert_to_tensor(mask)
        metric.update_state(*tensors, sample_weight=weight)
        terms += int(np.prod(inputs[-1].shape))
        want = GOLDEN[case.name][f"after{index}"]
        bounds.assert_close(f"after{index}", metric.result(), want, terms, of=case.cls in CANCEL)
