from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uara.hetedge.latency import Phases
from uara.hetedge.pipeline import Batch, replay
from uara.hetedge.timeline import FIELDS, FIRST_DRAFT, alone, pair, play

times = st.floats(0, 50)


@st.composite
def options(draw: st.DrawFn) -> np.ndarray:
    row = np.zeros(len(FIELDS))
    row[:6] = [
        draw(times),
        draw(times),
        draw(times),
        draw(st.floats(0.1, 90)),
        draw(st.floats(0.1, 50)),
        draw(times),
    ]
    row[FIRST_DRAFT] += row[1]
    row[6] = draw(st.integers(1, 40))
    return row


def as_batch(row: np.ndarray, release: float) -> Batch:
    first, draft, send, first_verify, verify, reply = map(float, row[:6])
    return Batch(release, int(row[6]), Phases(first - draft, draft, send, first_verify, verify, reply))


@pytest.mark.integration
@given(st.lists(st.tuples(options(), st.floats(0, 2000), st.booleans()), min_size=1, max_size=6))
def test_closed_expressions_are_the_replay(plan: list[tuple[np.ndarray, float, bool]]) -> None:
    paired = [False]
    for _, _, wanted in plan[1:]:
        paired.append(wanted and not paired[-1])
    groups: list[tuple[int, ...]] = []
    for index, second in enumerate(paired):
        groups[-1:] = [(*groups[-1], index)] if second else [*groups[-1:], (index,)]
    rows = np.stack([row for row, _, _ in plan])
    release = np.array([at for _, at, _ in plan])
    end, begin = np.empty(len(plan)), np.empty(len(plan))
    drafted, verified = play(rows, release, np.array(paired), end, begin)
    steps = replay([as_batch(row, at) for row, at, _ in plan], groups)
    for index in range(len(plan)):
        last = max(step.end_ms for step in steps if step.batch == index)
        assert end[index] == pytest.approx(last, rel=1e-9, abs=1e-9)
    assert verified == pytest.approx(max(step.end_ms for step in steps), rel=1e-9)
    assert drafted == pytest.approx(max(step.end_ms for step in steps if step.stage == "draft"), rel=1e-9)


@settings(max_examples=80, deadline=None)
@given(options(), options(), *[st.floats(0, 500)] * 4, st.floats(0, 300))
def test_what_the_dominance_rests_on(
    a: np.ndarray,
    b: np.ndarray,
    free: float,
    busy: float,
    release_a: float,
    release_b: float,
    later: float,
) -> None:
    """Every time grows with the nodes' times, by at most as much, and by as much once prompts have arrived."""
    first = np.array(pair(free, busy, release_a, release_b, a, b))
    second = np.array(pair(free + later, busy + later, release_a, release_b, a, b))
    assert (second >= first - 1e-6).all()
    assert (second <= first + later + 1e-6).all()
    arrived = max(release_a, release_b)
    first = np.array(pair(free + arrived, busy + arrived, release_a, release_b, a, b))
    second = np.array(pair(free + arrived + later, busy + arrived + later, release_a, release_b, a, b))
    assert second == pytest.approx(first + later, rel=1e-9)
    assert np.array(alone(free, busy + later, release_a, a)) == pytest.approx(
        np.maximum(alone(free, busy, release_a, a), alone(free, busy + later, release_a, a))
    )


def test_many_rounds_cost_no_more_to_add_up() -> None:
    a = np.array([12.0, 10.0, 1.0, 30.0, 11.0, 0.5, 1e6, 0, 0])
    b = np.array([9.0, 8.0, 1.0, 20.0, 9.0, 0.5, 1e6, 0, 0])
    _, verified, _, _ = pair(0.0, 0.0, 0.0, 0.0, a, b)
    # chain of a: 22.5 a round; draft node: 18; verify node: 20
    assert verified == pytest.approx(22.5e6, rel=1e-3)
