from __future__ import annotations

import json
from pathlib import Path

import pytest

import uara
from uara.cli import main


def run(words: list[str]) -> None:
    """The command; leaving with success is no error."""
    try:
        main(words)
    except SystemExit as leaving:
        if leaving.code:
            raise


def test_generate_solve_evaluate_and_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, answer = str(tmp_path / "small.json"), str(tmp_path / "answer.json")
    run(["hetedge", "generate", "--requests", "9", "--channel", "path-loss", "-o", file])
    assert "9 requests" in capsys.readouterr().out
    assert uara.load(file).name == "small"
    run(["solve", file, "--solver", "hetedge-dp", "--solver", "hetedge-rules", "--output", answer, "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert [row["solver"] for row in rows] == ["hetedge-dp", "hetedge-rules"]
    assert rows[0]["objective"] < rows[1]["objective"]
    run(["evaluate", file, answer])
    assert "makespan" in capsys.readouterr().out
    picture = tmp_path / "gantt.png"
    run(["show", file, "--solution", answer, "--plot", str(picture)])
    assert picture.stat().st_size > 1000


def test_figures_want_the_right_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    p1 = Path(__file__).parents[2] / "instances" / "e8_m30.json"
    with pytest.raises(SystemExit):
        run(["hetedge", "figures", str(p1), "-o", str(tmp_path)])
    assert "not hetedge" in capsys.readouterr().err


def test_requests_that_arrive_are_served_as_they_come(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, trace, table = tmp_path / "late.json", tmp_path / "trace.csv", tmp_path / "served.csv"
    rows = [f"{k * 0.5},{20 + k},{5 + k % 4}" for k in range(12)]
    trace.write_text("\n".join(["arrival_s,prompt_tokens,new_tokens", *rows]) + "\n")
    words = ["hetedge", "generate", "--requests", "8", "--channel", "path-loss", "--arrivals", str(trace)]
    run([*words, "-o", str(file)])
    requests = uara.load(file).requests  # type: ignore[attr-defined]
    assert requests.ready_ms[:3].tolist() == [0.0, 500.0, 1000.0]
    assert not requests.upload_bits.any()
    capsys.readouterr()
    run(["simulate", str(file), "--solver", "hetedge-dp", "-o", str(table), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert {row["method"] for row in found} >= {"hetedge-dp", "continuous batching", "shortest first"}
    assert all(row["response_ms"] > 0 for row in found)
    assert len(table.read_text().splitlines()) == 1 + len(found)
    with pytest.raises(SystemExit):
        main(["simulate", str(file), "--slots", "3"])
    assert "--slots" in capsys.readouterr().err
