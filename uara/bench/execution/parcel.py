"""Packing work for a process of its own: what that process could not import travels by value."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from uara.base.extras import needs


def packed(job: Any, solver: str | Callable[..., Any]) -> bytes:
    """The pickled job; a solver whose module is on no path (a notebook's, a test's) goes along by value."""
    cloudpickle = needs("cloudpickle", extra="bench")
    module = None if isinstance(solver, str) else sys.modules.get(getattr(solver, "__module__", None) or "")
    if module is None or importable(module.__name__):
        return bytes(cloudpickle.dumps(job))
    cloudpickle.register_pickle_by_value(module)
    try:
        return bytes(cloudpickle.dumps(job))
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def importable(module: str) -> bool:
    """Whether a fresh process with this one's paths would find the module's top package."""
    top = module.partition(".")[0]
    finders = (getattr(finder, "find_spec", None) for finder in sys.meta_path)
    return top == "__main__" or any(find is not None and find(top, None) is not None for find in finders)
