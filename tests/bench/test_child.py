from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

import uara
from uara.bench.child import Failure, Job, _failure, find_method, freeze, load_kernels, prepare
from uara.errors import InputError, MissingExtra, SolverError

from ..cases import make_instance


def test_one_solver_is_found_without_loading_the_others() -> None:
    assert find_method("tma").function is uara.available_solvers()["tma"].function
    assert find_method("uara.solvers.matching:tma").function is find_method("tma").function
    assert find_method("bench_trials:raises").name == "raises"


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("nobody", InputError, "there is no solver 'nobody'"),
        ("no_such_module:f", SolverError, "cannot be imported"),
        ("bench_trials:nobody", SolverError, "cannot be imported"),
    ],
)
def test_what_cannot_be_found_is_named(name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        find_method(name)


def test_pickled_instances_are_frozen_again() -> None:
    instance = pickle.loads(pickle.dumps(make_instance(5, 2)))
    freeze(instance)
    for array in (
        instance.devices.upload_bits,
        instance.servers.compute_flop_per_s,
        instance.channel.power_gain,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 1.0


def test_a_job_answers_as_solve_does() -> None:
    instance = make_instance(8, 3)
    sent: list[tuple[str, Any]] = []
    job = Job(pickle.dumps(instance), "random", {"allocation": "sqrt"}, seed=5, time_limit_s=float("inf"))
    answer = job.run(lambda kind, content: sent.append((kind, content)))
    expected = uara.solve(instance, "random", options={"allocation": "sqrt"}, seed=5)
    assert answer.decision == json.loads(json.dumps(expected.decision.to_plain())), "the same random stream"  # type: ignore[attr-defined]
    assert answer.own_objective_ms == expected.evaluation.objective_ms
    assert [kind for kind, _ in sent if kind != "point"] == ["prepared", "called", "returned"]
    assert sent[0][1] >= 0


def test_only_news_is_sent() -> None:
    sent: list[tuple[str, Any]] = []
    job = Job(pickle.dumps(make_instance(8, 3)), "bench_trials:anytime", {}, seed=0, time_limit_s=10)
    job.run(lambda kind, content: sent.append((kind, content)))
    points = [content for kind, content in sent if kind == "point"]
    assert len(points) == len({point[1:4] for point in points}) >= 2


def test_a_prepared_solver_is_not_prepared_twice() -> None:
    solver = prepare("bench_trials:slow_to_compile", lambda kind, content: None, 0.0)
    assert solver.__name__ == "slow-to-compile"
    assert solver.uara_traits.prepare is None  # type: ignore[attr-defined]


def test_compiled_parts_are_loaded_before_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    from uara.bench import p1

    order: list[str] = []
    monkeypatch.setattr(p1, "load_kernels", lambda: order.append("kernels"))
    prepare("bench_trials:raises", lambda kind, content: order.append(kind), 0.0)
    assert order == ["kernels", "prepared"]
    load_kernels("a kind that nobody knows")


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (MemoryError("no room"), "memory", "out of memory: no room"),
        (MissingExtra("x", "scip"), "skipped", "pip install 'uara[scip]'"),
        (InputError("too large", source="i"), "error", "i: too large"),
        (ZeroDivisionError("oh"), "error", "ZeroDivisionError: oh"),
        (KeyboardInterrupt(), "error", "KeyboardInterrupt"),
    ],
)
def test_failures_have_a_status(
    error: BaseException, status: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = _failure(error)
    assert isinstance(found, Failure)
    assert found.status == status
    assert reason in found.reason


def test_memory_that_ran_out_below_a_solver_error_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    error = SolverError("s", "failed")
    error.__cause__ = MemoryError()
    assert _failure(error).status == "memory"
