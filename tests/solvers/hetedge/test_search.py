from __future__ import annotations

import numpy as np
import pytest
from hetedge_cases import make_hetedge
from hypothesis import given, settings
from hypothesis import strategies as st
from truth import hetedge as truth
from uara.solvers.hetedge.search import (
    Choices,
    Programme,
    batch_options,
    candidates,
    just_in_time,
    ordered,
    total_ms,
    work_ms,
)

from uara.base.errors import InputError
from uara.hetedge import bandwidth
from uara.hetedge.timeline import ROUNDS
from uara.problem import evaluate

seeds = st.integers(0, 100_000)


def solved(seed: int, count: int, longest: int, *, pairs: bool = True) -> tuple[float, float, float]:
    """Value of the programme, of its plan in the replay, and of the best of all plans."""
    rng = np.random.default_rng(seed)
    instance = make_hetedge(count, seed, longest_speculation=longest)
    order, share = rng.permutation(count), rng.dirichlet(np.ones(count))
    everything = Choices.everything(instance)
    choices = Choices(everything.lengths, everything.smallest, everything.largest, pairs)
    plan, value = Programme(instance, order, choices).best(share)
    score = evaluate(instance, plan)
    assert score.feasible
    release = instance.ready_ms + bandwidth.upload_ms(instance, share)
    best = truth.best_total_ms(instance, order.tolist(), release.tolist(), list(choices.lengths), pairs)
    return value, score.objective_ms, best


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(1, 4), st.integers(1, 3))
def test_the_programme_finds_the_best_plan_of_all(seed: int, count: int, longest: int) -> None:
    value, replayed, best = solved(seed, count, longest)
    assert value == pytest.approx(best, rel=1e-10)
    assert replayed == pytest.approx(best, rel=1e-10)


@pytest.mark.integration
@pytest.mark.parametrize("seed", [3])
def test_the_same_with_seven_requests(seed: int) -> None:
    value, replayed, best = solved(seed, 7, 2)
    assert value == pytest.approx(best, rel=1e-10)
    assert replayed == pytest.approx(best, rel=1e-10)


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 4))
def test_the_same_without_pipeline(seed: int, count: int) -> None:
    value, _, best = solved(seed, count, 2, pairs=False)
    assert value == pytest.approx(best, rel=1e-10)


@pytest.mark.slow
def test_five_hundred_instances() -> None:
    for seed in range(500):
        rng = np.random.default_rng(seed)
        count = int(rng.integers(1, 8))
        value, replayed, best = solved(10**6 + seed, count, int(rng.integers(1, 4 if count < 6 else 3)))
        assert value == pytest.approx(best, rel=1e-10), seed
        assert replayed == pytest.approx(best, rel=1e-10), seed


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(2, 30))
def test_the_value_is_the_replays(seed: int, count: int) -> None:
    instance = make_hetedge(count, seed, longest_speculation=6)
    share = bandwidth.min_sum(instance)
    programme = Programme(instance, ordered(instance, "work"), Choices.everything(instance))
    plan, value = programme.best(share)
    assert evaluate(instance, plan).objective_ms == pytest.approx(value, rel=1e-10)
    release = instance.ready_ms + bandwidth.upload_ms(instance, share)
    assert total_ms(instance, plan, release) == pytest.approx(value, rel=1e-10)
    assert programme.least_service_ms <= value * (1 + 1e-12)


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_pruning_changes_nothing(seed: int) -> None:
    """A known plan and little room for labels lead to the same value."""
    instance = make_hetedge(12, seed, longest_speculation=4)
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.ones(12))
    programme = Programme(instance, rng.permutation(12), Choices.everything(instance))
    plan, value = programme.best(share)
    assert programme.best(share, plan)[1] == pytest.approx(value, rel=1e-12)
    assert programme.best(share, room=1)[1] == pytest.approx(value, rel=1e-12)


@given(seeds)
def test_fewer_choices_never_help(seed: int) -> None:
    instance = make_hetedge(8, seed, longest_speculation=4)
    share, order = bandwidth.min_max(instance), np.arange(8)
    everything = Choices.everything(instance)
    value = Programme(instance, order, everything).best(share)[1]
    for fewer in (
        Choices(everything.lengths, everything.smallest, everything.largest, pairs=False),
        Choices(everything.lengths[:1], everything.smallest, everything.largest),
        Choices(everything.lengths, everything.smallest, everything.smallest),
    ):
        assert Programme(instance, order, fewer).best(share)[1] >= value * (1 - 1e-12)


def test_lengths_that_cannot_help_are_left_out() -> None:
    instance = make_hetedge(10, 3, longest_speculation=16)
    found = candidates(instance, np.arange(10), Choices.everything(instance))
    for start, size in ((0, 0), (2, 1), (5, 1)):
        count = int(found.count[start, size])
        rounds = found.options[start, size, :count, ROUNDS]
        assert (np.diff(rounds) < 0).all()
        assert (np.diff(found.length[start, size, :count]) > 0).all()


def test_a_choice_that_leaves_nothing_is_refused() -> None:
    instance = make_hetedge(4, 0)
    everything = Choices.everything(instance)
    impossible = Choices(everything.lengths, np.full(4, 3), np.full(4, 3))
    with pytest.raises(InputError, match="no batches"):
        Programme(instance, np.arange(4), impossible)


@settings(max_examples=40, deadline=None)
@given(seeds, st.sampled_from(["whole", "share"]))
def test_in_time_shares_never_starve_the_pipeline(seed: int, noise: str) -> None:
    """With them the plan runs as if all prompts were there when the first ones are."""
    instance = make_hetedge(9, seed, noise_band=noise)
    sent = instance.requests.upload_bits + 10.0
    instance = instance.replace(requests=instance.requests.replace(upload_bits=sent, ready_ms=None))
    plan, _ = Programme(instance, ordered(instance, "work"), Choices.everything(instance)).best(
        bandwidth.min_max(instance)
    )
    share = just_in_time(instance, plan)
    release = bandwidth.upload_ms(instance, share)
    options = batch_options(instance, plan)
    first = max(release[members].max() for members in plan.members()[:1])
    unhurried = total_ms(instance, plan, np.zeros(9)) + 9 * first
    if (options[:, 0] > 0).all():
        assert total_ms(instance, plan, release) == pytest.approx(unhurried, rel=1e-5)


def test_orders() -> None:
    instance = make_hetedge(9, 2)
    requests = instance.requests
    assert ordered(instance, "given").tolist() == list(range(9))
    assert (np.diff(requests.prompt_tokens[ordered(instance, "prompt")]) >= 0).all()
    assert (np.diff(requests.output_tokens[ordered(instance, "output")]) >= 0).all()
    assert (np.diff(work_ms(instance)[ordered(instance, "work")]) >= 0).all()
    arrival = instance.ready_ms + bandwidth.airtime_ms(instance)
    assert (np.diff(arrival[ordered(instance, "airtime")]) >= 0).all()


@given(seeds)
def test_work_is_the_service_of_a_lonely_request(seed: int) -> None:
    instance = make_hetedge(1, seed)
    silent = instance.replace(requests=instance.requests.replace(upload_bits=np.zeros(1), ready_ms=None))
    value = Programme(silent, np.arange(1), Choices.everything(silent)).best(np.ones(1))[1]
    assert value == pytest.approx(work_ms(silent)[0], rel=1e-10)
