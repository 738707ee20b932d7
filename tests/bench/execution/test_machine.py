from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from uara.bench.execution import machine


def test_a_referee_learns_the_machine_and_the_software() -> None:
    facts = machine.describe()
    assert facts["cores"] >= 1
    assert facts["memory_mb"] > 100
    assert all(facts[name] for name in ("cpu", "platform", "python", "host"))
    assert {"numpy", "scipy", "numba"} <= set(facts["versions"])


def test_the_commit_of_a_checkout_is_known() -> None:
    assert re.fullmatch(r"([0-9a-f]{12}( with changes)?)?", machine.commit())


def test_a_repository_around_an_installation_is_not_the_toolkits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*words: str) -> None:
        who = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    git("commit", "--allow-empty", "-m", "somebody's own")
    file = tmp_path / "uara" / "bench" / "machine.py"
    file.parent.mkdir(parents=True)
    shutil.copy(machine.__file__, file)
    monkeypatch.setattr(machine, "__file__", str(file))
    assert machine.commit() == ""
    git("add", ".")
    git("commit", "-m", "the toolkit")
    assert re.fullmatch("[0-9a-f]{12}", machine.commit())


def test_the_distribution_of_a_solver_is_named() -> None:
    assert machine.plugin_version("random") == {"uara": machine.metadata.version("uara")}
    assert machine.plugin_version("numpy.linalg:solve") == {"numpy": machine.metadata.version("numpy")}
    assert machine.plugin_version("bench_trials:raises") == {}
    assert machine.plugin_version("nobody") == {}
    assert machine.plugin_version(test_the_distribution_of_a_solver_is_named) == {}
