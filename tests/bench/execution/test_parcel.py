from __future__ import annotations

import pickle
import subprocess
import sys
import types
from pathlib import Path

import pytest

from uara.bench.execution.parcel import importable, packed


def test_installed_modules_are_importable_and_made_up_ones_are_not() -> None:
    assert importable("uara.solvers.search.matching")
    assert importable("json")
    assert importable("__main__")
    assert not importable("no_such_package.module")


def test_names_travel_as_they_are() -> None:
    assert pickle.loads(packed({"solver": "tma"}, "tma")) == {"solver": "tma"}


def test_a_function_of_an_unknown_module_runs_in_a_fresh_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("made_up.here")
    exec("base = 40\ndef answer():\n    return base + 2\n", module.__dict__)
    monkeypatch.setitem(sys.modules, "made_up.here", module)
    parcel = tmp_path / "parcel"
    parcel.write_bytes(packed(module.answer, module.answer))
    script = f"import pickle; print(pickle.load(open({str(parcel)!r}, 'rb'))())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "42"


def test_a_known_module_travels_by_name() -> None:
    from uara.solvers.search.matching import tma

    assert len(packed(tma, tma)) < 200
