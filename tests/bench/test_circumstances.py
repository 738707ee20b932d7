from __future__ import annotations

from uara.bench.circumstances import busyness, coverage, limits, software

from .conftest import made_up

ROW = {"controllable_ms": 1.0}


def test_what_is_the_same_is_not_told() -> None:
    old, new = made_up([ROW]), made_up([ROW])
    for tell in (software, busyness, coverage):
        assert tell(old, new) == []
    assert limits([("s", old.runs, new.runs)]) == []


def test_what_differs_is_told_once() -> None:
    old = made_up([{**ROW, "python": "3.11", "load_1min": 0.1}, {**ROW, "instance": "j"}])
    new = made_up([{**ROW, "python": "3.12", "load_1min": 2.0, "time_limit_s": 20.0}])
    assert software(old, new) == ["python: 3.11 -> 3.12"]
    assert busyness(old, new) == ["load of the machine (median): 0.1 -> 2.0"]
    assert coverage(old, new) == ["1 pairs of instance and solver are in the old results only"]
    pairs = [("s", old.runs, new.runs), ("t", old.runs, new.runs)]
    assert limits(pairs) == ["time_limit_s: 10 -> 20 (s, t)"]


def test_a_load_that_only_one_file_knows_is_told() -> None:
    old, new = made_up([ROW]), made_up([{**ROW, "load_1min": 2.0}])
    assert busyness(old, new) == ["load of the machine (median): unknown -> 2.0"]
