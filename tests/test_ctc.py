"""CTC and the rarer ops against Keras; custom gradients, and derivatives along a direction."""

import itertools
import math

import numpy as np
import pytest

import hornbeam as hb
from golden import bounds, ctc_cases, store
from hornbeam import ops
from hornbeam._function import Function

GOLDEN = store.load("ctc")


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("case", ctc_cases.LOSSES.values(), ids=lambda case: case.name)
def test_loss_and_gradient(case, traced):
    target, logits, target_length, output_length = case.arrays()
    weights = ctc_cases.weights(len(target)).astype("float32")

    def run(x):
        with hb.GradientTape() as tape:
            tape.watch(x)
            loss = ops.ctc_loss(target, x, target_length, output_length, case.mask_index)
            total = ops.sum(loss * weights)
        return loss, tape.gradient(total, x)

    loss, gradient = (Function(run) if traced else run)(ops.convert_to_tensor(logits))
    want = GOLDEN[f"loss {case.name}"]
    # a loss is a sum over the steps of logs, each with a few roundings; a gradient their products
    bounds.assert_close("loss", loss, want["loss"], terms=8 * case.time)
    bounds.assert_close("gradient", gradient, want["gradient"], terms=64 * case.time)


def test_loss_is_the_sum_over_alignments():
    logits = ctc_cases.logits("brute", (1, 5, 3)).astype("float64")
    p = np.exp(logits[0]) / np.exp(logits[0]).sum(-1, keepdims=True)

    def read(path):
        return tuple(c for c, _ in itertools.groupby(path) if c)

    for target in ((1,), (1, 1), (2, 1), ()):
        paths = (q for q in itertools.product(range(3), repeat=5) if read(q) == target)
        total = sum(math.prod(p[t, c] for t, c in enumerate(q)) for q in paths)
        padded = [[*target, *[0] * (3 - len(target))]]
        loss = ops.ctc_loss(padded, logits, [len(target)], [5])
        assert loss.dtype == "float64"
        np.testing.assert_allclose(loss, [-math.log(total)], rtol=1e-12)
    np.testing.assert_allclose(hb.losses.ctc([[2, 1, 0]], logits),
                               ops.ctc_loss([[2, 1]], logits, [2], [5]))  # fmt: skip


def test_training_with_ctc():
    model = hb.Sequential([hb.Input((6, 4)), hb.layers.Dense(3)])
    model.compile(hb.optimizers.Adam(0.1), hb.losses.CTC())
    x = np.random.default_rng(0).standard_normal((4, 6, 4)).astype("float32")
    y = np.array([[1, 2, 0], [2, 0, 0], [1, 1, 0], [2, 1, 2]])
    losses = model.fit(x, y, epochs=40, verbose=0).history["loss"]
    assert losses[-1] < 0.6 * losses[0]
    again = hb.losses.deserialize(hb.losses.serialize(hb.losses.CTC(reduction="sum")))
    assert again.reduction == "sum"


@pytest.mark.parametrize("name", list(ctc_cases.DECODES))
def test_decode(name):
    shape, lengths, options = ctc_cases.DECODES[name]
    paths, scores = ops.ctc_decode(ctc_cases.logits(name, shape), lengths, **options)
    want = GOLDEN[f"decode {name}"]
    np.testing.assert_array_equal(paths, want["paths"])
    assert paths.dtype == "int32"
    bounds.assert_close("scores", scores, want["scores"], terms=shape[1])


@pytest.mark.parametrize(
    ("call", "text"),
    [(lambda: ops.ctc_loss([1], np.zeros((1, 2, 3)), [1], [2]), "target must be"),
     (lambda: ops.ctc_loss([[1]], np.zeros((2, 3)), [1], [2]), "output must be"),
     (lambda: ops.ctc_loss([[1]], np.zeros((1, 2, 3)), [1, 2], [2]), "target_length must hold"),
     (lambda: ops.ctc_loss([[1]], np.zeros((2, 2, 3)), [1, 1], [2, 2]), "same batch size"),
     (lambda: ops.ctc_loss([[1]], np.zeros((1, 2, 3)), [1], [2], 3), "mask_index"),
     (lambda: ops.ctc_decode(np.zeros((1, 2, 3)), [2], "best"), "strategy must be"),
     (lambda: ops.ctc_decode(np.zeros((1, 2, 3)), [2], "beam_search", 0), "at least 1"),
     (lambda: hb.losses.ctc([1, 2], np.zeros((1, 2, 3))), "targets must be")],
)  # fmt: skip
def test_bad_arguments(call, text):
    with pytest.raises(ValueError, match=text):
        call()


@pytest.mark.parametrize("name", list(ctc_cases.OPS))
def test_rarer_ops(name):
    op, arguments = ctc_cases.OPS[name]
    result = getattr(ops, op)(*arguments)
    results = result if isinstance(result, tuple) else (result,)
    for i, found in enumerate(results):
        want = GOLDEN[f"op {name}"][str(i)]
        if name == "i0":  # over many magnitudes: relative, e^x having an error of x/2 ulp
            np.testing.assert_allclose(found, want, rtol=1e-5)
        else:
            bounds.assert_close(name, found, want, terms=16)
    if op in ("gcd", "lcm", "i0", "angle"):
        traced = Function(getattr(ops, op))(*[ops.convert_to_tensor(a) for a in arguments])
        np.testing.assert_array_equal(traced, results[0])


