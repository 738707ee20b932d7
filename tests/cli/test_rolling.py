"""``uara simulate`` of requests that arrive over time: one row a request and method, in a table and in a file."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hetedge_cases import make_hetedge

from uara.hetedge.rolling import BASELINES, COLUMNS

from .conftest import Command

REQUESTS = 6


@pytest.fixture
def arrivals(tmp_path: Path) -> Path:
    """A file of requests that arrive one by one."""
    instance = make_hetedge(REQUESTS, 3)
    ready_ms = np.random.default_rng(3).exponential(40.0, REQUESTS).cumsum()
    requests = instance.requests.replace(ready_ms=ready_ms, upload_bits=np.zeros(REQUESTS))
    instance.replace(requests=requests).save(tmp_path / "arrivals.json")
    return tmp_path / "arrivals.json"


def test_every_method_answers_every_request(uara: Command, arrivals: Path, tmp_path: Path) -> None:
    told = tmp_path / "told.csv"
    words = ["simulate", arrivals, "--solver", "hetedge-rules:order=work", "-o", told]
    found = uara(*words, "--json")
    assert found.code == 0, found.err
    assert [tuple(row) for row in found.data] == [COLUMNS] * len(found.data)
    methods = {row["method"] for row in found.data}
    assert {"hetedge-rules order=work", *BASELINES} <= methods
    for method in methods:
        own = [row for row in found.data if row["method"] == method]
        assert len({row["request"] for row in own}) == len(own) == REQUESTS
        for row in own:
            assert row["response_ms"] == pytest.approx(row["complete_ms"] - row["ready_ms"])
            assert row["response_ms"] > 0
    with told.open(encoding="utf-8") as lines:
        kept = list(csv.reader(lines))
    assert kept[0] == list(COLUMNS)
    assert [[row[0], row[1]] for row in kept[1:]] == [[row["method"], row["request"]] for row in found.data]
    table = uara("simulate", arrivals, "--solver", "hetedge-rules")
    assert f"{REQUESTS} requests; response: from arrival to answer" in table.out
    for name in ("hetedge-rules", "shortest first"):
        assert name in table.out


def test_a_file_of_another_kind_is_not_replaced(uara: Command, arrivals: Path) -> None:
    found = uara("simulate", arrivals, "--solver", "hetedge-rules", "-o", arrivals)
    assert found.code == 2
    assert arrivals.read_text(encoding="utf-8").startswith("{")
