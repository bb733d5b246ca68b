"""Calling a layer: conversion, checks, build, training flag, masks and losses around `call`."""

import warnings
from typing import Any

import numpy as np

from hornbeam import _core, tree
from hornbeam._context import CallContext, this_thread
from hornbeam.dtype_policies import DTypePolicyMap
from hornbeam.dtype_policies.policy import FLOATS
from hornbeam.layers._call import (
    CallSignature,
    get_mask,
    is_tensor_like,
    masks_of,
    set_autocast,
    set_mask,
    shapes_of,
)
from hornbeam.layers._inference import Inference
from hornbeam.layers._losses import AddedLosses
from hornbeam.layers.input_spec import assert_input_compatibility
from hornbeam.symbolic import any_symbolic


class Forward(Inference, AddedLosses):
    """What happens around `call`."""

    activity_regularizer: Any
    supports_masking: bool
    _input_spec: Any
    _checked_shape: tuple[int, ...] | None  # the last one that fitted input_spec
    _lone_types: frozenset[Any] = frozenset({_core.Tensor, np.ndarray})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self._ready:
            self._check_super_called()
        signature = self._call_signature
        # the usual call, quickly
        lone = len(args) == 1 and not kwargs and type(args[0]) in self._lone_types
        if lone:
            first, symbolic = args[0], False
            if type(first) is not _core.Tensor:
                numeric = first.dtype.kind in "fiub"
                first = _core.tensor(first) if numeric else self._convert(first)
                args = (first,)
            if first.dtype != self._dtype_policy.name:
                first = self._convert(first)
                args = (first,)
            if self._input_spec is not None and first.shape != self._checked_shape:
                assert_input_compatibility(self._input_spec, first, self.name)
                self._checked_shape = first.shape
        else:
            args, kwargs = self._convert(args), self._convert(kwargs)
            symbolic = any_symbolic(args) or any_symbolic(kwargs.values())
            first = args[0] if args else self._first_argument(signature, kwargs)
            if self._input_spec is not None:
                assert_input_compatibility(self._input_spec, first, self.name)
        context = this_thread.context
        outer_depth, outer_training, outer_path = context.depth, context.training, context.path
        if outer_depth == 0:
            self._clear_losses()
        outer_autocast = context.autocast
        context.depth = outer_depth + 1
        context.path = (*outer_path, self.name)
        try:
            if not self.built:
                self._build_from_call(args, kwargs)
            explicit_training = kwargs.get("training")
            self._resolve_training(context, args, kwargs)
            if signature.masks and not (lone and get_mask(first) is None):
                self._fill_masks(signature, args, kwargs)
            self._enter_autocast(context)
            if symbolic:
                outputs = self.symbolic_call(*args, **kwargs)
                if explicit_training is None:  # left to whoever replays the call
                    self._inbound_nodes[-1].kwargs.pop("training", None)
            else:
                outputs = self.call(*args, **kwargs)
                if self.activity_regularizer is not None:
                    self._add_activity_losses(outputs)
            self._set_output_masks(first, outputs)
        except Exception as error:
            self._add_note(error, first)
            raise
        finally:
            context.depth, context.training, context.path = outer_depth, outer_training, outer_path
            if context.autocast != outer_autocast:
                set_autocast(context, outer_autocast)
        if symbolic and outer_depth == 0:
            self._clear_losses()
        return outputs

    def _enter_autocast(self, context: CallContext) -> None:
        """Variables are read in the compute dtype, where that is another than theirs."""
        policy = self._dtype_policy
        if context.autocast is None and policy.compute_dtype == policy.variable_dtype:
            if not isinstance(policy, DTypePolicyMap):
                return
            policy = self.dtype_policy
            if policy.compute_dtype == policy.variable_dtype:
                return
        dtype = self.compute_dtype if self.autocast and self.compute_dtype in FLOATS else None
        if dtype != context.autocast:
            set_autocast(context, dtype)

    def _add_activity_losses(self, outputs: Any) -> None:
        for output in tree.flatten(outputs):
            if isinstance(output, _core.Tensor):
                loss = self.activity_regularizer(output)
                # of one row, so that its weight does not depend on the size of the batch
                rows = output.shape[0] if output.shape else 1
                self.add_loss(loss / rows if rows else loss * 0.0)

    def _add_note(self, error: Exception, first: Any) -> None:
        """Say in which layer an error happened: the innermost one, once."""
        if hasattr(error, "add_note") and not getattr(error, "_hornbeam_noted", False):
            error.add_note(
                f"In layer '{self.name}' ({type(self).__name__}), "
                f"called on shape {shapes_of(first)}."
            )
            error._hornbeam_noted = True  # type: ignore[attr-defined]

    @staticmethod
    def _first_argument(signature: Any, kwargs: dict[str, Any]) -> Any:
        return kwargs.get(signature.names[0]) if signature.names else None

    def _resolve_training(
        self, context: CallContext, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Explicit argument, else what the outer call uses, else the default of `call`."""
        signature = self._call_signature
        training = kwargs.pop("training", None)
        positional = len(args) > signature.training_at
        if positional:
            training = args[signature.training_at]
        if training is None:
            training = context.training
        if training is None:
            training = signature.training_default
        if training is not None:
            context.training = training
            if signature.has_training and not positional:
                kwargs["training"] = training

    def _fill_masks(
        self, signature: CallSignature, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Give masks that travel with the inputs to the mask arguments that were left out."""
        given = signature.bind(args, kwargs)
        tensors = {k: v for k, v in given.items() if k not in signature.masks and is_tensor_like(v)}
        for i, (name, value) in enumerate(tensors.items()):
            target = f"{name}_mask" if f"{name}_mask" in signature.masks else "mask"
            if target == "mask" and i > 0:
                continue
            if target in signature.masks and given.get(target) is None:
                mask = masks_of(value)
                if mask is not None and signature.names.index(target) >= len(args):
                    kwargs[target] = mask

    def _set_output_masks(self, inputs: Any, outputs: Any) -> None:
        previous = get_mask(inputs) if type(inputs) is _core.Tensor else masks_of(inputs)
        if not self.supports_masking:
            if previous is not None:
                warnings.warn(
                    f"Layer '{self.name}' (of type {type(self).__name__}) was passed an input with "
                    f"a mask attached to it. However, this layer does not support masking and will "
                    f"therefore destroy the mask information. Downstream layers will not see the "
                    f"mask.",
                    stacklevel=3,
                )
            return
        if previous is None and type(self).compute_mask is Forward.compute_mask:
            return
        flat = [outputs] if type(outputs) is _core.Tensor else tree.flatten(outputs)
        if all(get_mask(output) is not None for output in flat):
            return
        masks = self.compute_mask(inputs, previous)
        if masks is None:
            return
        flat_masks = tree.flatten(masks)
        for output, mask in zip(flat, flat_masks, strict=False):
            if mask is not None and get_mask(output) is None:
                set_mask(output, mask)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs; by default that of the inputs."""
        return previous_mask
