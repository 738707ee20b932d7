"""Algorithm 1 under weights, against moves and swaps tried one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from cases import make_instance, random_association
from hypothesis import given, settings
from hypothesis import strategies as st
from mec.learners import make_slot
from uara.solvers.masac.association import associate, associate_batch, coefficients_of
from uara.solvers.masac.solver import weighted_allocation
from uara.solvers.search.local_search import improve
from uara.solvers.search.settling import make_state
from uara.solvers.search.state import make_task

from uara.p1.model import coefficients, evaluate


def weights(instance, seed):
    rng = np.random.default_rng(seed)
    count = len(instance.channel.pair_server)
    return rng.uniform(0.02, 0.6, count), rng.uniform(0.1, 3.0, count)


def cost(instance, association, band, compute):
    return evaluate(instance, weighted_allocation(instance, association, band, compute)).controllable_ms


@given(
    st.integers(2, 14), st.integers(1, 4), st.integers(0, 10**6), st.sampled_from([0.01, 1.0, 100.0, 3000.0])
)
@settings(max_examples=40, deadline=None)
def test_no_single_move_or_swap_improves_the_answer(devices, servers, seed, payload):
    instance = make_instance(devices, servers, seed, payload=payload)
    band, compute = weights(instance, seed)
    start = random_association(instance, seed)
    chosen = associate(coefficients(instance), band, compute, start)
    reached = cost(instance, chosen, band, compute)
    assert reached <= cost(instance, start, band, compute) * (1 + 1e-9)
    gain = instance.channel.dense(servers)
    for i in range(devices):
        for j in range(servers):
            if gain[i, j] > 0:
                moved = chosen.copy()
                moved[i] = j
                assert cost(instance, moved, band, compute) >= reached * (1 - 1e-7)
    for i, k in itertools.combinations(range(devices), 2):
        if gain[i, chosen[k]] > 0 and gain[k, chosen[i]] > 0:
            swapped = chosen.copy()
            swapped[[i, k]] = chosen[[k, i]]
            assert cost(instance, swapped, band, compute) >= reached * (1 - 1e-7)


@pytest.mark.parametrize("payload", [1.0, 100.0, 5000.0])
def test_the_search_knows_what_its_answer_costs(payload):
    instance = make_instance(60, 6, 3, payload=payload)
    numbers = coefficients(instance)
    band, compute = weights(instance, 1)
    chosen = associate(numbers, band, compute, random_association(instance))
    task = make_task(numbers, (band, compute), reserve=1.0)
    state = make_state(task, numbers, chosen)
    assert float(state.cost_ms.sum()) == pytest.approx(cost(instance, chosen, band, compute), rel=1e-9)
    assert improve(task, state) == 0


def test_the_start_is_left_alone_and_time_is_respected():
    instance = make_instance(30, 4)
    numbers, (band, compute) = coefficients(instance), weights(instance, 1)
    start = random_association(instance)
    kept = start.copy()
    late = associate(numbers, band, compute, start, expired=lambda: True)
    np.testing.assert_array_equal(late, kept)
    associate(numbers, band, compute, start)
    np.testing.assert_array_equal(start, kept)


def test_a_batch_is_its_worlds_one_by_one(tmp_path):
    slot = make_slot(str(tmp_path))
    log_weight = torch.randn(*slot.uplink_ms.shape, 2, generator=torch.Generator().manual_seed(0)) - 2
    start = slot.uplink_ms.argmin(2)
    together = associate_batch(slot, log_weight, start)
    for world, numbers in enumerate(coefficients_of(slot)):
        picked = log_weight[world].double().exp().numpy()[numbers.device, numbers.server]
        alone = associate(numbers, picked[:, 0], picked[:, 1], start[world].numpy())
        np.testing.assert_array_equal(together[world].numpy(), alone)
        assert (numbers.pairs_of(alone) >= 0).all()


def test_a_start_without_a_path_is_replaced(tmp_path):
    slot = make_slot(str(tmp_path))
    nowhere = torch.where(torch.isfinite(slot.uplink_ms), 0.0, 1.0).argmax(2)
    chosen = associate_batch(slot, torch.full((*slot.uplink_ms.shape, 2), -2.0), nowhere)
    assert torch.isfinite(slot.uplink_ms.gather(2, chosen[:, :, None])).all()


def test_coefficients_of_a_slot_are_those_of_the_batch(tmp_path):
    slot = make_slot(str(tmp_path))
    for world, numbers in enumerate(coefficients_of(slot)):
        usable = torch.isfinite(slot.uplink_ms[world]).numpy()
        np.testing.assert_allclose(numbers.uplink_ms, slot.uplink_ms[world].double().numpy()[usable])
        assert numbers.start[-1] == usable.sum()
        pairs = numbers.pairs_of(np.where(usable[:, 0], 0, -1))
        np.testing.assert_array_equal(pairs >= 0, usable[:, 0])
