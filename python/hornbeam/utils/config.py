"""Config: named values of an experiment."""

from __future__ import annotations

import json
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from hornbeam.utils.suggest import suggest


class Config:
    """Named values, reached as attributes or as items; they can be frozen.

    Args:
        **kwargs: The first values.

    Example:
        >>> config = hb.utils.Config(learning_rate=0.1)
        >>> config.seed = 123
        >>> config["seed"], config.as_dict()
        (123, {'learning_rate': 0.1, 'seed': 123})
        >>> config.freeze()
        >>> config.seed = 1
        Traceback (most recent call last):
        ...
        ValueError: Config: it is frozen, so `seed` cannot be changed.
    """

    def __init__(self, **kwargs: Any) -> None:
        object.__setattr__(self, "_config", kwargs)
        object.__setattr__(self, "_frozen", False)

    @property
    def frozen(self) -> bool:
        """Whether values can no longer be changed."""
        return bool(object.__getattribute__(self, "_frozen"))

    def freeze(self) -> None:
        """Let no value be changed from now on."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Let values be changed again."""
        object.__setattr__(self, "_frozen", False)

    def _changing(self, name: Any) -> dict[str, Any]:
        """The values, if they may be changed."""
        if self.frozen:
            raise ValueError(f"Config: it is frozen, so `{name}` cannot be changed.")
        return self._config  # type: ignore[no-any-return]

    def as_dict(self) -> dict[str, Any]:
        """The values in a new dict."""
        return dict(self._config)

    def to_json(self) -> str:
        """The values as JSON."""
        return json.dumps(self._config)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._config.keys()  # type: ignore[no-any-return]

    def values(self) -> ValuesView[Any]:
        """The values."""
        return self._config.values()  # type: ignore[no-any-return]

    def items(self) -> ItemsView[str, Any]:
        """Pairs of names and values."""
        return self._config.items()  # type: ignore[no-any-return]

    def pop(self, *args: Any) -> Any:
        """Take a value away; as `dict.pop`."""
        return self._changing(args[0] if args else "").pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several values; as `dict.update`."""
        self._changing(", ".join(kwargs) or "values").update(*args, **kwargs)

    def get(self, keyname: str, value: Any = None) -> Any:
        """A value, or `value` if there is none of that name."""
        return self._config.get(keyname, value)

    def __setattr__(self, name: str, value: Any) -> None:
        self._changing(name)[name] = value

    def __getattr__(self, name: str) -> Any:
        values = object.__getattribute__(self, "_config")
        if name in values:
            return values[name]
        raise AttributeError(f"Config: unknown attribute '{name}'.{suggest(name, values)}")

    def __delattr__(self, name: str) -> None:
        del self._changing(name)[name]

    def __setitem__(self, key: str, item: Any) -> None:
        self._changing(key)[key] = item

    def __getitem__(self, key: str) -> Any:
        return self._config[key]

    def __delitem__(self, key: str) -> None:
        del self._changing(key)[key]

    def __repr__(self) -> str:
        return f"<Config {self._config}>"

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._config))

    def __len__(self) -> int:
        return len(self._config)

    def __contains__(self, item: object) -> bool:
        return item in self._config

    def __getstate__(self) -> Any:
        return self._config, self.frozen

    def __setstate__(self, state: Any) -> None:
        object.__setattr__(self, "_config", state[0])
        object.__setattr__(self, "_frozen", state[1])
