from __future__ import annotations

from uara.problem import kind_of


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
