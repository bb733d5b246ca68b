"""`hb.GradientTape` and `hb.value_and_grad`: reverse-mode differentiation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hornbeam import _core, tree

if TYPE_CHECKING:
    from typing_extensions import Self


class GradientTape:
    """Records what is computed inside `with`, so that it can be differentiated.

    Trainable Variables are watched on their own; other tensors after `watch`. The gradient is
    itself made of ops, so a tape around this one gives second derivatives.

    Args:
        persistent: Allow more than one call of `gradient`.
        watch_accessed_variables: Watch trainable Variables when they are read.

    Example:
        >>> x = hb.Variable(3.0)
        >>> with hb.GradientTape() as tape:
        ...     y = x * x
        >>> float(tape.gradient(y, x))
        6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._tape = _core.Tape(persistent, watch_accessed_variables)

    def __enter__(self) -> Self:
        self._tape.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._tape.stop()

    def watch(self, tensors: Any) -> None:
        """Differentiates with respect to these tensors or variables too."""
        for tensor in tree.flatten(tensors):
            self._tape.watch(tensor)

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Nothing inside is recorded."""
        self._tape.stop()
        try:
            yield
        finally:
            self._tape.start()

    def reset(self) -> None:
        """Forgets everything recorded."""
        self._tape.reset()

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: str = "none",
    ) -> Any:
        """The derivative of the sum of `target` with respect to each of `sources`.

        Args:
            target: A tensor, or a structure of them.
            sources: A tensor or variable, or a structure of them; the result has this structure.
            output_gradients: Weights of the target's elements, in the target's structure.
            unconnected_gradients: "none" gives None and "zero" gives zeros where a source does not
                lead to the target.

        Returns:
            Tensors of the shapes of the sources.
        """
        if unconnected_gradients not in ("none", "zero"):
            raise ValueError(
                "GradientTape.gradient: unconnected_gradients must be 'none' or 'zero'. "
                f"Received: {unconnected_gradients!r}."
            )
        targets = [_as_tensor(t) for t in tree.flatten(target)]
        seeds: Sequence[Any] = [None] * len(targets)
        if output_gradients is not None:
            seeds = tree.flatten(output_gradients)
            if len(seeds) != len(targets):
                raise ValueError(
                    f"GradientTape.gradient: {len(targets)} targets but {len(seeds)} "
                    "output_gradients."
                )
        flat = tree.flatten(sources)
        gradients = self._tape.gradient(targets, list(seeds), flat)
        if unconnected_gradients == "zero":
            gradients = [
                _core.apply("fill", [], shape=s.shape, dtype=s.dtype, value=0.0) if g is None else g
                for g, s in zip(gradients, flat, strict=True)
            ]
        return tree.pack_sequence_as(sources, gradients)

    def jacobian(self, target: Any, source: Any) -> Any:
        """d target[i] / d source[j], shape target.shape + source.shape; needs persistent=True."""
        shape = tuple(target.shape)
        rows = []
        for i in range(target.size):
            seed = _core.apply("one_hot", [_core.tensor(i)], depth=target.size, dtype=target.dtype)
            seed = _core.apply("reshape", [seed], shape=shape)
            rows.append(self.gradient(target, source, seed, unconnected_gradients="zero"))
        stacked = _core.apply(
            "concat",
            [_core.apply("reshape", [r], shape=(1, *source.shape)) for r in rows],
            axis=0,
        )
        return _core.apply("reshape", [stacked], shape=shape + tuple(source.shape))


def _as_tensor(target: Any) -> Any:
    return target.value if isinstance(target, _core.Variable) else target


def value_and_grad(
    fn: Callable[..., Any], variables: Any = None, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns what `fn` returns and its gradient.

    Args:
        fn: Returns a scalar loss, or (loss, aux) with has_aux.
        variables: What to differentiate with respect to; `fn`'s first argument where None.
        has_aux: Whether fn returns something beside the loss.

    Example:
        >>> value, gradient = hb.value_and_grad(lambda x: x * x)(hb.ops.convert_to_tensor(3.0))
        >>> float(value), float(gradient)
        (9.0, 6.0)
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        tape = GradientTape()
        with tape:
            if variables is None:
                if not args:
                    raise ValueError("value_and_grad: there is no argument to differentiate.")
                first = tree.map_structure(_core.tensor, args[0])
                args = (first, *args[1:])
                tape.watch(first)
            result = fn(*args, **kwargs)
        loss = result[0] if has_aux else result
        return result, tape.gradient(loss, args[0] if variables is None else variables)

    return wrapped
