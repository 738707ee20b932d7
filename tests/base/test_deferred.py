from __future__ import annotations

import inspect
import math

import pytest

from uara.base.deferred import deferred


def test_it_is_the_function_that_it_names() -> None:
    root = deferred("math:sqrt")
    assert root(9.0) == math.sqrt(9.0)
    assert inspect.signature(deferred("uara.base.errors:meant")).parameters.keys() == {"name", "known"}


def test_nothing_is_imported_before_it_is_called() -> None:
    lost = deferred("no_such_module:function")
    with pytest.raises(ModuleNotFoundError):
        lost()
