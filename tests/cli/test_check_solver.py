from __future__ import annotations

import json

import pytest

pytest.importorskip("psutil", reason="conformance trials need the extra 'bench'")
pytest.importorskip("cloudpickle", reason="conformance trials need the extra 'bench'")

from uara.cli import main
from uara.conformance.check import CHECKS

from ..bench.conftest import _trial_solvers  # noqa: F401


def run(*words: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(["check-solver", *words])
    return ended.value.code


@pytest.mark.integration
def test_the_command_names_each_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("max-sinr", "--option", "allocation=sqrt") == 0
    output = capsys.readouterr().out
    assert all(check in output for check in CHECKS)
    assert "max-sinr conforms" in output


@pytest.mark.integration
def test_a_breach_is_printed_and_ends_with_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("bench_trials:overbooks", "--json") == 1
    plain = json.loads(capsys.readouterr().out)
    assert plain["solver"] == "overbooks"
    assert plain["checks"]["answers"] == "ok"
    assert all("bandwidth budget" in each["problem"] for each in plain["checks"]["feasible"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["max-sinr", "--option", "allocation"], "'allocation' is not of the form key=value"),
        (["max-sinr", "--option", "alocation=sqrt"], "alocation"),
        (["nobody"], "there is no solver 'nobody'"),
    ],
)
def test_mistakes_are_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words) == 2
    assert message in capsys.readouterr().err
