"""What is inside a layer: variables and layers in its attributes, in order."""

from collections.abc import Iterator
from operator import is_
from typing import Any

import numpy as np

from hornbeam._variable import Variable
from hornbeam.random import SeedGenerator
from hornbeam.symbolic import Operation

_PLAIN, _ITEM, _LIST, _DICT = "plain", "item", "list", "dict"
_KINDS: dict[type, str] = {}  # what values of each class are to `_tracked`


# set by the package itself while models are called and trained; no Program depends on them
_QUIET = frozenset(
    {"built", "history", "stop_training"}
    | {"_build_shapes", "_call_programs", "_checked_shape", "_epoch_steps", "_flags", "_losses"}
    | {"_predict_programs", "_predict_steps", "_resumed_epoch", "_test_steps", "_train_steps"}
    | {"_validates", "_init_args", "_resume", "_callbacks", "_epoch_random"}
)
# set in each fit, and never anything that holds layers
_FLAGS = frozenset({"stop_training", "_resumed_epoch", "_validates"})


class Changes:
    """How often an attribute of any layer has been set: what is kept of layers may be outdated."""

    count = 0


changes = Changes()


class _Walked:
    """What a search through the layers found, the lists it went through, and when that was."""

    __slots__ = ("count", "found", "holders", "weights")

    def __init__(self, count: int, holders: list[Any], found: list[Any]) -> None:
        self.count, self.holders, self.found = count, holders, found
        self.weights: list[Any] | None = None  # found when they are first asked for


