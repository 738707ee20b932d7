"""Functions that are named where they are offered and imported where they are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from operator import attrgetter
from typing import Any


class deferred:  # noqa: N801 - it is used like a function
    """The function that ``package.module:name`` names, imported when it is first called; ``name`` may be dotted."""

    def __init__(self, target: str) -> None:
        self.target = target

    def _function(self) -> Callable[..., Any]:
        module, _, name = self.target.partition(":")
        found: Callable[..., Any] = attrgetter(name)(import_module(module))
        return found

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns."""
        return self._function()(*args, **kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self._function())
