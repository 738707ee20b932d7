from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from uara.bench import Results
from uara.bench.metrics import scored
from uara.bench.report import curves
from uara.bench.report.section import Facts

from ..conftest import made_up


def test_gap_curves_fall_from_one() -> None:
    results = made_up(
        [{"controllable_ms": 10.0, "runtime_s": 2.0}, {"label": "f", "status": "timeout"}],
        [{"run_id": "run0", "elapsed_s": 1.0, "controllable_ms": 20.0}],
    )
    runs, times = scored(results), np.array([0.5, 1.5, 3.0])
    assert curves.gap_curve(runs.iloc[0], results.points, 10.0, times).tolist() == [1.0, 0.5, 0.0]
    assert curves.gap_curve(runs.iloc[1], None, 10.0, times).tolist() == [1.0, 1.0, 1.0]


def test_both_profiles_count_the_same_failures(recorded: Path) -> None:
    runs = scored(Results.load(recorded))
    found = curves.profiles(runs)
    for label in ("bench_trials:raises", "max-sinr"):
        solved = {name: one[label].at(1e12) for name, one in found.items()}
        share = (runs[runs["label"] == label]["status"] == "ok").sum() / runs["instance"].nunique()
        assert solved["quality"] == pytest.approx(share)
        assert solved["time"] <= solved["quality"]


def test_every_chart_of_a_real_result_is_well_formed(recorded: Path) -> None:
    facts = Facts.of(Results.load(recorded))
    found = curves.profiles(facts.runs)
    for picture in (
        curves.profile_drawing("quality", found["quality"], dict(facts.places)),
        curves.mean_gap_drawing(facts),
        curves.anytime_drawing(facts, str(facts.known.index[0]), "n"),
    ):
        root = ElementTree.fromstring(picture.inline())
        labels = {each.attrib["data-series"] for each in root.iter() if "data-series" in each.attrib}
        assert labels <= set(facts.places)
        assert len(labels) >= 5
