"""What follows a convolution, product or norm is done in its epilogue: the same bits for all."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hornbeam as hb
from hornbeam import _core
from op_cases import every_level

PARTS = ("bias", "scale", "shift", "other", "relu")
STEP = {"strides": (1, 1), "pad_low": (1, 1), "pad_high": (1, 1), "dilation": (1, 1)}
PLAIN = {"strides": (1, 1), "pad_low": (0, 0), "pad_high": (0, 0), "dilation": (1, 1)}
TWO = {"strides": (2, 2), "pad_low": (0, 0), "pad_high": (1, 1), "dilation": (1, 1)}


def array(*shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def compiled(fn, *arrays):
    trace = _core.Trace()
    try:
        outputs = fn(*[trace.input(a.shape, str(a.dtype)) for a in arrays])
        return trace.compile(list(outputs))
    finally:
        trace.end()


def steps(program):
    """The lines of a program that compute something, each without its number."""
    lines = [line.split(" = ")[1] for line in program.describe().splitlines()]
    return [x for x in lines if not x.startswith(("input(", "variable(", "constant("))]


def check_same_as_eager(fn, *arrays):
    """One op after the other gives the same bits, on every level, with 1 and 2 threads."""
    tensors = [_core.tensor(a) for a in arrays]
    program = compiled(fn, *arrays)
    threads = _core.num_threads()

    def check():
        for n in (2, 1):
            _core.set_num_threads(n)
            for got, want in zip(program.run(tensors), fn(*tensors), strict=True):
                np.testing.assert_array_equal(got.numpy(), want.numpy(), strict=True)

    try:
        every_level(check)
    finally:
        _core.set_num_threads(threads)
    return program


def followed(name, parts, **attrs):
    """The op, and then the parts of an epilogue as ops of their own."""

    def fn(x, w, bias, scale, shift, other):
        y = _core.apply(name, [x, w], **attrs)
        y = y + bias if "bias" in parts else y
        y = y * scale if "scale" in parts else y
        y = shift + y if "shift" in parts else y
        y = other + y if "other" in parts else y
        return [_core.apply("relu", [y]) if "relu" in parts else y]

    return fn


def operands(name, x, w, dtype="float32", **attrs):
    x, w = array(*x, dtype=dtype, seed=1), array(*w, dtype=dtype, seed=2) * 0.2
    y = _core.apply(name, [_core.tensor(x), _core.tensor(w)], **attrs)
    vectors = [array(y.shape[-1], dtype=dtype, seed=s) for s in (3, 4, 5)]
    return [x, w.astype(dtype), *vectors, array(*y.shape, dtype=dtype, seed=6)]


CASES = {  # name: op, x, w, attributes
    "winograd": ("conv", (2, 11, 9, 32), (3, 3, 32, 40), STEP),
    "direct": ("conv", (2, 9, 10, 3), (3, 3, 3, 17), STEP),
    "strided": ("conv", (2, 11, 9, 8), (3, 3, 8, 5), TWO),
    "grouped": ("conv", (2, 7, 7, 12), (3, 3, 4, 9), {**STEP, "groups": 3}),
    "pointwise": ("conv", (2, 13, 7, 19), (1, 1, 19, 35), PLAIN),
    "deep pointwise": ("conv", (1, 5, 5, 1100), (1, 1, 1100, 33), PLAIN),
    "depthwise": ("conv", (2, 9, 7, 21), (3, 3, 1, 21), {**STEP, "groups": 21}),
    "tall depthwise": ("conv", (1, 17, 5, 70), (3, 3, 1, 70), {**STEP, "groups": 70}),
    "depthwise, stride": ("conv", (2, 9, 7, 21), (3, 3, 1, 21), {**TWO, "groups": 21}),
    "depthwise, backwards": ("conv_backward_data", (2, 4, 5, 12), (3, 3, 1, 12),
                             {**TWO, "groups": 12, "input_shape": (8, 10)}),
    "wide depthwise, 5x5": ("conv", (1, 9, 7, 520), (5, 5, 1, 520), {**STEP, "groups": 520}),
    "wide depthwise": ("conv", (1, 9, 7, 520), (3, 3, 1, 520), {**STEP, "groups": 520}),
    "temporal": ("conv", (2, 33, 6), (2, 6, 10),
                 {"strides": (1,), "pad_low": (4,), "pad_high": (0,), "dilation": (4,)}),
    "solid": ("conv", (1, 5, 6, 7, 3), (2, 3, 2, 3, 4),
              {k: (v[0],) * 3 for k, v in STEP.items()}),
    "transposed": ("conv_backward_data", (2, 4, 5, 12), (3, 3, 9, 12),
                   {**TWO, "input_shape": (8, 10)}),
    "transposed with gaps": ("conv_backward_data", (2, 4, 3, 6), (2, 2, 5, 6),
                             {**PLAIN, "strides": (3, 3), "input_shape": (12, 8)}),
    "transposed pointwise": ("conv_backward_data", (2, 4, 5, 12), (1, 1, 40, 12),
                             {**PLAIN, "input_shape": (4, 5)}),
    "one row": ("dense", (1, 70), (70, 45), {}),
    "three rows": ("dense", (3, 70), (70, 1030), {}),
    "rows": ("dense", (50, 70), (70, 45), {}),
    "one feature": ("dense", (9, 70), (70, 1), {}),
    "one deep feature": ("dense", (9, 4100), (4100, 1), {}),
    "split": ("dense", (10, 4100), (4100, 21), {}),
    "steps": ("dense", (3, 5, 6), (6, 7), {}),
    "batched": ("matmul", (3, 9, 14), (3, 14, 20), {}),
    "shared": ("matmul", (3, 9, 14), (14, 20), {}),
    "turned": ("matmul", (9, 14), (20, 14), {"transpose_b": True}),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_the_whole_epilogue_gives_the_bits_of_its_ops(case, dtype):
    name, x, w, attrs = CASES[case]
    arrays = operands(name, x, w, dtype, **attrs)
    for parts in (PARTS, ("scale", "shift", "relu"), ("other",)):
        program = check_same_as_eager(followed(name, parts, **attrs), *arrays)
        column = "feature" in case and parts != ("other",)  # computed as a row
        assert len(steps(program)) == 1 + column, program.describe()


@pytest.mark.parametrize("case", ["winograd", "depthwise", "transposed", "split", "three rows"])
def test_every_choice_of_parts(case):
    name, x, w, attrs = CASES[case]
    arrays = operands(name, x, w, **attrs)
    threads = _core.num_threads()
    tensors = [_core.tensor(a) for a in arrays]
    for used in itertools.product((False, True), repeat=len(PARTS)):
        parts = [part for part, take in zip(PARTS, used, strict=True) if take]
        fn = followed(name, parts, **attrs)
        program = compiled(fn, *arrays)
        # Two sums over the features without a scale between them are a cluster of their own.
        twice = "bias" in parts and "shift" in parts and "scale" not in parts
        assert len(steps(program)) == 1 + twice, program.describe()
        np.testing.assert_array_equal(program.run(tensors)[0].numpy(), fn(*tensors)[0].numpy())
    _core.set_num_threads(threads)


def test_nan_and_infinity_pass_through():
    arrays = operands("dense", (8, 5), (5, 20))
    arrays[0][3, 2], arrays[5][2, 4], arrays[3][7] = np.nan, np.nan, np.inf
    check_same_as_eager(followed("dense", PARTS), *arrays)


def test_empty_results():
    for x in ((0, 5), (3, 0)):
        check_same_as_eager(followed("dense", PARTS), *operands("dense", x, (x[1], 4)))
    x = (0, 6, 6, 2)
    check_same_as_eager(followed("conv", PARTS, **STEP), *operands("conv", x, (3, 3, 2, 4), **STEP))


def test_a_dense_layer_of_one_feature_leaves_its_neighbours_alone():
    # The product of a column needs no workspace where it is turned, but much where it is split.
    x, w, column = array(40, 4096), array(4096, 24, seed=1), array(4096, 1, seed=2)
    b = array(1, seed=3)

    def fn(x, w, column, b):
        return [_core.apply("dense", [x, column, b]), _core.apply("dense", [x, w])]

    check_same_as_eager(fn, x, w, column, b)


def test_only_what_nobody_else_reads_is_fused():
    arrays = operands("conv", (2, 6, 6, 4), (3, 3, 4, 8), **STEP)

    def fn(x, w, bias, scale, shift, other):
        y = _core.apply("conv", [x, w], **STEP)
        z = y * scale + shift
        return [z, _core.apply("relu", [z]), y + other]

    assert steps(check_same_as_eager(fn, *arrays))[0].startswith("conv(")


@pytest.mark.parametrize("turned", [False, True])
def test_one_of_two_convolutions_takes_the_sum(turned):
    x, w, u = array(2, 6, 5, 8), array(3, 3, 8, 8, seed=1), array(3, 3, 8, 8, seed=2)

    def fn(x, w, u):
        a, b = (_core.apply("conv", [x, v], **STEP) for v in (w, u))
        y = _core.apply("relu", [b + a if turned else a + b])
        z = _core.apply("relu", [_core.apply("conv", [y, w], **STEP) + y])
        return [z]

    lines = steps(check_same_as_eager(fn, x, w, u))
    assert [line.split("(")[0] for line in lines] == ["conv", "conv+other+relu", "conv+other+relu"]


def test_a_sum_that_a_cluster_reads_is_left_to_it():
    def fn(x, w, other):
        return [hb.ops.tanh(_core.apply("dense", [x, w]) + other)]

    lines = steps(check_same_as_eager(fn, array(9, 5), array(5, 20), array(9, 20)))
    assert [line.split("(")[0] for line in lines] == ["dense", "add+tanh"]


def normalized(parts, seen):
    """Batch normalisation that trains, what follows, and all gradients; `seen`: y is kept, too."""

    def fn(x, gamma, beta, other, dy):
        with hb.GradientTape() as tape:
            for value in (x, gamma, beta, other):
                tape.watch(value)
            y, mean, var = _core.apply("batch_norm", [x, gamma, beta], epsilon=1e-3)
            moved = mean * 0.9 + var  # as the moving averages: between the norm and what follows
            z = other + y if "other" in parts else y
            z = _core.apply("relu", [z]) if "relu" in parts else z
        grads = tape.gradient(z, [x, gamma, beta, other], output_gradients=dy)
        return [z, moved, *[g for g in grads if g is not None], *([y] if seen else [])]

    return fn


@pytest.mark.parametrize("shape", [(9, 5, 7, 3), (4, 6, 6, 24), (30, 20), (6, 1100), (8, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_norms_take_what_follows(shape, dtype):
    n = shape[-1:]
    x, gamma, beta = array(*shape, dtype=dtype), array(*n, dtype=dtype), array(*n, dtype=dtype)
    other, dy = array(*shape, dtype=dtype, seed=1), array(*shape, dtype=dtype, seed=2)
    x.flat[2], dy.flat[5] = 1e30, -0.0
    for parts in (("relu",), ("other",), ("other", "relu"), ()):
        for seen in (False, True):
            program = check_same_as_eager(normalized(parts, seen), x, gamma, beta, other, dy)
            text = program.describe()
            fused = "".join("+" + part for part in parts) if not seen or not parts else ""
            assert f"batch_norm{fused}(" in text
            assert ("relu_grad" in text) == ("relu" in parts and (seen or "other" in parts))


def test_the_gradient_of_a_relu_goes_with_its_own_norm_alone():
    """Two norms of one input; dy of the first passes the second one's ReLU."""
    x, gamma, beta = array(40, 6), array(6), array(6, seed=1)
    dy, eps = array(40, 6, seed=3), {"epsilon": 1e-3}

    def fn(x, gamma, beta, dy):
        _, mean, var = _core.apply("batch_norm", [x, gamma, gamma], **eps)
        y, _, _ = _core.apply("batch_norm", [x, gamma, beta], **eps)
        z = _core.apply("relu", [y])
        dz = _core.apply("relu_grad", [z, dy])
        return [z, *_core.apply("batch_norm_grad", [x, gamma, mean, var, dz], **eps)]

    assert "relu_grad" in check_same_as_eager(fn, x, gamma, beta, dy).describe()


