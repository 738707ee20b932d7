"""The log of a run."""

from __future__ import annotations

import csv

import pytest
from uara.solvers.masac.log import COLUMNS, Log


def rows(folder):
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_rows_are_on_the_disk_at_once_and_unknown_numbers_stay_out(tmp_path):
    with Log(tmp_path, resumed_at=None) as log:
        log.write({"step": 10.0, "gap": 0.25, "other": 1.0})
        assert rows(tmp_path)[0]["gap"] == "0.25"
    assert tuple(rows(tmp_path)[0]) == COLUMNS


def test_a_resumed_log_goes_on_and_a_fresh_one_begins_anew(tmp_path):
    for resumed_at, expected in ((None, [1]), (1, [1, 2]), (None, [3])):
        with Log(tmp_path, resumed_at=resumed_at) as log:
            log.write({"step": float(expected[-1])})
        assert [int(row["step"]) for row in rows(tmp_path)] == expected


def test_rows_beyond_the_checkpoint_are_dropped_also_one_that_was_cut_off(tmp_path):
    with Log(tmp_path, resumed_at=None) as log:
        for step in (0, 100, 200, 300):
            log.write({"step": float(step), "gap": 0.5, "entropy": -2.0})
    path = tmp_path / "log.csv"
    path.write_text(path.read_text() + "4")
    before = rows(tmp_path)[:3]
    with Log(tmp_path, resumed_at=200) as log:
        log.write({"step": 300.0, "gap": 0.25})
    assert rows(tmp_path)[:3] == before
    assert [row["step"] for row in rows(tmp_path)] == ["0", "100", "200", "300"]
    assert rows(tmp_path)[-1]["gap"] == "0.25"


def test_steps_are_written_in_full(tmp_path):
    with Log(tmp_path, resumed_at=None) as log:
        log.write({"step": 1_234_567.0})
    with Log(tmp_path, resumed_at=2_000_000):
        assert rows(tmp_path)[0]["step"] == "1234567"


def test_tensorboard_shows_each_step_once(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = tmp_path / "tensorboard"

    def shown():
        # Files of one second are read in the alphabetical order of a counter; real resumptions come later.
        (newest,) = folder.glob("events.out.tfevents.*.*")
        newest.rename(folder / f"events.out.tfevents.{len(list(folder.iterdir()))}")
        events = EventAccumulator(str(folder)).Reload()
        return [(each.step, each.value) for each in events.Scalars("gap")]

    for resumed_at, steps, value, expected in (
        (None, (0, 1, 2), 0.5, [(0, 0.5), (1, 0.5), (2, 0.5)]),
        (1, (2, 3), 0.25, [(0, 0.5), (1, 0.5), (2, 0.25), (3, 0.25)]),
        (None, (0,), 1.0, [(0, 1.0)]),
    ):
        with Log(tmp_path, resumed_at=resumed_at) as log:
            for step in steps:
                log.write({"step": float(step), "gap": value})
        assert shown() == expected
