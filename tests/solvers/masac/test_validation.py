"""The yardstick of training."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mec.learners import make_learner, make_slot
from uara.solvers.masac.association import coefficients_of
from uara.solvers.masac.learner import shares_of
from uara.solvers.masac.validation import (
    exact_log_weights,
    gaps,
    make_yardstick,
    optimal_cost,
    same_association_gap,
    strongest,
)

from uara.mec.worlds import device_costs


def test_the_yardstick_is_exact_sharing_under_its_association(tmp_path):
    slot = make_slot(str(tmp_path), payload_factor_range=(1.0, 1000.0))
    stick = make_yardstick(slot)
    weight = exact_log_weights(slot, stick.association)
    cost = device_costs(slot, stick.association, *shares_of(slot, stick.association, weight)).sum(1)
    torch.testing.assert_close(cost.double(), stick.cost_ms, rtol=1e-4, atol=0.0)
    for world, numbers in enumerate(coefficients_of(slot)):
        chosen = stick.association[world].numpy()
        assert optimal_cost(numbers, chosen) == pytest.approx(float(stick.cost_ms[world]), rel=1e-9)


def test_no_sharing_beats_exact_sharing(tmp_path):
    slot = make_slot(str(tmp_path), payload_factor_range=(1.0, 1000.0))
    stick = make_yardstick(slot)
    for seed in range(3):
        _, alone = gaps(make_learner(seed), stick)
        assert alone > 0


def test_the_whole_gap_measures_the_searchs_own_answer(tmp_path):
    """A yardstick of a bad association is easily beaten by the whole scheme, and never by its allocation."""
    from dataclasses import replace

    slot = make_slot(str(tmp_path))
    usable = torch.isfinite(slot.uplink_ms)
    worst = torch.where(usable, slot.uplink_ms, 0.0).argmax(2)
    cost = [
        optimal_cost(numbers, row) for numbers, row in zip(coefficients_of(slot), worst.numpy(), strict=True)
    ]
    bad = replace(make_yardstick(slot), association=worst, cost_ms=torch.tensor(np.array(cost)))
    whole, alone = gaps(make_learner(prior="rules"), bad)
    assert whole < 0 < alone


def test_strongest_is_the_shortest_uplink(tmp_path):
    slot = make_slot(str(tmp_path))
    chosen = strongest(slot)
    torch.testing.assert_close(slot.uplink_ms.gather(2, chosen[:, :, None])[:, :, 0], slot.uplink_ms.amin(2))


def test_exact_log_weights_are_feasible_shares(tmp_path):
    slot = make_slot(str(tmp_path), payload_factor_range=(500.0, 500.0), plain=0.0)
    association = slot.uplink_ms.argmin(2)
    weight = exact_log_weights(slot, association).exp()
    total = torch.zeros(3, 4).scatter_add(1, association, weight[..., 0])
    assert (total <= 1 + 1e-5).all()
    assert total.max() > 0.99, "band is scarce here"


def test_the_gap_of_an_association_is_that_of_its_allocation(tmp_path):
    slot, learner = make_slot(str(tmp_path)), make_learner(3)
    stick = make_yardstick(slot)
    found = same_association_gap(learner, slot, stick.association)
    assert found == pytest.approx(gaps(learner, stick)[1], rel=1e-6)
    lost = torch.isinf(slot.uplink_ms).any(2)
    assert lost.any()
    unreached = torch.where(lost, torch.isinf(slot.uplink_ms).int().argmax(2), strongest(slot))
    at_strongest = same_association_gap(learner, slot, strongest(slot))
    assert same_association_gap(learner, slot, unreached) == pytest.approx(at_strongest)
