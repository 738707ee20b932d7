"""Kernels by stages of our own compute what Numba's give, to the last bit; inner ones have no way in."""

from __future__ import annotations

import gc
import operator
import sys
from itertools import product
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uara.base import pipeline
from uara.base.kernels import Shelf, alone, kernel

FACTOR = 3.0


@kernel(inline="always", allocates=False)
def _scaled(value: float, by: float) -> float:
    return value * by


@kernel(allocates=False, inner=True)
def _weighed(values: Any, at: int) -> Any:
    """A pair, a loop that ends early, an index from the end, and text put in from elsewhere."""
    total, count = 0.0, 0
    for value in values[at:]:
        if value > 2.0:
            break
        total += max(_scaled(value, FACTOR), -1.0) / (count + 1)
        count += 1
    return total + values[-1], count


@kernel(allocates=False)
def outer(values: Any, table: Any) -> float:
    """What an inner kernel gives at each place, into a table."""
    best = -np.inf
    for at in range(len(values)):
        total, count = _weighed(values, at)
        table[0, at], table[1, at] = total, count
        best = total if total > best or count == 0 else best
    return best


def by_numba(function: Any) -> Any:
    """The same source by Numba's own stages; ``_weighed`` is no inner kernel there."""
    plain = function.py_func
    names = dict(plain.__globals__, _weighed=numba.njit(_weighed.py_func, error_model="numpy"))  # type: ignore[attr-defined]
    copy = type(plain)(plain.__code__, names, plain.__name__)
    return numba.njit(copy, error_model="numpy")


REFERENCE = by_numba(outer)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(width=64), min_size=1, max_size=12))
def test_a_kernel_gives_what_numbas_own_stages_give_bit_by_bit(values: list[float]) -> None:
    given_ = np.array(values)
    ours, theirs = np.zeros((2, len(values))), np.zeros((2, len(values)))
    found, expected = outer(given_, ours), REFERENCE(given_, theirs)
    assert np.float64(found).tobytes() == np.float64(expected).tobytes()
    assert ours.tobytes() == theirs.tobytes()


def test_an_inner_kernel_is_not_called_from_python_but_alone() -> None:
    values = np.array([1.0, 0.5, 4.0])
    outer(values, np.zeros((2, 3)))
    with pytest.raises(TypeError, match="not callable"):
        _weighed(values, 0)
    assert alone(_weighed)(values, 0) == (3.0 + 0.75 + 4.0, 2)
    with pytest.raises(TypeError):  # the way in of another kernel changes nothing
        _weighed(values, 0)


def test_no_machine_code_is_made_of_an_inner_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shelf, "load_overload", lambda *asked: None)  # whatever earlier runs have kept
    afresh = kernel(allocates=False)(outer.py_func)  # type: ignore[attr-defined]
    afresh(np.ones(2), np.zeros((2, 2)))
    inner = next(iter(_weighed.overloads.values())).library  # type: ignore[attr-defined]
    whole = next(iter(afresh.overloads.values())).library
    assert isinstance(inner, pipeline.Library)
    assert inner.inner
    assert not whole.inner
    with pytest.raises(RuntimeError, match="no compiled object"):
        inner._get_compiled_object()
    assert len(whole._get_compiled_object()) > 1000


def test_kernels_that_make_arrays_hand_them_over_and_hold_none() -> None:
    @kernel
    def changed(values: Any) -> Any:
        return (values + 1.0) * values - np.sqrt(values)

    values = np.arange(5.0)
    for _ in range(10):
        made = changed(values)
        assert (made == (values + 1.0) * values - np.sqrt(values)).all()
        assert sys.getrefcount(made) <= 2  # the name, and the call that asks
        assert sys.getrefcount(values) <= 2


def test_a_kernel_with_a_function_of_its_own_goes_through_all_of_numbas_stages() -> None:
    @kernel
    def squares(count: int) -> float:
        return sum([float(n) ** 2 for n in range(count)])

    assert squares(4) == 14.0
    assert not isinstance(next(iter(squares.overloads.values())).library, pipeline.Library)  # type: ignore[attr-defined]


@pytest.mark.parametrize("collects", [True, False])
def test_the_collector_is_as_it_was_also_where_compiling_fails(collects: bool) -> None:
    @kernel(allocates=False)
    def wrong(value: Any) -> Any:
        return value.nothing_of_this_name

    before = gc.isenabled()
    try:
        gc.enable() if collects else gc.disable()
        with pytest.raises(numba.TypingError, match="nothing_of_this_name"):
            wrong(1.0)
        assert gc.isenabled() == collects
    finally:
        gc.enable() if before else gc.disable()


def test_a_promise_to_make_no_arrays_is_held_to() -> None:
    @kernel(allocates=False)
    def making(count: int) -> Any:
        return np.zeros(count)

    with pytest.raises(numba.core.errors.NumbaError):
        making(3)


def test_remembered_signatures_are_those_that_are_found() -> None:
    context = numba.core.registry.cpu_target.typing_context
    context.refresh()
    kinds = [
        numba.int64,
        numba.float64,
        numba.boolean,
        numba.types.literal(2),
        numba.float64[::1],
        numba.int64[:, ::1],
    ]
    for name, one, two in product(("add", "lt", "truediv", "eq"), kinds, kinds):
        function = context.resolve_value_type(getattr(operator, name))
        for _ in range(2):
            try:
                expected = pipeline._asked(function, context, (one, two), {})
            except numba.TypingError:
                with pytest.raises(numba.TypingError):
                    pipeline._remembered(function, context, (one, two), {})
                continue
            key = function.get_impl_key(expected)
            found = pipeline._remembered(function, context, (one, two), {})
            assert (found, function.get_impl_key(found)) == (expected, key)


def test_the_values_of_flags_are_those_of_each() -> None:
    flags = numba.core.compiler.Flags()
    flags.nrt = True
    flags.error_model = "numpy"
    assert pipeline._values_at_once(flags) == {name: getattr(flags, name) for name in flags.options}


def test_compiling_leaves_numba_as_it_was() -> None:
    function, flags = numba.types.Function, numba.core.targetconfig.TargetConfig
    before = function.get_call_type, flags.values, gc.isenabled()

    @kernel(allocates=False)
    def failing(value: float) -> float:
        return value.nothing  # type: ignore[attr-defined,no-any-return]

    with pytest.raises(numba.TypingError):
        failing(1.0)
    assert (function.get_call_type, flags.values, gc.isenabled()) == before
    assert function.get_call_type is pipeline._asked
