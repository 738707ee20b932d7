from __future__ import annotations

import csv
from pathlib import Path

import hetedge_sweeps as study
import numpy as np
import pytest

from uara.cli import main
from uara.hetedge.generate import generate

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
    return list(study.sweep_rows(instance, {"requests": (7, 14, 99), "acceptance_rate": (0.5, 0.9)}))


def test_the_joint_optimum_is_below_every_rule(rows: list[study.Row]) -> None:
    points = {(row.sweep, row.value) for row in rows}
    assert points == {("requests", 7), ("requests", 14), ("acceptance_rate", 0.5), ("acceptance_rate", 0.9)}
    for sweep, value in points:
        totals = {row.method: row.total_ms for row in rows if (row.sweep, row.value) == (sweep, value)}
        assert set(totals) == {*study.METHODS, "best fixed length"}
        best = totals["joint optimum, orders searched"]
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


def test_csv_holds_the_rows(tmp_path: Path, rows: list[study.Row]) -> None:
    study.write_csv(rows, tmp_path / "x.csv")
    with (tmp_path / "x.csv").open() as file:
        read = list(csv.DictReader(file))
    assert len(read) == len(rows)
    for line, row in zip(read, rows, strict=True):
        assert line["method"] == row.method
        assert float(line["total_ms"]) == pytest.approx(row.total_ms, rel=1e-5)


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
