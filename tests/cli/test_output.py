"""What machines read has no number that JSON lacks."""

from __future__ import annotations

import json
import math

import pytest

from uara.cli.output import print_json


def test_numbers_that_are_not_finite_are_null(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [math.nan, {"b": (math.inf, 1.5)}], "c": -math.inf, "d": "NaN"})
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert found == {"a": [None, {"b": [None, 1.5]}], "c": None, "d": "NaN"}
