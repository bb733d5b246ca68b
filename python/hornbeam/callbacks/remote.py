"""Metrics of every epoch, sent to a server."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
import warnings
from typing import Any

import numpy as np

from hornbeam.callbacks.callback import Callback

_SECONDS = 10


class RemoteMonitor(Callback):
    """Posts the metrics of every epoch to a server; one that cannot be reached is a warning.

    Args:
        root: The server, "http://localhost:9000" for example.
        path: Path there.
        field: Form field that holds the JSON.
        headers: Headers of your own.
        send_as_json: Whether the JSON is sent as it is ("application/json"), without a form.
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        if not root.startswith(("http://", "https://")):
            raise ValueError(
                f"RemoteMonitor: root must begin with http:// or https://. Received: {root!r}."
            )
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        values = {"epoch": epoch, **{k: _plain(v) for k, v in (logs or {}).items()}}
        text, kind = json.dumps(values), "application/json"
        if not self.send_as_json:
            text = urllib.parse.urlencode({self.field: text})
            kind = "application/x-www-form-urlencoded"
        request = urllib.request.Request(
            self.root + self.path, text.encode(), {"Content-Type": kind, **(self.headers or {})}
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS):
                pass
        except urllib.error.HTTPError:
            pass  # it was reached
        except OSError as error:
            warnings.warn(
                f"RemoteMonitor: could not reach the server at {self.root} ({error}).", stacklevel=2
            )


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
