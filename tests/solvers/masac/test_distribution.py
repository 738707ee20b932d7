"""Masked normal log-weights: the budgets of what they mean, masks, densities."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from uara.solvers.masac.distribution import MaskedNormal

from uara.mec.worlds import shares


def make(n, seed=0, masked=()):
    generator = torch.Generator().manual_seed(seed)
    mask = torch.ones(n, dtype=torch.float64)
    mask[list(masked)] = 0.0
    mean = torch.randn(n, generator=generator, dtype=torch.float64)
    log_std = 0.3 * torch.randn(n, generator=generator, dtype=torch.float64) - 0.5
    return MaskedNormal(mean, log_std, mask)


@given(
    st.lists(st.tuples(st.floats(-25, 5), st.floats(-25, 5)), min_size=1, max_size=9),
    st.integers(0, 2**9 - 1),
)
@settings(max_examples=60, deadline=None)
def test_the_budgets_hold_for_every_action(values, bits):
    """Two servers; each bit says which of them serves a device."""
    weight = torch.tensor(values, dtype=torch.float64).exp()[None]
    association = torch.tensor([[bits >> k & 1 for k in range(len(values))]])
    band, compute = shares(weight[..., 0], weight[..., 1], association, 2)
    for server in (0, 1):
        here = association == server
        if here.any():
            assert float(band[here].sum()) <= 1 + 1e-12
            assert float(compute[here].sum()) == pytest.approx(1.0)
    assert (band > 0).all()
    assert (compute > 0).all()


def test_compute_is_the_softmax_and_band_where_it_is_scarce():
    weight = make(5).rsample()[None, :, None].expand(1, 5, 2)
    one = torch.zeros(1, 5, dtype=torch.long)
    _, compute = shares(weight[..., 0].exp(), weight[..., 1].exp(), one, 1)
    torch.testing.assert_close(compute, torch.softmax(weight[..., 1], 1))
    band, _ = shares((weight[..., 0] + 9).exp(), weight[..., 1].exp(), one, 1)
    torch.testing.assert_close(band, torch.softmax(weight[..., 0], 1))
    idle, _ = shares((weight[..., 0] - 9).exp(), weight[..., 1].exp(), one, 1)
    torch.testing.assert_close(idle, (weight[..., 0] - 9).exp())


def test_log_prob_is_that_of_independent_normals_and_zero_where_masked():
    policy = make(6, masked=(1, 4))
    weight = policy.rsample()
    expected = torch.distributions.Normal(policy.mean, policy.log_std.exp()).log_prob(weight) * policy.mask
    torch.testing.assert_close(policy.log_prob(weight), expected)
    assert (policy.log_prob(weight)[[1, 4]] == 0).all()


def test_a_masked_device_has_no_part_in_the_density():
    full, masked = make(3), make(3, masked=(2,))
    weight = full.rsample()
    smaller = MaskedNormal(full.mean[:2], full.log_std[:2], torch.ones(2, dtype=torch.float64))
    assert masked.log_prob(weight).sum() == pytest.approx(float(smaller.log_prob(weight[:2]).sum()))


def test_samples_follow_the_parameters_and_carry_gradients():
    policy = make(4)
    noise = torch.randn(20_000, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    wide = MaskedNormal(policy.mean.expand(20_000, 4), policy.log_std.expand(20_000, 4), policy.mask)
    sample = wide.rsample(noise)
    torch.testing.assert_close(sample.mean(0), policy.mean, atol=0.03, rtol=0)
    torch.testing.assert_close(sample.std(0), policy.log_std.exp(), atol=0.02, rtol=0)
    mean = policy.mean.clone().requires_grad_()
    MaskedNormal(mean, policy.log_std, policy.mask).rsample().sum().backward()
    torch.testing.assert_close(mean.grad, torch.ones(4, dtype=torch.float64))


def test_entropy_does_not_depend_on_how_many_share():
    """The claim behind one target entropy for all sizes: -log p per device depends on the spread alone."""
    for n in (2, 50):
        policy = MaskedNormal(torch.linspace(-9, 0, n), torch.full((n,), math.log(0.05)), torch.ones(n))
        noise = torch.randn(4000, n, generator=torch.Generator().manual_seed(2))
        entropy = -policy.log_prob(policy.mean + 0.05 * noise).mean()
        assert float(entropy) == pytest.approx(
            0.5 * math.log(2 * math.pi * math.e) + math.log(0.05), abs=0.02
        )
