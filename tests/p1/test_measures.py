from __future__ import annotations

import numpy as np
import pytest

from uara.problem import evaluate, kind_of

from ..cases import make_instance


def test_features_and_measures_of_p1() -> None:
    from uara import allocate

    instance = make_instance(9, 3)
    kind = kind_of("p1")
    assert kind.features(instance)["devices"] == 9.0
    decision = allocate(
        instance,
        np.diff(instance.channel.pair_start) * 0
        + instance.channel.pair_server[instance.channel.pair_start[:-1]],
        "uniform",
    )
    score = evaluate(instance, decision)
    found = kind.measures(instance, decision, score)
    assert found["optimal_shares_ms"] < score.objective_ms
    low = instance.devices.battery_fraction <= 0.2
    if low.any():
        assert found["low_battery_latency_ms"] == pytest.approx(score.device_latency_ms[low].mean())
    terms = sum(value for name, value in found.items() if name.startswith("term_"))
    assert terms == pytest.approx(score.objective_ms)
