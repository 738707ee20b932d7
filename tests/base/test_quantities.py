from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from uara.base import quantities as q

GOOD: list[tuple[Any, list[Any]]] = [
    (q.Positive, [1e-30, 1.0, 1e30]),
    (q.NonNegative, [0.0, 1e-300, 1e30]),
    (q.Finite, [-1e30, 0.0, 1e30]),
    (q.Fraction, [1e-30, 1.0]),
    (q.Index, [0, 2**31 - 1]),
    (q.Name, ["a", "x" * 200]),
    (q.Point, [[0.0, -1.0, 2.0]]),
]
BAD: list[tuple[Any, list[Any]]] = [
    (q.Positive, [0.0, -1.0, 1e31, float("nan"), float("inf")]),
    (q.NonNegative, [-1e-30, 1e31, float("nan")]),
    (q.Finite, [1e31, float("-inf"), float("nan")]),
    (q.Fraction, [0.0, 1.0000001]),
    (q.Index, [-1, 2**31]),
    (q.Name, ["", "x" * 201]),
    (q.Point, [[0.0, 1.0], [0.0] * 4, [0.0, 1.0, float("nan")]]),
]


@pytest.mark.parametrize(("quantity", "value"), [(kind, value) for kind, values in GOOD for value in values])
def test_what_is_meant_is_taken(quantity: Any, value: Any) -> None:
    assert TypeAdapter(quantity).validate_python(value) == value


@pytest.mark.parametrize(("quantity", "value"), [(kind, value) for kind, values in BAD for value in values])
def test_what_cannot_be_meant_is_refused(quantity: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(quantity).validate_python(value)
