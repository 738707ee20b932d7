"""The clock of a run: pauses, pauses within pauses, and failures within them."""

from __future__ import annotations

import time

import pytest
from clocks import Hands
from hypothesis import given
from hypothesis import strategies as st

from uara.base.clock import Clock, processor_time


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1e6)), max_size=20))
def test_it_adds_up_what_is_not_paused(steps: list[tuple[bool, float]]) -> None:
    hands = Hands()
    hands.at_s = 17.0
    clock, run_s = Clock(hands), 0.0
    for paused, seconds in steps:
        if paused:
            with clock.paused(), clock.paused():
                before_s = clock.elapsed_s()
                hands.at_s += seconds
                assert clock.elapsed_s() == before_s
        else:
            hands.at_s += seconds
            run_s += seconds
    total_s = sum(seconds for _, seconds in steps)
    assert clock.elapsed_s() == pytest.approx(run_s, abs=1e-9 * (1 + total_s))
    assert clock.wall_s() == pytest.approx(total_s, abs=1e-9 * (1 + total_s))
    assert not clock.rung


def fail_while_paused(clock: Clock) -> None:
    with clock.paused():
        raise RuntimeError


def test_it_goes_on_after_a_failure() -> None:
    hands = Hands()
    clock = Clock(hands)
    with pytest.raises(RuntimeError):
        fail_while_paused(clock)
    hands.at_s += 2
    assert clock.elapsed_s() == 2


def test_its_own_seconds_go_on() -> None:
    clock = Clock()
    first = clock.elapsed_s()
    assert 0 <= first <= clock.elapsed_s() <= clock.wall_s() + 1e-9


def test_processor_time_is_what_clocks_of_the_block_count() -> None:
    with processor_time():
        inside = Clock()
        time.sleep(0.1)
        assert inside.wall_s() < 0.09
    outside = Clock()
    time.sleep(0.1)
    assert outside.wall_s() >= 0.1
