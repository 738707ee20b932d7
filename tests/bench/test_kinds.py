from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from uara.bench.kinds import Kind, kind_of, with_parameters
from uara.bench.p1_trials import optimum, trials
from uara.errors import InputError

from ..cases import make_instance


def test_an_unknown_kind_has_no_hooks() -> None:
    assert kind_of("something else") == Kind()
    assert kind_of("something else").features(object()) == {}


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
    score = instance.evaluate(decision)
    found = kind.measures(instance, decision, score)
    assert found["optimal_shares_ms"] < score.objective_ms
    low = instance.devices.battery_fraction <= 0.2
    if low.any():
        assert found["low_battery_latency_ms"] == pytest.approx(score.device_latency_ms[low].mean())
    terms = sum(value for name, value in found.items() if name.startswith("term_"))
    assert terms == pytest.approx(score.objective_ms)


def test_changed_constants_are_named_and_checked() -> None:
    instance = make_instance(4, 2)
    varied = with_parameters(instance, {"energy_weight_ms_per_j": 80.0})
    assert varied.name == "synthetic@energy_weight_ms_per_j=80"
    assert varied.parameters.energy_weight_ms_per_j == 80.0
    assert instance.parameters.energy_weight_ms_per_j != 80.0
    assert with_parameters(instance, {}) is instance
    with pytest.raises(InputError, match=r"parameters\.w"):
        with_parameters(instance, {"w": 1.0})
    with pytest.raises(InputError, match="no constants to change"):
        with_parameters(SimpleNamespace(kind="other", name="n"), {"w": 1.0})


def test_trials_are_small_different_and_solved_by_enumeration() -> None:
    found = trials()
    assert len({each.digest for each in found}) == len(found) >= 10
    rng = np.random.default_rng(0)
    for instance in found:
        best = instance.evaluate(optimum(instance))
        assert best.feasible
        start, server = instance.channel.pair_start, instance.channel.pair_server
        from uara import allocate

        for _ in range(5):
            picks = start[:-1] + (rng.random(len(start) - 1) * np.diff(start)).astype(int)
            other = instance.evaluate(allocate(instance, server[picks]))
            assert other.objective_ms >= best.objective_ms - 1e-9 * abs(best.controllable_ms)


def test_enumeration_refuses_what_is_too_much() -> None:
    with pytest.raises(InputError, match="more than 2000"):
        optimum(make_instance(20, 3))


def test_hooks_of_the_batched_system() -> None:
    import uara

    kind = kind_of("hetedge")
    assert len({each.digest for each in kind.trials()}) == len(kind.trials()) >= 5
    instance = kind.trials()[0]
    assert kind.features(instance)["requests"] == 5.0
    result = uara.solve(instance, "hetedge-rules")
    found = kind.measures(instance, result.decision, result.evaluation)
    assert found["makespan_ms"] >= max(result.evaluation.latency_ms.values()) - 1e-6
    assert 0 < found["verify_busy_fraction"] <= 1
    assert kind.generate is not None
    assert kind.generate(channel="path-loss", requests=3, seed=2, name="three").name == "three"
