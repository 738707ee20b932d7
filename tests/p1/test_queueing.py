"""Queueing slots are those of the exact quotient."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from cases import make_instance

from uara import solution, solve
from uara.p1.proof import check_files
from uara.p1.queueing import whole_slots


@pytest.mark.parametrize("slot_ms", [10.0, 7.0, 0.1, 1e-3])
def test_they_are_those_of_fractions(slot_ms: float) -> None:
    rng = np.random.default_rng(0)
    speed = rng.uniform(1e12, 9e13, 400)
    backlog = speed * (slot_ms / 1e3) * rng.integers(0, 40, 400)
    backlog[::3] *= rng.uniform(0.5, 1.5, len(backlog[::3]))
    exact = [
        math.ceil(Fraction(b) * 1000 / (Fraction(f) * Fraction(slot_ms)))
        for b, f in zip(backlog.tolist(), speed.tolist(), strict=True)
    ]
    assert whole_slots(backlog, speed, slot_ms).tolist() == exact
    assert np.ceil(backlog / (speed * (slot_ms / 1e3))).tolist() != exact  # so that the case is one


def test_an_answer_with_whole_slots_is_accepted(tmp_path) -> None:  # type: ignore[no-untyped-def]
    network = make_instance(8, 3, 1, missing=0.0)
    speed = np.array([3.3333e12, 7.7e13, 1.2345e13])
    servers = network.servers.replace(
        compute_flop_per_s=speed, backlog_flop=speed * 0.01 * np.array([1, 3, 7])
    )
    instance = network.replace(servers=servers)
    instance.save(tmp_path / "i.json")
    solution.save(solve(instance, "price"), tmp_path / "s.json")
    assert check_files(tmp_path / "i.json", tmp_path / "s.json").refusals == []
