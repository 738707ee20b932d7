from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import hetedge_sweeps as study
import numpy as np
import pytest

import uara
from uara.cli import main
from uara.hetedge.generate import generate
from uara.hetedge.request_prices import lower_bound

pytestmark = pytest.mark.integration

DATA = Path(__file__).parents[3] / "docs" / "hetedge" / "sweeps.csv"


def test_one_quantity_is_varied() -> None:
    instance = generate(requests=8, channel="path-loss")
    fewer = study.varied(instance, "requests", 5)
    assert fewer.requests.id == instance.requests.id[:5]
    wider = study.varied(instance, "bandwidth_mhz", 3)
    assert wider.parameters.bandwidth_hz == 3e6
    assert np.array_equal(wider.requests.prompt_tokens, instance.requests.prompt_tokens)
    easier = study.varied(instance, "acceptance_rate", 0.9)
    assert easier.requests.acceptance_rate.tolist() == [0.9] * 8


@pytest.fixture(scope="module")
def rows() -> list[study.Row]:
    instance = generate(requests=14, channel="path-loss", largest_batch=4)
    sweeps = {"requests": (7, 14, 99), "bandwidth_mhz": (0.05,), "acceptance_rate": (0.9,)}
    *_, found = study.sweep_rows(instance, sweeps)
    return found


def test_the_joint_optimum_is_below_every_rule(rows: list[study.Row]) -> None:
    points = {(row.sweep, row.value) for row in rows}
    assert points == {
        ("requests", 7), ("requests", 14), ("bandwidth_mhz", 0.05), ("acceptance_rate", 0.9),
    }  # fmt: skip
    for sweep, value in points:
        totals = {row.method: row.total_ms for row in rows if (row.sweep, row.value) == (sweep, value)}
        assert set(totals) == {*study.METHODS, study.SEARCHED, "best fixed length"}
        best = totals[study.SEARCHED]
        assert best <= totals["joint optimum"] * (1 + 1e-9)
        for method, total in totals.items():
            if "joint" not in method:
                assert totals["joint optimum"] < total, method
        assert totals["best fixed length"] <= totals[study.BENCHMARK] * (1 + 1e-9)


def test_savings_are_parts_of_the_reference(rows: list[study.Row]) -> None:
    parts = study.saving(rows, study.BENCHMARK, "requests")
    totals = {(row.value, row.method): row.total_ms for row in rows if row.sweep == "requests"}
    for value, part in parts:
        assert totals[value, study.BENCHMARK] * (1 - part) == pytest.approx(totals[value, "joint optimum"])


def test_no_method_is_below_what_is_proved(rows: list[study.Row]) -> None:
    for row in rows:
        assert 0 < row.bound_ms <= row.total_ms * (1 + 1e-9)
    best = [row for row in rows if row.method == study.SEARCHED and row.sweep != "bandwidth_mhz"]
    assert all(row.gap < 0.2 for row in best)


def test_the_proof_of_the_instance_serves_at_every_band(rows: list[study.Row]) -> None:
    """A certificate of the instance itself, proved anew at another band."""
    instance = generate(requests=14, channel="path-loss", largest_batch=4)
    narrow = study.varied(instance, "bandwidth_mhz", 0.05)
    result = uara.solve(instance, "hetedge-bound", options={"search_s": 0.1, "bound_s": 0.5})
    base = study.Row(
        "requests", 14.0, study.SEARCHED, 1.0, 1.0, 1.0, 1.0, 1.0, result.certified_bound_ms or 0.0
    )
    found = study.searched(instance, narrow, "bandwidth_mhz", 0.05, [base])
    assert result.certificate is not None
    assert found.bound_ms == pytest.approx(lower_bound(narrow, result.certificate), rel=1e-6)


def test_what_is_known_is_not_solved_again(rows: list[study.Row]) -> None:
    instance = generate(requests=14, channel="path-loss", largest_batch=4)
    assert list(study.sweep_rows(instance, {"requests": (7, 14)}, known=rows)) == []
    without = [dataclasses.replace(row, bound_ms=0.0) for row in rows]
    assert study.proved([*rows, *without]) == rows


def test_the_recorded_sweeps_meet_the_bars() -> None:
    with DATA.open() as file:
        read = list(csv.DictReader(file))
    totals = {(line["sweep"], float(line["value"]), line["method"]): float(line["total_ms"]) for line in read}
    points = {key[:2] for key in totals}
    best = max(1 - totals[*point, "joint optimum"] / totals[*point, study.BENCHMARK] for point in points)
    assert best >= 0.449
    for point in points:
        for method in ("autoregressive", "autoregressive, all else optimal"):
            assert totals[*point, "joint optimum"] < totals[*point, method]


def run(words: list[str]) -> None:
    """The command; leaving with success is no error."""
    try:
        main(words)
    except SystemExit as leaving:
        if leaving.code:
            raise


@pytest.mark.slow
def test_the_toolkits_command_does_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "small.json")
    run(["hetedge", "generate", "--requests", "20", "--channel", "path-loss", "-o", file])
    run(["hetedge", "figures", file, "-o", str(tmp_path / "out")])
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "sweeps.csv", "ablation.csv", "sweeps.png", "ablation.png",
    }  # fmt: skip
