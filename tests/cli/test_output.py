from __future__ import annotations

import json
import math
import signal

import pytest

from uara.base.errors import InputError
from uara.cli import answered
from uara.cli.output import finish, print_json


def failing(error: BaseException) -> None:
    raise error


def test_every_step_is_taken_and_the_first_failure_is_raised(capsys: pytest.CaptureFixture[str]) -> None:
    done: list[str] = []
    with pytest.raises(InputError, match="first"):
        finish(
            lambda: failing(InputError("first")),
            lambda: done.append("show"),
            lambda: failing(OSError(28, "second")),
            lambda: failing(InputError("third")),
            lambda: failing(SystemExit(1)),
            lambda: done.append("draw"),
        )
    assert done == ["show", "draw"]
    assert capsys.readouterr().err == "uara: third\n"


def test_what_failed_before_is_raised_after_all_steps(capsys: pytest.CaptureFixture[str]) -> None:
    done: list[str] = []
    with pytest.raises(InputError, match="before"):
        finish(None, lambda: done.append("show"), failures=[InputError("before"), InputError("other")])
    assert done == ["show"]
    assert capsys.readouterr().err == "uara: other\n"


def test_ctrl_c_ends_a_step_and_not_the_others() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        finish(
            lambda: done.append("saved"),
            lambda: failing(KeyboardInterrupt()),
            lambda: done.append("show"),
            failures=[InputError("before")],
        )
    assert done == ["saved", "show"]


def test_saving_is_not_interrupted() -> None:
    done: list[str] = []

    def save() -> None:
        signal.raise_signal(signal.SIGINT)
        done.append("saved")

    with pytest.raises(KeyboardInterrupt):
        finish(save, lambda: done.append("show"))
    assert done == ["saved", "show"]
    answered()


def test_without_failures_nothing_is_raised() -> None:
    finish(None)


def test_numbers_that_are_not_finite_are_null(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [math.nan, {"b": (math.inf, 1.5)}], "c": -math.inf, "d": "NaN"})
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert found == {"a": [None, {"b": [None, 1.5]}], "c": None, "d": "NaN"}
