from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from uara.base.errors import ChannelError, InputError, MissingExtra
from uara.scenarios.channel import isolation

JOBS = """
import os
import sys
import numpy as np
from uara.base.errors import ChannelError, InputError, MissingExtra, SolverError

def double(data, arrays):
    return {"sum": data["a"] + data["b"]}, {name: 2 * array for name, array in arrays.items()}

def environment(data, arrays):
    return {"threads": os.environ["OMP_NUM_THREADS"], "mark": os.environ.get("MARK"), "pid": os.getpid()}, {}

def wrong_input(data, arrays):
    raise InputError("too small", source="box.json", path="$.box")

def wrong_input_without_place(data, arrays):
    raise InputError("too small")

def missing(data, arrays):
    raise MissingExtra("sionna-rt", "sionna")

def broken(data, arrays):
    raise ChannelError("the antenna fell off")

def bug(data, arrays):
    raise ZeroDivisionError("nobody expects this")

def die(data, arrays):
    print("LLVM ERROR: Cannot select: fminimum", file=sys.stderr, flush=True)
    print("and some more", file=sys.stderr, flush=True)
    os.abort()

def leave(data, arrays):
    os._exit(0)
"""


@pytest.fixture(autouse=True)
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "isolated_jobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))


def call(job: str, data: dict[str, Any] | None = None, **rest: Any) -> isolation.Reply:
    return isolation.call(f"isolated_jobs:{job}", data or {}, **rest)


def test_data_and_arrays_travel_both_ways() -> None:
    arrays = {"x": np.array([[1.5, -0.0], [np.nan, 1e-300]]), "n": np.arange(3), "empty": np.zeros((0, 3))}
    data, doubled = call("double", {"a": 1, "b": 2.5}, arrays=arrays)
    assert data == {"sum": 3.5}
    assert set(doubled) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(doubled[name], 2 * array)
        assert doubled[name].dtype == array.dtype


def test_it_is_another_process_with_one_thread() -> None:
    data, _ = call("environment", environment={**os.environ, "MARK": "here", "OMP_NUM_THREADS": "9"})
    assert data["threads"] == "1"
    assert data["mark"] == "here"
    assert data["pid"] != os.getpid()


def test_input_errors_keep_their_parts() -> None:
    with pytest.raises(InputError) as caught:
        call("wrong_input")
    error = caught.value
    assert (error.problem, error.source, error.path) == ("too small", "box.json", "$.box")
    with pytest.raises(InputError) as caught:
        call("wrong_input_without_place")
    assert (caught.value.source, caught.value.path) == (None, None)


def test_missing_extras_keep_their_parts() -> None:
    with pytest.raises(MissingExtra) as caught:
        call("missing")
    assert (caught.value.package, caught.value.extra) == ("sionna-rt", "sionna")


def test_channel_errors_come_through() -> None:
    with pytest.raises(ChannelError, match=r"^the antenna fell off$"):
        call("broken")


def test_a_bug_in_the_job_is_reported_with_its_last_line() -> None:
    with pytest.raises(ChannelError, match="isolated_jobs failed: ZeroDivisionError: nobody expects this"):
        call("bug")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_abort_is_reported_with_the_compilers_complaint() -> None:
    with pytest.raises(ChannelError, match=r"ended by SIGABRT: LLVM ERROR: Cannot select: fminimum .*doctor"):
        call("die")


def test_a_process_that_leaves_without_a_reply_is_an_error() -> None:
    with pytest.raises(ChannelError, match="exit code 0"):
        call("leave")


def test_an_unknown_job_is_an_error() -> None:
    with pytest.raises(ChannelError, match="no_such_job"):
        call("no_such_job")


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    call("double", {"a": 1, "b": 1})
    with pytest.raises(ChannelError):
        call("bug")
    assert list(scratch.iterdir()) == []
