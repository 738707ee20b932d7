"""The log of a run."""

from __future__ import annotations

import csv

from uara.solvers.masac.log import COLUMNS, Log


def rows(folder):
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_rows_are_on_the_disk_at_once_and_unknown_numbers_stay_out(tmp_path):
    with Log(tmp_path, fresh=True) as log:
        log.write({"step": 10.0, "gap": 0.25, "other": 1.0})
        assert rows(tmp_path)[0]["gap"] == "0.25"
    assert tuple(rows(tmp_path)[0]) == COLUMNS


def test_a_resumed_log_goes_on_and_a_fresh_one_begins_anew(tmp_path):
    for fresh, expected in ((True, [1]), (False, [1, 2]), (True, [3])):
        with Log(tmp_path, fresh=fresh) as log:
            log.write({"step": float(expected[-1])})
        assert [int(row["step"]) for row in rows(tmp_path)] == expected


def test_tensorboard_events_are_written(tmp_path):
    import pytest

    pytest.importorskip("tensorboard")
    with Log(tmp_path, fresh=True) as log:
        log.write({"step": 1.0, "gap": 0.5})
    assert list((tmp_path / "tensorboard").glob("events*"))
