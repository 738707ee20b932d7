from __future__ import annotations

import dataclasses
import json
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uara.base.columnar import (
    ColumnarDecision,
    FloatColumn,
    IndexColumn,
    OptionalFloats,
    column,
    columnar,
    freeze_fields,
    frozen,
)
from uara.base.errors import InputError
from uara.base.files import Record


@columnar
class Stones:
    """Weights, places and perhaps colours."""

    weight_kg: FloatColumn = column()
    place: IndexColumn = column()
    colour: OptionalFloats = column(default=None)

    def __post_init__(self) -> None:
        freeze_fields(self, {"weight_kg": np.float64, "place": np.int64}, source="stones")


@given(st.lists(st.floats(allow_nan=False), max_size=5))
def test_every_array_like_becomes_a_read_only_array(values: list[float]) -> None:
    for given_values in (values, tuple(values), np.array(values)):
        stones = Stones(given_values, range(3))
        assert stones.weight_kg.tolist() == values
        assert stones.place.dtype == np.int64
        assert not stones.weight_kg.flags.writeable
        assert not stones.place.flags.writeable


def test_what_was_given_stays_the_callers() -> None:
    mine = np.ones(3)
    stones = Stones(mine, [0, 1, 2])
    mine[0] = 7.0
    assert stones.weight_kg.tolist() == [1.0, 1.0, 1.0]


def test_records_are_frozen_and_compared_by_identity() -> None:
    stones = Stones([1.0], [0])
    assert stones != Stones([1.0], [0])
    assert stones.colour is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        stones.place = [1]  # type: ignore[misc]
    with pytest.raises(TypeError, match="place"):
        Stones([1.0])  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("weight_kg", "place", "problem"),
    [
        (["heavy"], [0], r"stones: weight_kg: not a vector of float64: found <U5"),
        ([1.0], [0.5], r"stones: place: not a vector of int64: found float64"),
        ([1.0], [True], r"stones: place: not a vector of int64: found bool"),
        ([[1.0]], [0], r"stones: weight_kg: has 2 dimensions, not 1"),
        (3.0, [0], r"has 0 dimensions, not 1"),
        ([1.0, [2.0]], [0], r"not a vector of float64"),
    ],
)
def test_what_is_no_vector_is_refused_by_name(weight_kg: Any, place: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        Stones(weight_kg, place)


def test_truth_values_are_no_numbers() -> None:
    assert frozen([True, False], np.bool_, "$").dtype == np.bool_
    assert frozen([], np.bool_, "$").tolist() == []
    with pytest.raises(InputError, match="not an array of bool"):
        frozen([1, 0], np.bool_, "$.paired")
    with pytest.raises(InputError, match="not an array of float64"):
        frozen([True], float, "$")


class PilesRecord(Record):
    order: list[int]
    mass_kg: list[float]


@columnar
class Piles(ColumnarDecision):
    record: ClassVar[type[Record]] = PilesRecord

    order: IndexColumn = column()
    mass_kg: FloatColumn = column()

    def __post_init__(self) -> None:
        freeze_fields(self, {"order": np.int64, "mass_kg": np.float64}, source="piles")


def test_a_decision_is_plain_data_and_back() -> None:
    piles = Piles([1, 0], [0.5, 2])
    plain = piles.to_plain()
    assert plain == {"order": [1, 0], "mass_kg": [0.5, 2.0]}
    again = Piles.from_plain(json.loads(json.dumps(plain)))
    assert (again.order.tolist(), again.mass_kg.tolist()) == ([1, 0], [0.5, 2.0])
    with pytest.raises(InputError) as caught:
        Piles.from_plain({**plain, "order": [1, "x"]})
    assert caught.value.path == "$.decision.order[1]"
