"""Every option of every optimizer against Keras, step by step, eagerly and in one Program."""

import numpy as np
import pytest

import hornbeam as hb
from golden import bounds, optimizer_cases, store
from hornbeam._function import Function

GOLDEN = {**store.load("optimizer_options"), **store.load("optimizer_options_more")}
CASES = [*optimizer_cases.CASES, *optimizer_cases.MORE]


def make(case):
    config = dict(case.config)
    if case.schedule is not None:
        name, arguments = case.schedule
        config["learning_rate"] = getattr(hb.optimizers.schedules, name)(**arguments)
    optimizer = getattr(hb.optimizers, case.cls)(**config)
    if case.exclude:
        optimizer.exclude_from_weight_decay(var_names=list(case.exclude))
    return optimizer


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_options(case):
    """The bound is that of test_golden_optimizers.test_optimizer."""
    optimizer, want = make(case), GOLDEN[case.name]
    variables = [hb.Variable(v, name=name) for name, v in case.start().items()]
    optimizer.build(variables)
    step_function = Function(lambda *gradients: optimizer.apply(gradients, variables))
    travelled = dict.fromkeys(optimizer_cases.SHAPES, 0.0)
    before = case.start()
    for step in range(optimizer_cases.STEPS):
        gradients = [hb.ops.convert_to_tensor(g) for g in case.gradients(step)]
        (optimizer.apply(gradients, variables) if step % 2 else step_function(*gradients))
        for variable in variables:
            after = want[f"step{step} {variable.name}"]
            travelled[variable.name] += float(np.abs(after - before[variable.name]).max())
            largest = float(np.abs(after).max())
            bound = bounds.U * (8 * (step + 1) * largest + 1000 * travelled[variable.name])
            error = float(np.abs(variable.numpy().astype("float64") - after).max())
            assert error <= bound, f"step {step}, {variable.name}: off by {error:.3g} > {bound:.3g}"
            before[variable.name] = after
    if case.finalize:
        optimizer.finalize_variable_values(variables)
        for variable in variables:
            after = want[f"final {variable.name}"]
            bound = bounds.U * (40 * np.abs(after).max() + 1000 * travelled[variable.name])
            assert np.abs(variable.numpy() - after).max() <= bound


@pytest.mark.parametrize("cls", list(optimizer_cases.OWN))
def test_stateless_apply_is_apply(cls):
    case = next(c for c in optimizer_cases.CASES if c.cls == cls and c.option == "plain")
    optimizer, twin = make(case), make(case)
    variables = [hb.Variable(v, name=name) for name, v in case.start().items()]
    twins = [hb.Variable(v, name=name) for name, v in case.start().items()]
    optimizer.build(variables)
    values, state = [v.value for v in variables], [v.value for v in optimizer.variables]
    for step in range(3):
        gradients = [hb.ops.convert_to_tensor(g) for g in case.gradients(step)]
        values, state = optimizer.stateless_apply(state, gradients, values)
        twin.apply(gradients, twins)
    for value, variable, start in zip(values, twins, case.start().values(), strict=True):
        np.testing.assert_array_equal(value, variable.numpy())
        assert not np.array_equal(value, start)
    for variable, start in zip(variables, case.start().values(), strict=True):
        np.testing.assert_array_equal(variable.numpy(), start)
    with pytest.raises(ValueError, match="must hold"):
        optimizer.stateless_apply(state[:-1], gradients, values)
    with pytest.raises(ValueError, match="built"):
        make(case).stateless_apply(state, gradients, values)


@pytest.mark.parametrize("exclude", [True, False])
def test_muon_and_embeddings(exclude):
    """A variable named embedding gets Adam's update, or with exclude_embeddings=False Muon's."""
    start, gradient = (np.random.RandomState(s).standard_normal((3, 4)) for s in (0, 1))

    def after(name, **config):
        variable = hb.Variable(start.astype("float32"), name=name)
        hb.optimizers.Muon(0.125, **config).apply([gradient.astype("float32")], [variable])
        return variable.numpy()

    found = after("embedding", exclude_embeddings=exclude)
    np.testing.assert_array_equal(found, after("kernel", exclude_layers=["ker"] * exclude))
    assert not np.array_equal(found, after("kernel", exclude_layers=["ker"] * (not exclude)))