def test_i0_in_float64_and_its_gradient():
    x = np.linspace(-40, 40, 161)
    np.testing.assert_allclose(ops.i0(x), np.i0(x), rtol=1e-13)
    assert np.isfinite(np.asarray(ops.i0(np.float64(712.0))))
    v = ops.convert_to_tensor(np.array([0.5, -3.0, 8.0, 11.0]))
    with hb.GradientTape() as tape:
        tape.watch(v)
        y = ops.sum(ops.i0(v))
    e = 1e-6
    numeric = (np.i0(np.asarray(v) + e) - np.i0(np.asarray(v) - e)) / (2 * e)
    np.testing.assert_allclose(tape.gradient(y, v), numeric, rtol=1e-7)


def test_gcd_of_large_numbers():
    fibonacci = [1, 1]
    while len(fibonacci) < 92:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    assert int(ops.gcd(np.int64(fibonacci[-1] * 1), np.int64(fibonacci[-2]))) == 1
    assert int(ops.gcd(np.int32(fibonacci[45]), np.int32(fibonacci[44]))) == 1
    with pytest.raises(TypeError, match="integers are needed"):
        ops.gcd(np.float32(3), np.float32(6))


def test_nextafter():
    x = np.float32([0.0, 1.0, -1.0, np.inf])
    np.testing.assert_array_equal(ops.nextafter(x, np.float32(2)), np.nextafter(x, np.float32(2)))
    with pytest.raises(TypeError, match="traced"):
        Function(ops.nextafter)(ops.ones((2,)), ops.ones((2,)))


def test_lu_factor_solves():
    a = np.random.default_rng(0).standard_normal((5, 5))
    lu, pivots = (np.asarray(r) for r in ops.lu_factor(a))
    lower, upper, permuted = np.tril(lu, -1) + np.eye(5), np.triu(lu), a.copy()
    for i, p in enumerate(pivots):
        permuted[[i, p]] = permuted[[p, i]]
    np.testing.assert_allclose(lower @ upper, permuted, atol=1e-13)
    with pytest.raises(ValueError, match="complex eigenvalues"):
        ops.eig(np.array([[0.0, 1.0], [-1.0, 0.0]]))
    for name in ("polar", "view_as_complex", "view_as_real"):
        with pytest.raises(NotImplementedError, match="no complex tensors"):
            getattr(ops, name)(*([1.0, 1.0] if name == "polar" else [[1.0, 1.0]]))


@pytest.mark.parametrize("traced", [False, True])
def test_custom_gradient(traced):
    @ops.custom_gradient
    def scaled(x, y):
        def grad(*args, upstream=None):
            (upstream,) = args or (upstream,)
            return upstream * 10.0, upstream * y * y

        return x * y, grad

    def run(a, b):
        with hb.GradientTape(persistent=True) as outer:
            outer.watch(b)
            with hb.GradientTape() as tape:
                tape.watch([a, b])
                z = ops.sum(ops.square(scaled(a, b)))
            da, db = tape.gradient(z, [a, b])
            total = ops.sum(db)
        return z, da, db, outer.gradient(total, b)

    a, b = (ops.convert_to_tensor(np.float32(v)) for v in ([1.0, 2.0], [3.0, -1.0]))
    z, da, db, second = (Function(run) if traced else run)(a, b)
    x, y = np.asarray(a), np.asarray(b)
    assert float(z) == float(np.sum((x * y) ** 2))
    np.testing.assert_allclose(da, 2 * x * y * 10)
    np.testing.assert_allclose(db, 2 * x * y * y * y)
    assert second is not None


def test_custom_gradient_of_several_outputs_and_bad_ones():
    @ops.custom_gradient
    def pair(x):
        return {"a": x, "b": x * 2}, lambda upstream: upstream[0] + 100 * upstream[1]

    v = hb.Variable(3.0)
    with hb.GradientTape() as tape:
        y = pair(v)["b"]
    assert float(tape.gradient(y, v)) == 100.0

    @ops.custom_gradient
    def wrong(x):
        return x, lambda upstream: (upstream, upstream)

    with hb.GradientTape() as tape:
        y = wrong(v)
    with pytest.raises(ValueError, match="1 inputs, but its gradient"):
        tape.gradient(y, v)


def test_jvp():
    w = np.random.default_rng(0).standard_normal((3, 2))

    def f(x, y):
        return {"s": ops.sin(x) * y, "m": ops.matmul(x, w)}

    x, y = np.array([[0.5, -1.0, 2.0]]), np.array([[2.0, 3.0, 4.0]])
    dx, dy = np.array([[1.0, 0.0, -1.0]]), np.array([[0.5, 0.5, 0.0]])
    assert ops.linalg.jvp is ops.jvp
    out, derivative = ops.jvp(f, (x, y), (dx, dy))
    np.testing.assert_allclose(out["s"], np.sin(x) * y)
    np.testing.assert_allclose(derivative["s"], np.cos(x) * dx * y + np.sin(x) * dy)
    np.testing.assert_allclose(derivative["m"], dx @ w)
    _, derivative, aux = ops.jvp(lambda a: (a * 3.0, "rest"), (x,), (dx,), has_aux=True)
    np.testing.assert_allclose(derivative, 3 * dx)
    assert aux == "rest"
    with pytest.raises(ValueError, match="same structure"):
        ops.jvp(ops.sin, (x,), (dx[0],))
