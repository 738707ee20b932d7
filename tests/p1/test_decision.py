from __future__ import annotations

import math

import numpy as np
import pytest
from cases import make_instance, random_association

from uara import Allocation, InputError, allocate, evaluate


@pytest.mark.parametrize(
    ("association", "bandwidth", "compute", "text"),
    [
        ([0.5], [1], [1], "association: not a vector of int64: found float64"),
        (["0"], [1], [1], "association: not a vector"),
        ([True], [1], [1], "association: not a vector"),
        ([[0]], [1], [1], "association: has 2 dimensions"),
        ([0], ["x"], [1], "bandwidth: not a vector"),
        ([0], [1], [[1]], "compute: has 2 dimensions"),
        ([0], [1, 2], [1], "lengths differ"),
        ([10**30], [1], [1], "association: not a vector"),
        (None, [1], [1], "association: not a vector"),
    ],
)
def test_an_allocation_that_is_none_is_refused(
    association: object, bandwidth: object, compute: object, text: str
) -> None:
    with pytest.raises(InputError, match=text):
        Allocation(association, bandwidth, compute)  # type: ignore[arg-type]


def test_allocations_are_copies_that_cannot_be_written() -> None:
    shares = np.array([0.5])
    allocation = Allocation(np.array([0]), shares, shares)
    shares[0] = 9
    assert allocation.bandwidth.tolist() == [0.5]
    with pytest.raises(ValueError, match="read-only"):
        allocation.compute[0] = 1


def test_allocations_survive_plain_data() -> None:
    instance = make_instance()
    allocation = allocate(instance, random_association(instance), "optimal")
    again = Allocation.from_plain(allocation.to_plain())
    assert again.to_plain() == allocation.to_plain()
    assert evaluate(instance, again).objective_ms == evaluate(instance, allocation).objective_ms


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"association": [-1]}, "$.decision.association[0]"),
        ({"association": [2**40]}, "$.decision.association[0]"),
        ({"bandwidth": [math.nan]}, "$.decision.bandwidth[0]"),
        ({"compute": ["1"]}, "$.decision.compute[0]"),
        ({"compute": 1.0}, "$.decision.compute"),
        ({"colour": 1.0}, "$.decision.colour"),
    ],
)
def test_plain_data_that_is_no_allocation_is_refused(change: dict[str, object], path: str) -> None:
    with pytest.raises(InputError) as caught:
        Allocation.from_plain({"association": [0], "bandwidth": [1.0], "compute": [1.0], **change})
    assert caught.value.path == path
