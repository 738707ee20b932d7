"""What a learner sees of a slot, and what its answers mean."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mec.pools import make_pool

pytest.importorskip("gymnasium")
pytest.importorskip("torch")

import torch

from uara import InputError
from uara.mec.play import World
from uara.mec.views import LARGEST, OBSERVED, SPAN, action_range, log_weights, observation, padded, slot_seen

POOL = make_pool()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.sampled_from(["raw", "unit"]))
def test_what_is_seen_holds_the_whole_slot(seed, scale):
    world = World(POOL, "nearest", sizes=[(9, 3)])
    world.reset(seed)
    slot = world.slot
    again = slot_seen(observation(slot, scale), scale)
    for name in ("local_ms", "server_flop", "flop_per_ms", "battery_fraction", "sync_weight_per_ms"):
        torch.testing.assert_close(
            getattr(again, name).double(), getattr(slot, name).double(), rtol=2e-5, atol=0
        )
    torch.testing.assert_close(again.wait_ms.double(), slot.wait_ms.double(), rtol=1e-4, atol=1e-2)
    usable = torch.isfinite(slot.uplink_ms)
    assert torch.equal(usable, torch.isfinite(again.uplink_ms))
    for name in ("uplink_ms", "band_cost_ms"):
        old, new = getattr(slot, name)[usable], getattr(again, name)[usable]
        torch.testing.assert_close(new.double(), old.double(), rtol=2e-5, atol=1e-9)


def test_a_unit_action_of_zero_is_the_equal_share():
    weight = log_weights(torch.zeros(1, 12, 3, 2), "unit").exp()
    assert weight[0, 0, 0].tolist() == pytest.approx([0.25, 1.0])
    top = log_weights(torch.full((1, 12, 3, 2), 9.0), "unit")
    assert (top - weight.log())[0, 0, 0].tolist() == pytest.approx(list(SPAN))


@pytest.mark.parametrize("scale", ["raw", "unit"])
def test_what_is_seen_is_finite_and_bounded(scale):
    world = World(POOL, "nearest", sizes=[(9, 3)])
    world.reset(4)
    seen = observation(world.slot, scale)
    assert seen.shape == (1, 9, 3, len(OBSERVED))
    assert torch.isfinite(seen).all()
    assert seen.abs().max() <= LARGEST
    lost = ~torch.isfinite(world.slot.uplink_ms)
    for name in ("usable", "log c", "log a"):
        assert (seen[lost][:, OBSERVED.index(name)] == 0).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 3), st.integers(0, 3))
def test_padding_keeps_what_is_there(devices, servers, more_devices, more_servers):
    values = torch.rand(2, devices, servers, 3)
    made = padded(values, (devices + more_devices, servers + more_servers), fill=-1.0)
    assert torch.equal(made[:, :devices, :servers], values)
    assert (made < 0).sum() == made.numel() - values.numel()


@pytest.mark.parametrize("scale", ["raw", "unit"])
def test_actions_are_clipped_to_their_range_and_are_numbers(scale):
    low, high = action_range(scale)
    beyond = torch.tensor([low - 5, high + 5]).expand(1, 6, 2, 2)
    at = torch.tensor([low, high]).expand(1, 6, 2, 2)
    assert torch.equal(log_weights(beyond, scale), log_weights(at, scale))
    wrong = at.clone()
    wrong[0, 4, 1, 0] = torch.nan
    with pytest.raises(InputError, match=r"not a number at \[4, 1, 0\]"):
        log_weights(wrong, scale)