def test_a_norm_that_nobody_can_pass_waits_for_a_later_sum():
    def fn(x, gamma, beta):
        y, mean, _ = _core.apply("batch_norm", [x, gamma, beta], epsilon=1e-3)
        return [_core.apply("relu", [y + (x + mean)])]

    check_same_as_eager(fn, array(40, 6), array(6), array(6, seed=1))


def test_the_epilogue_is_no_argument():
    x, w = array(3, 4), array(4, 5)
    with pytest.raises(ValueError, match=r"dense: the attribute 'epilogue' is set by the comp"):
        _core.apply("dense", [x, w], epilogue=[4])
    with pytest.raises(ValueError, match=r"batch_norm: the attribute 'epilogue' is set by the com"):
        _core.apply("batch_norm", [x, x[0], x[0]], epsilon=1e-3, epilogue=[4])


@st.composite
def graphs(draw):
    """Steps over values of one shape: (op, first operand, second operand), and what is kept."""
    count = draw(st.integers(1, 9))
    ops = st.sampled_from(["conv", "scale", "shift", "add", "relu", "norm", "trained"])
    chain = []
    for i in range(count):
        value = st.integers(max(0, i - 2), i) if draw(st.booleans()) else st.just(i)
        chain.append((draw(ops), draw(value), draw(st.integers(0, i))))
    kept = draw(st.lists(st.integers(1, count), min_size=1, max_size=3, unique=True))
    return chain, kept


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_random_graphs_compute_what_their_ops_compute(graph):
    chain, kept = graph
    v = [array(6, seed=s) for s in range(4)]
    w = array(3, 3, 6, 6, seed=9) * 0.3

    def fn(x):
        values = [x]
        for op, a, b in chain:
            a, b = values[a], values[b]
            if op == "conv":
                y = _core.apply("conv", [a, w], **STEP)
            elif op == "scale":
                y = a * v[0]
            elif op == "shift":
                y = v[1] + a
            elif op == "add":
                y = a + b
            elif op == "relu":
                y = _core.apply("relu", [a])
            elif op == "trained":
                y, mean, var = _core.apply("batch_norm", [a, v[0], v[1]], epsilon=1e-3)
                values[0] = values[0] + mean * var  # read between the norm and what follows it
            else:
                y = hb.ops.batch_normalization(a, v[2], v[3] ** 2, -1, v[1], v[0])
            values.append(y)
        return [values[i] for i in kept]

    x = array(2, 5, 4, 6, seed=11)
    tensor = _core.tensor(x)
    for got, want in zip(compiled(fn, x).run([tensor]), fn(tensor), strict=True):
        np.testing.assert_array_equal(got.numpy(), want.numpy())
