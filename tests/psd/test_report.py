from __future__ import annotations

from uara.psd.profile import TaskProfile
from uara.psd.report import summary_table


def test_every_task_has_its_row_and_interval() -> None:
    profile = TaskProfile.load("smollm2_int4")
    table = summary_table(profile)
    assert len(table.rows) == 3
    assert "measured" in table.name
    assert table.columns[2].name == "acceptance"
    for task, row in zip(profile.tasks, table.rows, strict=True):
        estimate = profile.summary[task].acceptance_rate
        assert row[2].text == f"{estimate.value:.3f} ({estimate.low:.3f}-{estimate.high:.3f})"
