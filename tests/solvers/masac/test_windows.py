"""Windows: exact where one window holds the network, of the same kind where it does not; loads against the tables."""

from __future__ import annotations

import numpy as np
import pytest
from cases import make_instance
from uara.solvers.masac import features, policy, windows
from uara.solvers.masac.policy import Policy

from uara.p1.coefficients import coefficients
from uara.p1.dense import dense_of


def test_loads_are_those_of_the_full_tables() -> None:
    instance = make_instance(50, 5, 1)
    band, compute = windows.loads(coefficients(instance))
    table = features.pair_features(dense_of(coefficients(instance), instance.devices.battery_fraction), np)[0]
    usable = table[0, :, :, features.NAMES.index("usable part")] > 0
    for name, found in (("band load", np.log(band + 1e-3)), ("compute load", np.log(compute + 1e-3) - 6.0)):
        column = table[0, :, :, features.NAMES.index(name)]
        expected = np.broadcast_to(np.clip(found, -features.LARGEST, features.LARGEST), column.shape)
        assert column[usable] == pytest.approx(expected[usable])


@pytest.mark.parametrize("devices", [40, 150])
def test_windows_answer_as_one_pass_does(devices: int, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_instance(devices, 5, 2)
    whole = np.array(Policy.load().log_weights(instance))
    monkeypatch.setattr(policy, "MOST_PAIRS", 50)
    split = np.array(Policy.load().log_weights(instance))
    if devices <= windows.WINDOW:
        assert split == pytest.approx(whole, abs=1e-4)
    else:
        assert np.isfinite(split).all()
        assert np.corrcoef(split[0], whole[0])[0, 1] > 0.99