class Tracking(Operation):
    """Finds variables, layers, metrics and seed generators in the attributes of a layer."""

    _untracked: tuple[str, ...] = ()  # attributes in which nothing is looked for
    _ready = False
    built: bool
    _trainable: bool
    _weight_roles: dict[int, bool]  # id -> made as trainable

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name not in _QUIET:
            changes.count += 1
        if name not in self._untracked and name not in _FLAGS:
            self.__dict__.pop("_members", None)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        changes.count += 1
        self.__dict__.pop("_members", None)

    def _check_super_called(self) -> None:
        if not self._ready:
            raise RuntimeError(
                f"In layer '{type(self).__name__}', you forgot to call `super().__init__()` as the "
                f"first statement in the `__init__()` method. Go add it!"
            )

    def _tracked(self) -> list[Any]:
        """Variables, layers, metrics and seed generators in the attributes, in order, once each."""
        members = self.__dict__.get("_members")  # attributes that may hold something
        if members is None:
            kinds = [(k, v, _KINDS.get(type(v)) or _kind(type(v))) for k, v in vars(self).items()]
            members = [(v, c) for k, v, c in kinds if c is not _PLAIN and k not in self._untracked]
            self.__dict__["_members"] = members
        found: dict[int, Any] = {}
        for value, kind in members:
            if kind is _ITEM:
                found[id(value)] = value
            elif value:
                _find(value, kind, found)
        return list(found.values())

    def _own_variables(self, tracked: list[Any] | None = None) -> list[Any]:
        """Own variables: first those made as trainable, then the others."""
        tracked = self._tracked() if tracked is None else tracked
        found = [item for item in tracked if isinstance(item, Variable)]
        roles = self._weight_roles
        for variable in found:
            roles.setdefault(id(variable), bool(variable.trainable))
        if all(roles[id(variable)] for variable in found):
            return found
        return sorted(found, key=lambda variable: not roles[id(variable)])

    def _sublayers(self) -> list["Tracking"]:
        return [item for item in self._tracked() if isinstance(item, Tracking)]

    def _walk(self) -> list[tuple[Any, list[Any]]]:
        """This layer and the layers in it, depth first, each once, and what each tracks.

        Not to be changed: the same lists are returned while no attribute of a layer is set and
        the lists and dicts in the attributes hold what they held.
        """
        kept = self.__dict__.get("_walked")
        if kept is not None and kept.count == changes.count and all(map(_is_same, kept.holders)):
            return kept.found  # type: ignore[no-any-return]
        seen: set[int] = set()
        found: list[tuple[Any, list[Any]]] = []
        holders: list[tuple[Any, str, list[Any]]] = []
        stack: list[Tracking] = [self]
        while stack:
            layer = stack.pop()
            if id(layer) not in seen:
                seen.add(id(layer))
                tracked = layer._tracked()
                found.append((layer, tracked))
                for value, kind in layer.__dict__["_members"]:
                    if kind is not _ITEM:
                        _find_holders(value, kind, holders)
                stack += [item for item in reversed(tracked) if isinstance(item, Tracking)]
        self.__dict__["_walked"] = _Walked(changes.count, holders, found)
        return found

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> Iterator[Any]:
        """This layer and the layers in it, depth first, each once."""
        seen = {id(self)}
        if include_self:
            yield self
        stack = self._sublayers()[::-1]
        while stack:
            layer = stack.pop()
            if id(layer) not in seen:
                seen.add(id(layer))
                yield layer
                if recursive:
                    stack.extend(layer._sublayers()[::-1])

    @property
    def variables(self) -> list[Any]:
        """All variables: weights, states of metrics and of seed generators."""
        tracked = self._tracked()
        found: list[Any] = self._own_variables(tracked)
        for item in tracked:
            if isinstance(item, SeedGenerator):
                found.append(item.state)
            elif is_metric(item) or isinstance(item, Tracking):
                found.extend(item.variables)
        return _unique(found)

    @property
    def weights(self) -> list[Any]:
        """Weights: own trainable ones, own others, then those of the layers inside."""
        walk = self._walk()
        walked: _Walked = self.__dict__["_walked"]
        if walked.weights is None:
            found = [v for layer, tracked in walk for v in layer._own_variables(tracked)]
            walked.weights = _unique(found)
        return list(walked.weights)

    @property
    def trainable_variables(self) -> list[Any]:
        """Variables that an optimizer changes."""
        return [v for v in self.variables if v.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Any]:
        """Variables that an optimizer leaves alone."""
        if not self.trainable:
            return self.variables
        return [v for v in self.variables if not v.trainable]

    @property
    def trainable_weights(self) -> list[Any]:
        """Weights that an optimizer changes."""
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        """Weights that an optimizer leaves alone."""
        if not self.trainable:
            return self.weights
        return [v for v in self.weights if not v.trainable]

    @property
    def metrics(self) -> list[Any]:
        """Metrics of this layer and the layers inside."""
        return [m for layer in self._flatten_layers() for m in layer._tracked() if is_metric(m)]

    @property
    def metrics_variables(self) -> list[Any]:
        """Variables of the metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether the weights are trained; setting it sets it for everything inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        self._trainable = value
        for variable in self._own_variables():
            if self._weight_roles[id(variable)]:
                variable.trainable = value
        for layer in self._sublayers():
            layer.trainable = value

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Values of `weights` as NumPy arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Set the values of `weights`.

        Args:
            weights: Arrays in the order of `get_weights()`.
        """
        variables, values = self.weights, [np.asarray(w) for w in weights]
        if len(variables) != len(values):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of "
                f"length {len(values)}, but the layer was expecting {len(variables)} weights."
            )
        for variable, value in zip(variables, values, strict=True):
            if tuple(variable.shape) != value.shape:
                raise ValueError(
                    f"Layer '{self.name}': weight '{variable.path}' has shape "
                    f"{tuple(variable.shape)}, which is not compatible with the provided weight "
                    f"shape {value.shape}."
                )
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """Number of scalars in the weights."""
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't "
                f"built. You can build it manually via: `layer.build(input_shape)`."
            )
        return sum(int(np.prod(v.shape)) for v in self.weights)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Put the layer's own variables into `store` as "0", "1", ..."""
        for i, variable in enumerate(self._own_variables()):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read back what `save_own_variables` stored."""
        variables = self._own_variables()
        if len(store.keys()) != len(variables):
            hint = "" if self.built else " The layer is not built yet: call it or build() it first."
            raise ValueError(
                f"Layer '{self.name}' expected {len(variables)} variables, but received "
                f"{len(store.keys())} variables during loading.{hint}"
            )
        for i, variable in enumerate(variables):
            variable.assign(np.asarray(store[str(i)]))


def _find(value: Any, kind: str, found: dict[int, Any]) -> None:
    if kind is _ITEM:
        found[id(value)] = value
        return
    for inner in value.values() if kind is _DICT else value:
        inner_kind = _KINDS.get(type(inner)) or _kind(type(inner))
        if inner_kind is not _PLAIN:
            _find(inner, inner_kind, found)


def _items(value: Any, kind: str) -> list[Any]:
    return list(value.values() if kind is _DICT else value)


def _find_holders(value: Any, kind: str, holders: list[tuple[Any, str, list[Any]]]) -> None:
    """Lists and the like, those inside of them too, and what each holds."""
    items = _items(value, kind)
    holders.append((value, kind, items))
    for inner in items:
        inner_kind = _KINDS.get(type(inner)) or _kind(type(inner))
        if inner_kind is _LIST or inner_kind is _DICT:
            _find_holders(inner, inner_kind, holders)


def _is_same(holder: tuple[Any, str, list[Any]]) -> bool:
    value, kind, items = holder
    return len(value) == len(items) and all(map(is_, _items(value, kind), items))


def _kind(cls: type) -> str:
    """An entry of `_KINDS`, made at the first value of each class."""
    if len(_KINDS) > 1000:  # classes that come and go are not kept for ever
        _KINDS.clear()
    if issubclass(cls, (Variable, Tracking, SeedGenerator)) or _is_metric_class(cls):
        kind = _ITEM
    elif issubclass(cls, dict):
        kind = _DICT
    else:
        kind = _LIST if issubclass(cls, (list, tuple, set, frozenset)) else _PLAIN
    _KINDS[cls] = kind
    return kind


def is_metric(value: Any) -> bool:
    """Whether `value` is a metric; layers with `adapt` have methods of these names too."""
    return _is_metric_class(type(value))


def _is_metric_class(cls: type) -> bool:
    if issubclass(cls, Tracking):
        return False
    return hasattr(cls, "update_state") and hasattr(cls, "reset_state")


def _unique(variables: list[Any]) -> list[Any]:
    return list({id(variable): variable for variable in variables}.values())
