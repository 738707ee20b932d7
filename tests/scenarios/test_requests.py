"""What requests before a burst leave at the servers, and that a burst's queues are that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uara.base.randomness import stream
from uara.psd.profile import TaskProfile
from uara.scenarios import requests as module
from uara.scenarios.arrivals import read_arrivals
from uara.scenarios.recipe import generate
from uara.scenarios.requests import loads_of, waiting_flop, with_requests


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 30)), max_size=25), st.integers(0, 20))
def test_one_server_works_off_what_came_step_by_step(rows: list[tuple[int, int]], more: int) -> None:
    came = sorted(when for when, _ in rows)
    work = [size for _, size in rows]
    end = (came[-1] if came else 0) + more
    waiting = 0
    for step in range(end + 1):  # a unit of work in a unit of time
        waiting += sum(size for when, size in zip(came, work, strict=True) if when == step)
        if step < end:
            waiting = max(0, waiting - 1)
    found = waiting_flop(np.array(came, float), np.array(work, float), np.array([1.0]), float(end))
    assert found.tolist() == pytest.approx([waiting])


def test_requests_go_where_they_are_done_first() -> None:
    speed = np.array([1.0, 4.0])
    # 8 on the fast one until 2; then 4 on it until 3; then 2 on the slow one, done at 2 and not at 3.5
    assert waiting_flop(np.zeros(3), np.array([8.0, 4.0, 2.0]), speed, 0.0).tolist() == [2.0, 12.0]
    assert waiting_flop(np.zeros(0), np.zeros(0), speed, 0.0).tolist() == [0.0, 0.0]


def _trace(folder: Path, rows: int, gap_s: float) -> Path:
    path = folder / "arrivals.csv"
    lines = "\n".join(f"{row * gap_s},{20 + row % 7},{30 + row % 5}" for row in range(rows))
    path.write_text(f"arrival_s,prompt_tokens,new_tokens\n{lines}\n")
    return path


def test_the_queues_are_what_the_requests_before_left(tmp_path: Path) -> None:
    instance = generate(channel="path-loss", servers=2, devices=4)
    profile = TaskProfile.load("gpt2_gpt2-xl")
    crowded = read_arrivals(_trace(tmp_path, 40, 1e-4))
    made = with_requests(instance, crowded, profile, seed=5)
    first = crowded.place(4, stream(5, "arrivals"))
    assert made.provenance.settings["earlier_requests"] == first > 0
    loads = loads_of(crowded.part(0, first), profile, stream(5, "earlier requests"))
    came_flop = float(loads["server_flop"].sum())
    waiting = made.servers.backlog_flop
    most_done = made.servers.compute_flop_per_s.sum() * crowded.arrival_s[first]
    assert came_flop - most_done - 1 <= waiting.sum() <= came_flop
    assert (waiting > 0).all()
    assert (
        made.servers.backlog_flop == with_requests(instance, crowded, profile, seed=5).servers.backlog_flop
    ).all()
    calm = with_requests(instance, read_arrivals(_trace(tmp_path, 40, 30.0)), profile, seed=5)
    assert calm.servers.backlog_flop.tolist() == [0.0, 0.0]


def test_only_the_latest_requests_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_EARLIER", 3)
    instance = generate(channel="path-loss", servers=2, devices=2)
    whole = read_arrivals(_trace(tmp_path, 40, 1e-3))
    made = with_requests(instance, whole, TaskProfile.load("gpt2_gpt2-xl"), seed=5)
    assert made.provenance.settings["earlier_requests"] == 3
