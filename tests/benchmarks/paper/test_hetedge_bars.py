from __future__ import annotations

import math
from pathlib import Path

import hetedge_bars as study
import hetedge_record
import pytest

from uara.base.errors import InputError

ROW = study.Row("hetedge_k20", "hetedge-bound", 0, 30.0, 12.5, 112.5, 112.0, math.inf)


def test_every_size_has_the_shipped_instance_and_five_others() -> None:
    wanted = list(study.tasks())
    for requests, limit_s in study.PROOF_S.items():
        proofs = [task for task in wanted if (task.requests, task.solver) == (requests, "hetedge-bound")]
        assert [task.seed for task in proofs] == [1, 2, 3, 4, 5, 6]
        assert {task.limit_s for task in proofs} == {limit_s}
    names = [(task.instance_name, task.solver, task.solver_seed) for task in wanted]
    assert len(set(names)) == len(names)
    assert wanted[-1].requests == 2000
    assert all(task.requests != 2000 for task in study.tasks(large=False))


def test_instances_are_the_shipped_ones_or_drawn() -> None:
    shipped = study.Task(20, 1, "hetedge-dp", 0, 1.0)
    assert shipped.instance().name == "hetedge_k20"
    drawn = study.Task(20, 2, "hetedge-dp", 0, 1.0)
    assert drawn.instance().name == drawn.instance_name == "hetedge_k20_seed2"
    assert drawn.instance().digest != shipped.instance().digest


def test_a_table_survives_a_file(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    assert hetedge_record.read(path, study.Row) == []
    hetedge_record.write([ROW], path)
    assert hetedge_record.read(path, study.Row) == [ROW]
    assert pytest.approx(1 - 112.0 / 112.5) == ROW.gap
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="no table of instance"):
        hetedge_record.read(path, study.Row)


def test_what_is_recorded_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, made = tmp_path / "bars.csv", []

    def measured(task: study.Task) -> study.Row:
        made.append(task)
        return study.Row(task.instance_name, task.solver, task.solver_seed, task.limit_s, 1.0, 2.0, 1.0, 0.5)

    monkeypatch.setattr(study, "measured", measured)
    wanted = list(study.tasks((20,), large=False))
    study.go_on(path, wanted[:2], lambda text: None)
    rows = study.go_on(path, wanted, lambda text: None)
    assert made == wanted
    assert hetedge_record.read(path, study.Row) == rows


@pytest.mark.integration
def test_a_run_is_measured() -> None:
    row = study.measured(study.Task(20, 2, "hetedge-bound", 0, 2.0))
    assert 0 < row.bound_s < row.total_s
    assert row.processor_s < 20
    assert row.reached_s <= row.processor_s or row.gap > study.PROOF_GAP[20]
