from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uara.base.scores import FEASIBILITY_TOLERANCE, Violation, finite


@given(st.floats())
def test_what_json_has_no_number_for_is_nothing(value: float) -> None:
    found = finite(value)
    assert (found is None) == (not math.isfinite(value))
    assert found is None or found == value
    assert json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(("amount", "plain"), [(0.25, 0.25), (math.inf, None), (math.nan, None)])
def test_a_violation_says_what_where_and_how_much(amount: float, plain: float | None) -> None:
    broken = Violation("(4) bandwidth budget", "s1", amount)
    assert broken.to_plain() == {"constraint": "(4) bandwidth budget", "where": "s1", "amount": plain}
    assert str(broken).startswith("(4) bandwidth budget at s1: ")
    assert str(Violation("(3)", "d0", 0.12345)) == "(3) at d0: 0.123 too much"


def test_only_rounding_is_tolerated() -> None:
    assert 0 < FEASIBILITY_TOLERANCE <= 1e-9
