from __future__ import annotations

from uara.base import compiling


def test_those_who_listen_hear_of_every_kernel_and_nobody_else_does() -> None:
    first: list[str] = []
    second: list[str] = []
    compiling.begins("before")
    with compiling.hearing(first.append):
        compiling.begins("a")
        with compiling.hearing(second.append):
            compiling.begins("b")
        compiling.begins("c")
    compiling.begins("after")
    assert (first, second) == (["a", "b", "c"], ["b"])


def test_the_words_name_the_solver_and_the_time() -> None:
    assert compiling.said("price") == f"compiling price, once (about {compiling.ABOUT_S} s)"
    assert compiling.said().startswith("compiling, once")
