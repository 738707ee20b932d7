from __future__ import annotations

from pathlib import Path

import hetedge_record
import hetedge_rolling as study
import pytest

pytestmark = pytest.mark.integration


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """A trace of a few arrivals."""
    path = tmp_path / "short.csv"
    lines = [f"{0.4 * k},{20 + 7 * (k % 5)},{10 + 5 * (k % 3)}" for k in range(12)]
    path.write_text("arrival_s,prompt_tokens,new_tokens\n" + "\n".join(lines) + "\n")
    return path


def test_every_method_serves_every_speed_once(trace: Path, tmp_path: Path) -> None:
    table, said = tmp_path / "rolling.csv", []
    rows = study.go_on([trace], table, speeds=(0.5, 2.0), requests=8, follow=said.append)
    methods = {row.method for row in rows}
    assert {"hetedge-dp", "first come, first served", "continuous batching, shortest first"} <= methods
    assert len(rows) == 2 * len(methods) == len(said)
    for row in rows:
        assert row.mean_s > 0
        assert row.p95_s <= row.p99_s <= row.last_s
    assert study.go_on([trace], table, speeds=(0.5, 2.0), requests=8) == hetedge_record.read(table, study.Row)
