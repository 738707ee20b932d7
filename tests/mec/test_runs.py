"""What controllers did: rows, sums, files and pictures."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from cases import make_instance

from uara import InputError, allocate, evaluate
from uara.mec.runs import COLUMNS, PANELS, Controller, SimulatedRun, row_of, save_csv, save_plot


def made(label: str, slots: int = 3) -> SimulatedRun:
    """A run whose every slot is scored for the same decision."""
    instance = make_instance(5, 2)
    score = evaluate(instance, allocate(instance, np.argmax(instance.channel.dense(2), 1)))
    controller = Controller(name="max-sinr", label=label)
    rows = [row_of(controller, slot, instance, score, 0.01 * (slot + 1), None) for slot in range(slots)]
    return SimulatedRun(controller, rows)


def test_a_row_has_every_column_and_says_the_truth() -> None:
    run, instance = made("a", 1), make_instance(5, 2)
    assert tuple(run.rows[0]) == COLUMNS
    row = run.rows[0]
    assert row["solver"] == "a"
    assert row["battery_min"] == instance.devices.battery_fraction.min()
    waiting_s = instance.servers.backlog_flop / instance.servers.compute_flop_per_s
    assert row["backlog_s"] == pytest.approx(waiting_s.mean())
    assert row["at_floor"] == 0


def test_summaries() -> None:
    run = SimulatedRun(Controller(name="x", label="y"), [{"a": 1.0}, {"a": 3.0}])
    assert (run.total("a"), run.mean("a"), run.last("a"), run.controller.title) == (4.0, 2.0, 3.0, "y")
    assert run.percentile("a", 50) == 2.0
    assert Controller(name="x").title == Controller(name="x").solver == "x"
    assert Controller(name="x", function=made).solver is made


def test_a_table_of_all_slots(tmp_path) -> None:
    runs = [made("a"), made("b")]
    save_csv(runs, tmp_path / "run.csv")
    with (tmp_path / "run.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [row["solver"] for row in rows] == ["a"] * 3 + ["b"] * 3
    assert float(rows[5]["objective_ms"]) == runs[1].rows[2]["objective_ms"]


@pytest.mark.integration
def test_pictures(tmp_path) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    runs = [made("a"), made("b")]
    save_plot(runs, tmp_path / "run.png")
    assert (tmp_path / "run.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    axes = Figure().subplots()
    assert save_plot(runs, ax=axes, panel="energy_j") is axes
    energy_kj = [row["energy_j"] * 1e-3 for row in runs[0].rows]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), np.cumsum(energy_kj))
    with pytest.raises(InputError, match=f"'x' is not one of {PANELS[0][0]}"):
        save_plot(runs, ax=axes, panel="x")
