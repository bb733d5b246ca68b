"""Shapes and dtypes of a layer's outputs, found without numbers."""

import inspect
from typing import Any

from hornbeam import tree
from hornbeam.layers._building import Building, as_shapes
from hornbeam.layers._call import is_tensor_like, shapes_of
from hornbeam.symbolic import KerasTensor, infer


class Inference(Building):
    """Symbolic outputs of `call`."""

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The forward pass; subclasses define it."""
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `call()` method implemented."
        )

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs of a call on KerasTensors, as KerasTensors."""
        if type(self).compute_output_shape is not Inference.compute_output_shape:
            given = self._call_signature.bind(args, kwargs)
            names = list(inspect.signature(self.compute_output_shape).parameters)
            shapes = {f"{k}_shape": shapes_of(v) for k, v in given.items() if is_tensor_like(v)}
            if len(names) == 1:
                result = self.compute_output_shape(next(iter(shapes.values())))
            else:
                known = {key: value for key, value in shapes.items() if key in names}
                result = self.compute_output_shape(**known)
            return _shapes_to_tensors(result, self._output_dtype(args))
        return infer(self._converted_call, args, kwargs)

    def _output_dtype(self, args: tuple[Any, ...]) -> str:
        return self.compute_dtype

    def _converted_call(self, *args: Any, **kwargs: Any) -> Any:
        return self.call(*self._convert(args), **self._convert(kwargs))

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Shapes of the outputs from shapes of the inputs; `None` is an unknown size."""
        self._check_super_called()
        names = self._call_signature.names
        if not self.built:
            self.build(*args, **kwargs)
        shapes = {key.removesuffix("_shape"): value for key, value in kwargs.items()}
        given = {**dict(zip(names, args, strict=False)), **shapes}
        if "input" in given and names:
            given[names[0]] = given.pop("input")
        tensors = {key: _shapes_to_tensors(s, self.compute_dtype) for key, s in given.items()}
        specs = infer(self._converted_call, (), tensors)
        return tree.map_structure(lambda spec: spec.shape, specs)


def _shapes_to_tensors(shapes: Any, dtype: str) -> Any:
    """KerasTensors in the place of nested shapes."""
    shapes = as_shapes(shapes)
    if isinstance(shapes, dict):
        return {key: _shapes_to_tensors(item, dtype) for key, item in shapes.items()}
    if isinstance(shapes, list):
        return [_shapes_to_tensors(item, dtype) for item in shapes]
    return None if shapes is None else KerasTensor(shapes, dtype)
