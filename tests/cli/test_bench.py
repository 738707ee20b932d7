# ruff: noqa: F811 - fixtures are imported, and then named as parameters
"""``uara bench`` as a user types it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from uara.bench import Results
from uara.cli import main

from ..bench.conftest import MakeSuite, _trial_solvers, make_suite  # noqa: F401


def code(*words: object) -> object:
    with pytest.raises(SystemExit) as ended:
        main(["bench", *map(str, words)])
    return ended.value.code


@pytest.mark.integration
def test_both_forms_of_running(
    make_suite: MakeSuite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite, output = make_suite([{"solver": "random"}, {"solver": "tma"}]), tmp_path / "r.parquet"
    assert code(suite, "-o", output) == 0
    text = capsys.readouterr().out
    assert "runs: 2 ok" in text
    assert (tmp_path / "r.html").exists()
    assert (tmp_path / "r.csv").exists()
    assert code("--json", "--no-report", suite, "-o", output) == 0, "options may come first"
    ranking = json.loads(capsys.readouterr().out)
    assert [row["label"] for row in ranking] == ["tma", "random"]
    assert code("run", suite, "-o", output, "--json", "--no-report") == 0
    assert json.loads(capsys.readouterr().out) == ranking


@pytest.mark.integration
def test_results_go_to_one_folder_by_default(
    make_suite: MakeSuite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert code(make_suite([{"solver": "random"}]), "--no-report") == 0
    assert {path.name for path in (tmp_path / "bench-results").iterdir()} == {"trial.parquet", "trial.csv"}


def test_the_plan_is_shown_and_nothing_done(
    make_suite: MakeSuite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    suite = make_suite([{"solver": "random"}, {"solver": "bench_trials:needs_more"}], seeds=[0, 1])
    assert code(suite, "--plan") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert sum("skipped: " in line for line in lines) == 2
    assert not (tmp_path / "bench-results").exists()


@pytest.mark.integration
def test_the_plan_is_what_the_same_command_would_do(
    make_suite: MakeSuite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = make_suite([{"solver": "random"}, {"solver": "bench_trials:raises"}], seeds=[0, 1])
    output = tmp_path / "r.parquet"

    def planned(*words: str) -> list[str]:
        assert code(suite, "-o", output, "--plan", *words) == 0
        return [line.split("\t")[1] for line in capsys.readouterr().out.splitlines()]

    assert planned("--only-solver", "rand*") == ["random", "random"]
    assert code(suite, "-o", output, "--no-report", "--only-solver", "random") == 0
    capsys.readouterr()
    assert planned() == ["bench_trials:raises"] * 2
    assert code(suite, "-o", output, "--no-report") == 0
    capsys.readouterr()
    assert planned() == []
    assert planned("--retry", "error") == ["bench_trials:raises"] * 2
    assert planned("--retry", "ok,error", "--only-solver", "random") == ["random"] * 2


@pytest.mark.integration
def test_a_part_of_a_suite(make_suite: MakeSuite, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite, output = (
        make_suite([{"solver": "random"}, {"solver": "tma"}], devices=[4, 5]),
        tmp_path / "r.parquet",
    )
    assert code(suite, "-o", output, "--only-solver", "tm*", "--only-instance", "*=5", "--no-report") == 0
    assert "runs: 1 ok" in capsys.readouterr().out
    assert code("report", output) == 0
    assert "3 planned runs have not been done yet" in (tmp_path / "r.html").read_text()


@pytest.mark.integration
def test_it_fails_when_nothing_succeeded(make_suite: MakeSuite, tmp_path: Path) -> None:
    suite = make_suite([{"solver": "bench_trials:raises"}])
    assert code(suite, "-o", tmp_path / "r.parquet", "--no-report") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.toml"], "none.toml: no such file"),
        (["report", "none.parquet"], "none.parquet: no such file"),
        (["SUITE", "--backend", "threads"], "backend: Input should be 'joblib' or 'dask'"),
        (["SUITE", "--retry", "failed"], "'failed' is not one of"),
        (["SUITE", "--plan", "--retry", "failed"], "'failed' is not one of"),
        (["SUITE", "--scheduler", "tcp://x:1"], "--scheduler"),
        (["SUITE", "--only-solver", "zzz"], "--only-solver: 'zzz' matches none of random"),
        (["SUITE", "--only-instance", "zzz"], "--only-instance: 'zzz' matches none of tiny"),
        (["SUITE", "--plan", "--only-solver", "zzz"], "--only-solver: 'zzz' matches none of random"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    make_suite: MakeSuite, capsys: pytest.CaptureFixture[str], words: list[str], message: str, tmp_path: Path
) -> None:
    suite = make_suite([{"solver": "random"}])
    output = ["-o", str(tmp_path / "r.parquet")] if words[0] == "SUITE" else []
    assert code(*[str(suite) if word == "SUITE" else word for word in words], *output) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1


@pytest.mark.integration
def test_the_smoke_suite_runs_whole_and_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite, output = Path(__file__).parents[2] / "benchmarks" / "smoke.toml", tmp_path / "smoke.parquet"
    assert code(suite, "-o", output) == 0
    results = Results.load(output)
    assert set(results.counts()) <= {"ok", "timeout"}  # a busy machine lets runs come late
    assert f"runs: {results.counts()['ok']} ok" in capsys.readouterr().out
    assert results.missing == 0
    assert sum(results.counts().values()) == len(results.runs)
    assert {"auto", "price", "tma (moves=pairs)", "random (allocation=uniform)"} <= set(results.runs["label"])
    assert "Latency against the number of devices" in (tmp_path / "smoke.html").read_text()
    assert code(suite, "-o", output, "--plan") == 0
    assert capsys.readouterr().out == "", "nothing is left to do"
    assert code(suite, "-o", output, "--no-report") == 0
    again = Results.load(output).runs
    assert again["started_at"].tolist() == results.runs["started_at"].tolist()


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert code("--help") == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("run", "compare", "publish", "report", "table", "picture"))


def kept(tmp_path: Path) -> Path:
    """A result file of one run."""
    from uara.bench.store import Store

    store = Store(tmp_path / "r.parquet")
    run = {
        "record": "run",
        "run_id": "a",
        "status": "error",
        "label": "s",
        "instance": "i",
        "time_limit_s": 1.0,
    }
    suite = {"name": "s", "time_limit_s": 1.0, "memory_limit_mb": 1.0, "seeds": [0], "repetitions": 1}
    store.merge([run], suite)
    return store.path


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["report", "R", "-o", "R"], "must end in"),
        (["report", "R", "-o", "alias.html"], "is an input"),
        (["report", "R", "-o", "mine.html"], "holds something else"),
        (["picture", "R", "-o", "R"], "pictures are written as"),
        (["picture", "R", "-o", "alias.svg"], "is an input"),
        (["table", "R", "--readme", "R"], "not a text"),
        (["publish", "R", "."], "is an input|nothing has been published"),
        (["suite.toml", "-o", "suite.toml"], "must end in .parquet"),
        (["suite.toml", "--plan", "-o", "r.csv"], "must end in .parquet"),
        (["suite.toml", "-o", "folder.parquet"], "is a folder"),
    ],
)
def test_no_output_takes_the_place_of_an_input_or_of_another_kind(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    results = kept(tmp_path)
    for name in ("alias.html", "alias.svg", "results.parquet"):
        (tmp_path / name).hardlink_to(results)
    (tmp_path / "mine.html").write_text("<p>mine</p>")
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "suite.toml").write_text(
        'name = "s"\n[[instances]]\ngenerate = { channel = "path-loss", servers = 2, devices = 3 }\n'
        '[[solvers]]\nsolver = "random"\n'
    )
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert code(*(str(results) if word == "R" else word for word in words)) == 2
    assert re.search(message, capsys.readouterr().err)
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


@pytest.mark.integration
def test_an_ascii_locale_loses_nothing(tmp_path: Path) -> None:
    """A label that the terminal cannot show, and a report with arrows."""
    label = "gieriges Verfahren – ü"
    (tmp_path / "s.toml").write_text(
        'name = "s"\ntime_limit_s = 5.0\n[[instances]]\n'
        'generate = { channel = "path-loss", servers = 2, devices = 3, name = "i" }\n'
        f'[[solvers]]\nsolver = "greedy"\nlabel = "{label}"\n',
        encoding="utf-8",
    )
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(
        [sys.executable, "-c", "from uara.cli import main; main()", "bench", "s.toml", "-o", "r.parquet"],
        env={**os.environ, **ascii_only},
        cwd=tmp_path,
        capture_output=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    assert b"Verfahren" in ended.stdout
    assert label in (tmp_path / "r.csv").read_text(encoding="utf-8")
    assert label in (tmp_path / "r.html").read_text(encoding="utf-8")
