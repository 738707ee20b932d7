"""The masked logistic-normal: budgets, masks, densities."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.masac.distribution import LogisticNormal, shares


def make(n, seed=0, masked=()):
    generator = torch.Generator().manual_seed(seed)
    mask = torch.ones(n, dtype=torch.float64)
    mask[list(masked)] = 0.0
    mean = torch.randn(n, generator=generator, dtype=torch.float64)
    log_std = 0.3 * torch.randn(n, generator=generator, dtype=torch.float64) - 0.5
    return LogisticNormal(mean, log_std, mask)


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=9), st.integers(0, 2**9 - 1))
@settings(max_examples=60, deadline=None)
def test_the_budget_holds_for_every_action(values, bits):
    weight = torch.tensor(values, dtype=torch.float64)
    mask = torch.tensor([float(bits >> k & 1) for k in range(len(values))], dtype=torch.float64)
    part = shares(weight, mask)
    assert (part >= 0).all()
    assert float(part.sum()) <= 1 + 1e-12
    assert (part[mask == 0] == 0).all()


def test_log_weights_can_be_read_back_from_the_shares():
    policy = make(5)
    weight = policy.rsample()
    part = shares(weight, policy.mask)
    torch.testing.assert_close(torch.log(part / (1 - part.sum())), weight)


def test_the_density_of_the_shares_integrates_to_one():
    policy = make(2, seed=3)
    side = torch.linspace(0, 1, 1501, dtype=torch.float64)[1:-1]
    first, second = torch.meshgrid(side, side, indexing="ij")
    inside = first + second < 1
    y = torch.stack([first[inside], second[inside]], -1)
    weight = torch.log(y / (1 - y.sum(-1, keepdim=True)))
    density = policy.log_prob_of_shares(weight).exp()
    assert float(density.sum()) * float(side[1] - side[0]) ** 2 == pytest.approx(1.0, abs=5e-3)


def test_the_density_of_one_share_is_that_of_a_change_of_variables():
    policy = make(1, seed=5)
    y = torch.linspace(0.05, 0.95, 7, dtype=torch.float64)[:, None]
    logit = torch.log(y / (1 - y))
    normal = torch.distributions.Normal(policy.mean, policy.log_std.exp())
    expected = normal.log_prob(logit)[:, 0] - torch.log(y * (1 - y))[:, 0]
    torch.testing.assert_close(policy.log_prob_of_shares(logit), expected)


def test_log_prob_is_that_of_independent_normals_and_zero_where_masked():
    policy = make(6, masked=(1, 4))
    weight = policy.rsample()
    expected = torch.distributions.Normal(policy.mean, policy.log_std.exp()).log_prob(weight) * policy.mask
    torch.testing.assert_close(policy.log_prob(weight), expected)
    assert (policy.log_prob(weight)[[1, 4]] == 0).all()


def test_a_masked_device_has_no_part_in_density_or_shares():
    full, masked = make(3), make(3, masked=(2,))
    weight = full.rsample()
    smaller = LogisticNormal(full.mean[:2], full.log_std[:2], torch.ones(2, dtype=torch.float64))
    torch.testing.assert_close(masked.log_prob_of_shares(weight), smaller.log_prob_of_shares(weight[:2]))
    torch.testing.assert_close(shares(weight, masked.mask)[:2], shares(weight[:2], smaller.mask))


def test_samples_follow_the_parameters_and_carry_gradients():
    policy = make(4)
    noise = torch.randn(20_000, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    wide = LogisticNormal(policy.mean.expand(20_000, 4), policy.log_std.expand(20_000, 4), policy.mask)
    sample = wide.rsample(noise)
    torch.testing.assert_close(sample.mean(0), policy.mean, atol=0.03, rtol=0)
    torch.testing.assert_close(sample.std(0), policy.log_std.exp(), atol=0.02, rtol=0)
    mean = policy.mean.clone().requires_grad_()
    LogisticNormal(mean, policy.log_std, policy.mask).rsample().sum().backward()
    torch.testing.assert_close(mean.grad, torch.ones(4, dtype=torch.float64))


def test_entropy_does_not_depend_on_how_many_share():
    """The claim behind one target entropy for all sizes: -log p per device depends on the spread alone."""
    for n in (2, 50):
        policy = LogisticNormal(torch.linspace(-9, 0, n), torch.full((n,), math.log(0.05)), torch.ones(n))
        noise = torch.randn(4000, n, generator=torch.Generator().manual_seed(2))
        entropy = -policy.log_prob(policy.mean + 0.05 * noise).mean()
        assert float(entropy) == pytest.approx(
            0.5 * math.log(2 * math.pi * math.e) + math.log(0.05), abs=0.02
        )
