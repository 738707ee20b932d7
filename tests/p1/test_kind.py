"""Every hook of both shipped kinds leads somewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from uara.base.deferred import deferred
from uara.hetedge.kind import HETEDGE
from uara.p1.kind import P1
from uara.problem import Kind, kind_of


def hooks(value: Any) -> Iterator[deferred]:
    if isinstance(value, deferred):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from hooks(each)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from hooks(getattr(value, field.name))


@pytest.mark.parametrize("kind", [P1, HETEDGE], ids=lambda kind: kind.name)
def test_every_hook_is_there(kind: Kind) -> None:
    found = list(hooks(kind))
    assert len(found) > 10
    for hook in found:
        assert callable(hook._function()), hook.target


def test_kinds_are_found_by_their_names() -> None:
    assert kind_of("p1") is P1
    assert kind_of("hetedge") is HETEDGE
    assert (P1.default_solver, HETEDGE.default_solver) == ("auto", "hetedge-bound")
