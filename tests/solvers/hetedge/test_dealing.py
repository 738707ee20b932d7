from __future__ import annotations

import numpy as np
from hetedge_cases import Change, check_change, given_shares, make_hetedge, planned
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.hetedge import dealing
from uara.solvers.hetedge.anneal import DRAWS
from uara.solvers.hetedge.sequence import OPTION, SIZE, Sequence, sequence_of, walk
from uara.solvers.hetedge.service import Service

from uara.base.kernels import alone

deal: Change = alone(dealing.deal)


def members(found: Sequence, slot: int) -> list[int]:
    taken: list[int] = found.members[slot, : found.shape[slot, SIZE]].tolist()
    return taken


def apart(service: Service, low: list[int], high: list[int], option: int) -> bool:
    """Whether no request of the first batch is after one of the second, by prompt or by pace."""
    keys = [(service.prompt[k], service.rounds[k, option]) for k in (*low, *high)]
    return any(max(each[: len(low)]) <= min(each[len(low) :]) for each in (keys, [key[::-1] for key in keys]))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 14))
def test_the_plan_is_worth_what_is_said_or_as_it_was(seed: int, count: int) -> None:
    check_change(deal, seed, count)


def test_two_batches_share_their_requests_anew_and_all_others_keep_theirs() -> None:
    sizes, changed_lengths = set(), 0
    for seed in range(30):
        instance = make_hetedge(14, seed)
        plan = planned(instance, seed)
        service = given_shares(instance, plan)
        found = sequence_of(service, plan)
        value_ms = walk(service, found, 0, np.inf)
        for draw in np.random.default_rng(seed).random((20, DRAWS)):
            slots = found.sequence[: found.batches[0]].tolist()
            before = {slot: (members(found, slot), found.shape[slot, OPTION]) for slot in slots}
            value_ms = deal(service, found, value_ms, np.inf, draw)
            assert found.sequence[: found.batches[0]].tolist() == slots
            touched = [slot for slot in slots if members(found, slot) != before[slot][0]]
            assert len(touched) <= 2
            if len(touched) < 2:
                continue
            a, b = (members(found, slot) for slot in touched)
            assert sorted(a + b) == sorted(before[touched[0]][0] + before[touched[1]][0])
            assert max(len(a), len(b)) <= instance.parameters.largest_batch
            options = [before[slot][1] for slot in touched]
            assert any(apart(service, *pair, option) for pair in ((a, b), (b, a)) for option in options)
            sizes.add((len(a), len(b)))
            changed_lengths += any(found.shape[slot, OPTION] != before[slot][1] for slot in touched)
    assert len(sizes) > 5
    assert changed_lengths > 20


def test_what_no_single_change_of_places_reaches_without_a_loss() -> None:
    """Two batches with two long prompts each: parting them takes one deal."""
    instance = make_hetedge(4, 5, largest_batch=2, noise_band="whole", bandwidth_hz=1e9)
    requests = instance.requests.replace(
        prompt_tokens=np.array([20, 100, 20, 100]),
        output_tokens=np.full(4, 20),
        acceptance_rate=np.full(4, 0.5),
        ready_ms=np.zeros(4),
    )
    instance = instance.replace(requests=requests)
    plan = planned(instance, 5)
    service = given_shares(instance, plan)
    split = type(plan)(
        np.arange(4), np.array([2, 2]), np.array([1, 1]), np.array([False, False]), plan.bandwidth
    )
    found = sequence_of(service, split)
    value_ms = walk(service, found, 0, np.inf)
    assert deal(service, found, value_ms, value_ms, np.array([0.0, 0.0, 0.0, 0.3, 0.9, 0.0])) < value_ms
    assert sorted(sorted(members(found, slot)) for slot in found.sequence[:2]) == [[0, 2], [1, 3]]
