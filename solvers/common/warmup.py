"""A run on the smallest instance before the clock starts: machine code is loaded for the very types of a real run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uara.base.files import Record
from uara.p1.instance import Instance
from uara.p1.smallest import smallest_instance
from uara.solver import Context


def rehearse(function: Callable[[Instance, Context[Any]], object], options: Record) -> None:
    """Run a solver on the smallest instance."""
    function(smallest_instance(), Context(smallest_instance(), options))
