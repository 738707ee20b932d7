"""Rolling use: causal, complete, and one plan of the whole instance in the end."""

from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import make_hetedge

import uara
from uara.base.errors import InputError
from uara.hetedge.instance import HetEdge
from uara.hetedge.rolling import BASELINES, COLUMNS, baselines, roll
from uara.problem import evaluate


def arriving(seed: int, count: int = 12, apart_ms: float = 40.0) -> HetEdge:
    """Requests that arrive one by one, in any order of the file."""
    instance = make_hetedge(count, seed)
    ready = np.random.default_rng(seed).exponential(apart_ms, count).cumsum()
    requests = instance.requests.replace(ready_ms=ready[::-1].copy(), upload_bits=np.zeros(count))
    return instance.replace(requests=requests)


@pytest.mark.parametrize("seed", range(4))
def test_what_was_served_is_a_plan_that_knew_nothing_of_the_future(seed: int) -> None:
    instance = arriving(seed)
    course = roll(instance, "hetedge-dp")
    assert course.plan is not None
    score = evaluate(instance, course.plan)
    assert score.feasible
    assert score.request_latency_ms == pytest.approx(course.complete_ms)
    assert course.decisions == len(course.plan.groups())
    assert (course.response_ms > 0).all()
    members = course.plan.members()
    for group in course.plan.groups():
        taken = np.concatenate([members[m] for m in group])
        begun = score.start_ms[members[group[0]][0]]
        assert (instance.ready_ms[taken] <= begun + 1e-6).all()


def test_when_all_are_there_the_first_group_is_the_solvers() -> None:
    instance = arriving(1)
    instance = instance.replace(requests=instance.requests.replace(ready_ms=None))
    whole = uara.solve(instance, "hetedge-dp").decision
    course = roll(instance, "hetedge-dp")
    assert course.plan is not None
    first = sum(len(whole.members()[m]) for m in whole.groups()[0])
    assert sorted(course.plan.order[:first]) == sorted(whole.order[:first])


def test_baselines_serve_everybody_and_first_come_is_in_order() -> None:
    instance = arriving(2)
    courses = {course.method: course for course in baselines(instance)}
    assert set(BASELINES) <= set(courses)
    drafting = "continuous batching, length 3"
    assert {"continuous batching", drafting, f"{drafting}, alternating"} <= set(courses)
    assert {f"{name}, shortest first" for name in courses if name.endswith("alternating")} <= set(courses)
    for course in courses.values():
        assert (course.response_ms > 0).all()
        assert len(course.rows(instance.requests.id)[0]) == len(COLUMNS)
    plan = courses["first come, first served"].plan
    assert plan is not None
    assert (np.diff(instance.ready_ms[plan.order]) >= 0).all()


def test_requests_that_have_still_to_upload_are_refused() -> None:
    with pytest.raises(InputError, match="upload_bits"):
        roll(make_hetedge(4, 1), "hetedge-dp")
