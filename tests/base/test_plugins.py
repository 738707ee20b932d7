"""Entry points are read once, by name in order, and none is loaded by looking."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import pytest

from uara.base import plugins


def points(*names: str, group: str = "uara.test") -> metadata.EntryPoints:
    return metadata.EntryPoints(
        [metadata.EntryPoint(name, f"no.such.module:{name}", group) for name in names]
    )


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    plugins.everything.cache_clear()
    yield
    plugins.everything.cache_clear()


def test_those_of_a_group_come_in_the_order_of_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    every = metadata.EntryPoints([*points("zebra", "ant", "mole"), *points("other", group="uara.others")])
    monkeypatch.setattr(metadata, "entry_points", lambda: every)
    assert list(plugins.offered("uara.test")) == ["ant", "mole", "zebra"]
    assert plugins.offered("uara.test")["ant"].value == "no.such.module:ant"
    assert list(plugins.offered("uara.others")) == ["other"]
    assert plugins.offered("uara.nothing") == {}
    assert "no" not in sys.modules


def test_packages_are_looked_through_once_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def look() -> Any:
        nonlocal looks
        looks += 1
        return points("one")

    monkeypatch.setattr(metadata, "entry_points", look)
    for _ in range(3):
        assert list(plugins.offered("uara.test")) == ["one"]
        assert plugins.offered("uara.others") == {}
    assert looks == 1


def test_the_toolkits_own_solvers_are_offered() -> None:
    found = plugins.offered("uara.solvers")
    assert {"price", "exact", "auto", "tma-masac"} <= set(found)
    assert found["price"].value == "uara.solvers.dual.price:price"
