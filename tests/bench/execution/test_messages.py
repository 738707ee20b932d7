from __future__ import annotations

from typing import Any

import pytest

from uara.base.errors import InputError, MissingExtra, SolverError
from uara.bench.execution.messages import Introduction, RawAnswer
from uara.isolation.messages import read, write


@pytest.mark.parametrize(
    "details",
    [{"x": 10**400}, {"x": float("inf")}, {"x": True}, {"x": "1"}, {"\u202e": 1.0}, {"a" * 101: 1.0},
     {str(k): 1.0 for k in range(201)}, {str(k): "a" for k in range(100_000)}],
)  # fmt: skip
def test_details_are_few_words_and_finite_numbers(details: dict[str, Any]) -> None:
    content = {"decision": {}, "ended": "completed", "details": details}
    with pytest.raises(InputError, match=r"answer\.details"):
        read(write("answer", content), {"answer": RawAnswer})


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"reason": "x is not installed", "missing": ["x", "scip"]}, MissingExtra),
        ({"reason": "cannot be imported"}, SolverError),
    ],
)
def test_a_solver_that_cannot_be_used_says_why(facts: dict[str, Any], error: type[Exception]) -> None:
    found = Introduction(
        name="s", kind="p1", warm_start=False, summary="", undocumented=[], options=[], **facts
    )
    with pytest.raises(error):
        found.require()


def test_a_solver_that_can_be_used_is() -> None:
    Introduction(
        name="s", kind="p1", warm_start=False, summary="", undocumented=[], options=[], reason=None
    ).require()
