from __future__ import annotations

from uara.bench import machine


def test_a_referee_learns_the_machine_and_the_software() -> None:
    facts = machine.describe()
    assert facts["cores"] >= 1
    assert facts["memory_mb"] > 100
    assert all(facts[name] for name in ("cpu", "platform", "python", "host"))
    assert {"numpy", "scipy", "numba"} <= set(facts["versions"])


def test_the_commit_of_a_checkout_is_known() -> None:
    import re

    assert re.fullmatch(r"([0-9a-f]{12}( with changes)?)?", machine.commit())
