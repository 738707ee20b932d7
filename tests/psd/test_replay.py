from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uara.base.errors import InputError
from uara.psd.replay import replay
from uara.psd.trace import Method

VERDICTS = st.lists(st.booleans(), min_size=1, max_size=60)


def twin(verdicts: list[bool], method: Method, gamma: int) -> list[tuple[int, int]]:
    """(accepted, appended) of each round, told token by token: nothing shared with the replay."""
    rounds, at, pending = [], 0, 0
    while at < len(verdicts):
        if method == "conventional":
            block = min(gamma, len(verdicts) - at - 1)
        else:
            drafted = min(gamma, len(verdicts) - at - pending)
            block = pending + (drafted > 0)
        good = 0
        for verdict in verdicts[at : at + block]:
            if not verdict:
                break
            good += 1
        corrected = good < block or method == "conventional"
        rounds.append((good, good + corrected))
        if method == "psd":
            pending = 0 if good < block else max(0, drafted - 1)
        at += good + corrected
    return rounds


@given(verdicts=VERDICTS, gamma=st.integers(1, 25), method=st.sampled_from(["conventional", "psd"]))
def test_against_the_twin(verdicts: list[bool], gamma: int, method: Method) -> None:
    trace = replay([float(each) for each in verdicts], method, gamma, 5)
    assert list(zip(trace.accepted, trace.appended, strict=True)) == twin(verdicts, method, gamma)
    assert trace.new_tokens == len(verdicts)


@given(verdicts=VERDICTS, gamma=st.integers(1, 25), spare=st.integers(0, 30))
def test_psd_gives_every_token_exactly_one_verdict(verdicts: list[bool], gamma: int, spare: int) -> None:
    trace = replay([float(each) for each in verdicts], "psd", gamma, 5, max_new_tokens=len(verdicts) + spare)
    assert trace.judged_tokens == len(verdicts)
    assert trace.accepted_tokens == sum(verdicts)


def test_nothing_is_drafted_behind_an_end_of_sequence() -> None:
    short = replay([1.0] * 6, "psd", 4, 5, max_new_tokens=50)
    assert short.drafted_tokens == 6
    assert replay([1.0] * 6, "conventional", 10, 5, max_new_tokens=50).drafted == [6]
    # at the limit the last token is the target's own
    assert replay([1.0] * 6, "conventional", 10, 5).drafted == [5]


def test_autoregressive() -> None:
    trace = replay([0.3, 0.4], "autoregressive", 7, 5, rng=np.random.default_rng(0))
    assert (trace.gamma, trace.appended, trace.drafted) == (0, [1, 1], [0, 0])


def test_fractions_are_drawn() -> None:
    rng = np.random.default_rng(0)
    rate = replay([0.7] * 20000, "psd", 5, 5, rng=rng).acceptance_rate
    assert rate == pytest.approx(0.7, abs=0.01)


@pytest.mark.parametrize(
    ("acceptance", "gamma", "limit", "problem"),
    [
        ([1.5], 2, None, "0, 1"),
        ([0.5], 2, None, "random"),
        ([1.0], 0, None, "at least 1"),
        ([1.0] * 3, 2, 2, "limit"),
    ],
)
def test_refusals(acceptance: list[float], gamma: int, limit: int | None, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        replay(acceptance, "psd", gamma, 5, max_new_tokens=limit)
