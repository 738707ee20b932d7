"""The benchmark harness: run solvers on instances in processes of their own, record, rank, report."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from uara.base.extras import explained

_PUBLIC = {
    "Results": "uara.bench.results",
    "Suite": "uara.bench.suite",
    "frame": "uara.bench.adhoc",
    "rank": "uara.bench.adhoc",
    "run": "uara.bench.runner",
}

__all__ = sorted(_PUBLIC)

if TYPE_CHECKING:
    from uara.bench.adhoc import frame as frame
    from uara.bench.adhoc import rank as rank
    from uara.bench.results import Results as Results
    from uara.bench.runner import run as run
    from uara.bench.suite import Suite as Suite


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'uara.bench' has no attribute {name!r}")
    try:
        value = getattr(import_module(_PUBLIC[name]), name)
    except ImportError as error:
        raise explained(error, "bench") or error from None
    globals()[name] = value
    return value
