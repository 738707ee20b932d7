"""What the simulator and the batched worlds share."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from cases import make_instance

import uara
from uara import InputError
from uara.hardware import PHONES
from uara.mec.slots import battery_capacity_j, place_on, without_outages


def test_a_trace_is_walked_back_and_forth():
    assert [place_on(3, slot) for slot in range(9)] == [0, 1, 2, 1, 0, 1, 2, 1, 0]
    assert [place_on(1, slot) for slot in range(4)] == [0] * 4
    assert [place_on(2, slot) for slot in range(4)] == [0, 1, 0, 1]


def test_an_outage_keeps_the_last_gains():
    gains = np.ones((3, 2, 2)) * 1e-9
    gains[1, 0] = 0.0
    gains[0, 1] = 0.0
    gains[2, 1] = 3e-9
    held = without_outages(gains)
    np.testing.assert_array_equal(held[1, 0], gains[0, 0])
    np.testing.assert_array_equal(held[0, 1], gains[1, 1])
    np.testing.assert_array_equal(held[2, 1], gains[2, 1])
    with pytest.raises(InputError, match="device 1 is never reached"):
        without_outages(np.array([[[1.0], [0.0]]]))


def test_batteries_are_the_instances_or_the_catalogues():
    devices = make_instance(4, 2).devices
    mean = np.mean([phone.battery_capacity_j for phone in PHONES])
    unsaid = devices.replace(battery_capacity_j=None)
    np.testing.assert_allclose(battery_capacity_j(unsaid), mean)
    said = devices.replace(battery_capacity_j=np.full(4, 5e4))
    np.testing.assert_array_equal(battery_capacity_j(said), 5e4)


def test_these_rules_are_written_once():
    """The simulator and the worlds take them from one place."""
    folder = Path(uara.__file__).parent
    named = {"BATTERY_FLOOR", "without_outages", "place_on"}
    for path in (folder / "mec").glob("*.py"):
        tree = ast.parse(path.read_text())
        made = {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        } | {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert not {name.lstrip("_") for name in made} & named or path.name == "slots.py", path
