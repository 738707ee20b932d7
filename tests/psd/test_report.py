from __future__ import annotations

from uara.psd.profile import TaskProfile
from uara.psd.report import summary_table


def test_every_task_has_its_row_and_interval() -> None:
    profile = TaskProfile.load("smollm2_int4")
    table = summary_table(profile)
    assert table.row_count == 3
    assert "measured" in str(table.title)
    cells = list(table.columns[2].cells)
    for task, cell in zip(profile.tasks, cells, strict=True):
        estimate = profile.summary[task].acceptance_rate
        assert str(cell) == f"{estimate.value:.3f}\n{estimate.low:.3f}-{estimate.high:.3f}"
