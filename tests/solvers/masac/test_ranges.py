"""What a policy was trained on: measured, and said where an instance lies outside."""

from __future__ import annotations

import warnings

import pytest
from cases import make_instance
from uara.solvers.masac.policy import Policy
from uara.solvers.masac.ranges import measures, outside, warn_outside

from uara import UaraWarning, solve


def test_an_instance_inside_says_nothing():
    instance = make_instance(20, 3)
    ranges = {name: (value, value) for name, value in measures(instance).items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_outside(ranges, instance)
        warn_outside({}, instance)


def test_what_lies_outside_is_named_in_one_line():
    instance = make_instance(20, 3, sync_weight_per_ms=0.5)
    ranges = {"devices": (1.0, 19.0), "sync_weight_per_ms": (0.0, 0.5), "servers": (4.0, 8.0)}
    assert [text.split()[0] for text in outside(ranges, instance)] == ["devices", "servers"]
    with pytest.warns(UaraWarning, match=r"devices 20 \(not 1 to 19\), servers 3") as caught:
        warn_outside(ranges, instance)
    assert "\n" not in str(caught[0].message)


@pytest.mark.parametrize("solver", ["masac", "tma-masac"])
def test_solving_outside_the_shipped_ranges_warns(solver):
    assert set(Policy.load().header.ranges) == set(measures(make_instance()))
    with pytest.warns(UaraWarning, match="sync_weight_per_ms 5"):
        solve(make_instance(10, 2, sync_weight_per_ms=5.0), solver)
