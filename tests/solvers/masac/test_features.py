"""Features: one text, two libraries, any size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mec.learners import make_slot
from uara.solvers.masac.features import COUNT, LARGEST, NAMES, pair_features, prior_log_weights


class Plain:
    """A slot as NumPy arrays."""

    def __init__(self, slot):
        for name, value in vars(slot).items():
            setattr(self, name, value.double().numpy())


def test_numpy_and_torch_agree(tmp_path):
    slot = make_slot(str(tmp_path), payload_factor_range=(1.0, 3e4)).map(lambda tensor: tensor.double())
    features, usable = pair_features(slot, torch)
    other, mask = pair_features(Plain(slot), np)
    np.testing.assert_allclose(features.numpy(), other, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(usable.numpy(), mask)
    for prior in ("uniform", "rules"):
        start = prior_log_weights(slot, prior, torch)
        np.testing.assert_allclose(start.numpy(), prior_log_weights(Plain(slot), prior, np), rtol=1e-12)


def test_features_are_finite_bounded_and_zero_without_a_path(tmp_path):
    slot = make_slot(str(tmp_path), payload_factor_range=(1.0, 3e4), plain=0.0)
    features, usable = pair_features(slot, torch)
    assert features.shape == (*slot.uplink_ms.shape, COUNT)
    assert len(NAMES) == COUNT
    assert torch.isfinite(features).all()
    assert features.abs().max() <= LARGEST
    assert (features[usable == 0] == 0).all()
    assert torch.equal(usable > 0, torch.isfinite(slot.uplink_ms))


@pytest.mark.parametrize(
    ("field", "value"), [("sync_weight_per_ms", 0.0), ("band_cost_ms", 0.0), ("wait_ms", 0.0)]
)
def test_extreme_constants_give_finite_features(tmp_path, field, value):
    slot = make_slot(str(tmp_path))
    changed = type(slot)(**{**vars(slot), field: torch.full_like(getattr(slot, field), value)})
    assert torch.isfinite(pair_features(changed, torch)[0]).all()


def test_features_follow_permutations_of_devices_and_servers(tmp_path):
    slot = make_slot(str(tmp_path), batch=1)
    features, _ = pair_features(slot, torch)
    devices, servers = torch.randperm(slot.uplink_ms.shape[1]), torch.randperm(slot.uplink_ms.shape[2])
    shuffled = type(slot)(
        uplink_ms=slot.uplink_ms[:, devices][:, :, servers],
        band_cost_ms=slot.band_cost_ms[:, devices][:, :, servers],
        local_ms=slot.local_ms[:, devices],
        server_flop=slot.server_flop[:, devices],
        flop_per_ms=slot.flop_per_ms[:, servers],
        wait_ms=slot.wait_ms[:, servers],
        battery_fraction=slot.battery_fraction[:, devices],
        sync_weight_per_ms=slot.sync_weight_per_ms,
    )
    torch.testing.assert_close(pair_features(shuffled, torch)[0], features[:, devices][:, :, servers])
