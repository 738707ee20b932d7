from __future__ import annotations

import pickle
from typing import Any

import pytest

import uara
from uara.bench.execution.child import Job, freeze, load_kernels, prepare

from ...cases import make_instance


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


class Deaf:
    """A line whose other end only hands the instance over."""

    def __init__(self, instance: Any) -> None:
        self.pickled = pickle.dumps(instance)
        self.said: list[tuple[str, Any]] = []

    def send(self, kind: str, /, **content: Any) -> None:
        self.said.append((kind, content))

    def content(self) -> bytes:
        self.send("prepared")
        return self.pickled


def test_a_job_answers_as_solve_does() -> None:
    instance = make_instance(8, 3)
    line: Any = Deaf(instance)
    answer = Job("random", {"allocation": "sqrt"}, seed=5, time_limit_s=float("inf")).run(line)
    expected = uara.solve(instance, "random", options={"allocation": "sqrt"}, seed=5)
    assert answer["decision"] == expected.decision.to_plain(), "the same random stream"
    assert answer["own_objective_ms"] == expected.evaluation.objective_ms
    assert line.said[0] == ("prepared", {})


def test_only_news_is_sent() -> None:
    line: Any = Deaf(make_instance(8, 3))
    Job("bench_trials:anytime", {}, seed=0, time_limit_s=10).run(line)
    points = [content for kind, content in line.said if kind == "point"]
    assert points[0] == {"bound_ms": 0.0}
    assert all(point.keys() == {"decision"} for point in points[1:])
    assert len(points) >= 2


def test_what_a_certificate_proves_is_left_to_the_harness() -> None:
    line: Any = Deaf(make_instance(8, 3))
    answer = Job("bench_trials:proves_at_length", {}, seed=0, time_limit_s=10).run(line)
    assert answer["certificate"] == {"kind": "slow"}
    assert answer["claimed_bound_ms"] is None, "nothing was re-computed in the run"


def test_a_prepared_solver_is_not_prepared_twice() -> None:
    solver = prepare("bench_trials:slow_to_compile")
    assert solver.__name__ == "slow-to-compile"
    assert solver.uara_traits.prepare is None  # type: ignore[attr-defined]


def test_compiled_parts_are_loaded_before_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    from uara.p1 import smallest

    order: list[str] = []
    monkeypatch.setattr(smallest, "load_kernels", lambda: order.append("kernels"))
    prepare("bench_trials:raises")
    assert order == ["kernels"]
    load_kernels("a kind that nobody knows")
