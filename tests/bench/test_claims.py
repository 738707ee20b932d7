from __future__ import annotations

import math

import pytest

from uara.bench.claims import measured
from uara.bench.metrics import scored

from .conftest import made_up

CLAIM = {"solver": "new", "against": ["a", "b"], "groups": ["g"], "measure": "latency_mean_ms"}


def test_reductions_by_hand() -> None:
    values = {"new": [6.0, 9.0], "a": [10.0, 20.0], "b": [8.0, 10.0]}
    rows = [
        {"label": label, "instance": f"i{k}", "controllable_ms": value, "groups": ["g", "h"]}
        for label, numbers in values.items()
        for k, value in enumerate(numbers)
    ]
    rows.append({"label": "new", "instance": "elsewhere", "controllable_ms": 1.0, "groups": ["h"]})
    found = measured(CLAIM, scored(made_up(rows)))
    assert (found.mean, found.largest, found.smallest) == pytest.approx((0.175, 0.25, 0.1))
    assert found.each == pytest.approx({"a": (0.4 + 0.55) / 2, "b": 0.175})
    assert found.instances == 2


def test_nothing_is_measured_where_somebody_failed() -> None:
    """What is left of the instances may be the easy ones."""
    rows = [
        {"label": "new", "controllable_ms": 5.0, "groups": ["g"]},
        {"label": "a", "controllable_ms": 10.0, "groups": ["g"]},
        {"label": "b", "status": "error", "groups": ["g"]},
    ]
    rows += [{**row, "instance": "j", "status": "ok", "controllable_ms": 9.0} for row in rows]
    found = measured(CLAIM, scored(made_up(rows)))
    assert (found.instances, found.failed) == (1, 1)
    assert math.isnan(found.mean)
    assert math.isnan(found.each["b"])
    assert found.each["a"] == pytest.approx(0.25)
    nothing = measured({**CLAIM, "solver": "unknown"}, scored(made_up(rows)))
    assert nothing.instances == 0
    assert math.isnan(nothing.mean)
