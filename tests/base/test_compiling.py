"""Who listens hears of each kernel while it listens, whatever happens then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uara.base import compiling
from uara.base.kernels import kernel


@given(st.lists(st.text()), st.lists(st.text()), st.lists(st.text()))
def test_each_ear_hears_what_is_said_while_it_listens(
    one: list[str], two: list[str], three: list[str]
) -> None:
    outer: list[str] = []
    inner: list[str] = []
    with compiling.hearing(outer.append):
        for name in one:
            compiling.begins(name)
        with compiling.hearing(inner.append):
            for name in two:
                compiling.begins(name)
        for name in three:
            compiling.begins(name)
    for name in two:
        compiling.begins(name)
    assert outer == one + two + three
    assert inner == two


def test_an_ear_is_gone_after_an_error_and_may_leave_while_it_hears() -> None:
    heard: list[str] = []
    with pytest.raises(ZeroDivisionError), compiling.hearing(heard.append):
        raise ZeroDivisionError
    compiling.begins("nobody hears this")
    assert heard == []

    def once(name: str) -> None:
        heard.append(name)
        compiling._ears.remove(once)

    compiling._ears.append(once)
    with compiling.hearing(heard.append):
        compiling.begins("both")
        compiling.begins("one")
    assert heard == ["both", "both", "one"]


def test_it_hears_of_inner_kernels_too_and_of_each_once() -> None:
    @kernel(allocates=False, inner=True)
    def part(x: float) -> float:
        return x + 1.0

    @kernel(allocates=False)
    def whole(x: float) -> float:
        return 2.0 * part(x)

    heard: list[str] = []
    with compiling.hearing(heard.append):
        assert whole(1.0) == 4.0
        assert whole(2.0) == 6.0
    assert [name.rpartition(".")[2] for name in heard] in (["whole", "part"], [])  # kept since an earlier run


def test_the_words_name_the_solver_where_there_is_one() -> None:
    assert compiling.said() == f"compiling, once (about {compiling.ABOUT_S} s)"
    assert compiling.said("price") == f"compiling price, once (about {compiling.ABOUT_S} s)"
