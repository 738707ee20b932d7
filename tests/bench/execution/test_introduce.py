"""A plug-in's module is imported in a process of its own, whatever it does there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import uara.bench
from uara.base.errors import InputError, MissingExtra, SolverError
from uara.bench.execution import introduce as module
from uara.bench.execution.introduce import introduce
from uara.isolation.supervise import Allowance

from ..conftest import MakeSuite

Write = Callable[[str, str], None]
HONEST = """
from uara import allocate
from uara.base.files import Record
from uara.registry import as_solver
class Options(Record):
    depth: int = 3
    '''How deep.'''
    width: float = 1.0
@as_solver(options=Options, warm_start=True)
def good(instance, context):
    "Answers."
    return allocate(instance, instance.channel.pair_server[instance.channel.pair_start[:-1]])
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a module onto the path."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return lambda name, text: (tmp_path / f"{name}.py").write_text(text) and None


def test_a_plug_in_says_what_it_is_and_is_not_imported_here(write: Write) -> None:
    write("honest_here", HONEST)
    found = introduce("honest_here:good", [{}, {"depth": 5}])
    assert (found.name, found.kind, found.warm_start, found.summary) == ("good", "p1", True, "Answers.")
    assert found.options == [{"depth": 3, "width": 1.0}, {"depth": 5, "width": 1.0}]
    assert found.undocumented == ["width"]
    assert "honest_here" not in sys.modules


@pytest.mark.integration
def test_options_without_a_default_are_named(write: Write) -> None:
    write("wanting", HONEST.replace("depth: int = 3", "depth: int"))
    found = introduce("wanting:good", [{"depth": 5}])
    assert found.required == ["depth"]
    assert introduce("wanting:good", []).required == ["depth"]


@pytest.mark.integration
def test_a_module_that_patches_the_harness_patches_itself(
    write: Write, make_suite: MakeSuite, tmp_path: Path
) -> None:
    patch = f"""
import os
import uara.bench.execution.referee as referee
referee.Referee.scored = lambda *_: {{"status": "ok", "objective_ms": 0.0}}
open({str(tmp_path / "pids")!r}, "a").write(f"{{os.getpid()}} ")
"""
    write("patches_here", HONEST + patch)
    results = uara.bench.run(make_suite([{"solver": "patches_here:good"}, {"solver": "max-sinr"}]))
    assert results.counts() == {"ok": 2}
    assert (results.runs["objective_ms"] > 0).all()
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 2, "once to introduce itself, once for its run"
    assert str(os.getpid()) not in pids


@pytest.mark.integration
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import os; os._exit(3)", "exit code 3"),
        ("import sys; sys.exit()", "SystemExit"),
        ("import time; time.sleep(600)", "took more than 1 s"),
        ("raise ValueError('not today')", "cannot be imported: ValueError: not today"),
        ("class good: pass\ngood.uara_traits = 7", "its traits were not declared by as_solver"),
        (HONEST + "good.uara_traits = good.uara_traits.__class__(kind='x' * 1000)", "kind"),
        (HONEST + "good.__name__ = '\\u202e'", "name"),
        (HONEST + "good.uara_traits = good.uara_traits.__class__(warm_start='very')", "warm_start"),
    ],
)
def test_what_does_not_say_what_it_is_is_one_error(
    write: Write, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    write("odd_here", text)
    monkeypatch.setattr(
        module, "LIMITS", Allowance(5.0, 4000.0, setup_limit_s=60.0 if "sleep" not in text else 1.0)
    )
    with pytest.raises(SolverError) as caught:
        introduce("odd_here:good", [{}])
    assert words in str(caught.value)
    assert str(caught.value).startswith("solver odd_here:good: ")


@pytest.mark.integration
def test_what_is_wrong_with_options_and_names_is_said(write: Write) -> None:
    write("honest_there", HONEST)
    with pytest.raises(InputError) as caught:
        introduce("honest_there:good", [{}, {"depth": "deep"}])
    assert caught.value.path == "depth"
    with pytest.raises(InputError, match="there is no solver 'nobody'"):
        introduce("nobody", [{}])
    write(
        "wants_here",
        "from uara.registry import as_solver\n@as_solver(requires={'no_such_module': 'scip'})\ndef good(i, c): ...",
    )
    with pytest.raises(MissingExtra, match=r"uara\[scip\]"):
        introduce("wants_here:good", [{}]).require()


def test_functions_at_hand_are_asked_here() -> None:
    def mine(instance: object, context: object) -> None:
        """Mine."""

    assert introduce(mine, [{}]).summary == "Mine."
    assert introduce("tma", [{"moves": "pairs"}]).options[0]["moves"] == "pairs"
