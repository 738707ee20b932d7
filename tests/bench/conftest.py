"""What the tests of the harness share: trial solvers on the path, small instances, suites in a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow", reason="the harness needs the extra 'bench'")
pytest.importorskip("joblib", reason="the harness needs the extra 'bench'")

PLUGINS = Path(__file__).parent / "plugins"


@pytest.fixture(autouse=True)
def _trial_solvers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS))
    path = os.pathsep.join(filter(None, [str(PLUGINS), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("PYTHONPATH", path)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """Keep the test's name out of the environment: with it, each test would start a template of its own."""
    name = os.environ.pop("PYTEST_CURRENT_TEST", "")
    try:
        return (yield)
    finally:
        os.environ["PYTEST_CURRENT_TEST"] = name


def toml(value: Any) -> str:
    """A value as TOML; JSON's scalars and lists are TOML's."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


MakeSuite = Callable[..., Path]


@pytest.fixture
def make_suite(tmp_path: Path) -> MakeSuite:
    """Write a suite file over generated path-loss instances; keyword arguments are its keys."""

    def make(
        solvers: list[dict[str, Any]],
        *,
        devices: list[int] | None = None,
        file: str = "suite.toml",
        **keys: Any,
    ) -> Path:
        generate = {
            "channel": "path-loss",
            "servers": 3,
            "devices": [6] if devices is None else devices,
            "seed": 1,
            "name": "tiny",
        }
        keys.setdefault("instances", [{"generate": generate, "groups": ["all"]}])
        keys.setdefault("name", "trial")
        lists = {"instances": keys.pop("instances"), "solvers": solvers}
        lists |= {key: keys.pop(key) for key in ("figures", "claims") if key in keys}
        lines = [f"{key} = {toml(value)}" for key, value in keys.items()]
        for name, entries in lists.items():
            for entry in entries:
                lines += [f"[[{name}]]", *(f"{key} = {toml(value)}" for key, value in entry.items())]
        path = tmp_path / file
        path.write_text("\n".join(lines) + "\n")
        return path

    return make


HOSTILE = "price <img src=x onerror=\"window.hacked=1\"> & 'co'"
"""A label that tries to break out of a page."""


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result file with everything in it: bounds, trajectories, failures, a sweep, a claim, repetitions.

    The first worker that asks for it makes it, for all.
    """
    from uara.base.locks import exclusive

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "recorded"
    folder.mkdir(exist_ok=True)
    with exclusive(folder / "lock"):
        if not (folder / "recorded.parquet").exists():
            _record(folder)
    return folder / "recorded.parquet"


def _record(folder: Path) -> None:
    import uara.bench

    base = {"channel": "path-loss", "servers": 3, "name": "net", "seed": 3}
    keys = {
        "instances": [
            {"generate": {**base, "devices": [6, 10, 16]}, "groups": ["devices"]},
            {
                "generate": {**base, "devices": 8, "name": "net@devices=8"},
                "parameters": {"energy_weight_ms_per_j": [20.0, 100.0]},
                "groups": ["weight"],
            },
        ],
        "solvers": [
            {
                "solver": "tma",
                "options": {"allocation": ["uniform", "optimal"]},
                "training_s": 3.0,
                "repetitions": 2,
            },
            {"solver": "random", "seeds": [0, 1]},
            {"solver": "price", "label": HOSTILE},
            {"solver": "bench_trials:anytime"},
            {"solver": "bench_trials:raises", "instances": "*=6"},
            {"solver": "max-sinr", "skip": [{"instances": "*=1*", "reason": "on purpose"}]},
        ],
        "figures": [
            {
                "title": "Sweep",
                "group": "devices",
                "x": "feature_devices",
                "y": "latency_mean_ms",
                "claim": "grows",
            },
            {"title": "Lost", "group": "devices", "x": "feature_devices", "y": "measure_nothing"},
            {
                "title": "Trade",
                "kind": "pareto",
                "group": "weight",
                "x": "latency_mean_ms",
                "y": "energy_j",
                "along": "feature_energy_weight_ms_per_j",
            },
        ],
        "claims": [
            {
                "text": "lower",
                "source": "nobody",
                "solver": "tma (allocation=optimal)",
                "against": ["random", "max-sinr"],
                "groups": ["devices"],
                "mean_reduction": 0.2,
            }
        ],
    }
    # every run ends by itself, in milliseconds: the limits are there for a machine that is busy with other work
    lines = ['name = "recorded"', "time_limit_s = 600", "setup_limit_s = 600", "seeds = [0]"]
    for name, entries in keys.items():
        for entry in entries:
            lines += [f"[[{name}]]", *(f"{key} = {toml(value)}" for key, value in entry.items())]
    suite = folder / "recorded.toml"
    suite.write_text("\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGINS))
        uara.bench.run(suite, output=folder / "recorded.parquet")


def made_up(rows: list[dict[str, Any]], points: list[dict[str, Any]] | None = None, **suite: Any) -> Any:
    """Results from a few columns a row; the others get plain values."""
    from uara.bench.columns import to_table
    from uara.bench.results import Results

    full = []
    for place, row in enumerate(rows):
        status = row.get("status", "ok")
        known = {
            "record": "run",
            "run_id": f"run{place}",
            "instance": "i",
            "digest": "d",
            "kind": "p1",
            "label": "s",
            "solver": "s",
            "seed": 0,
            "repetition": 0,
            "status": status,
            "time_limit_s": 10.0,
            "groups": [],
            "setup_s": 0.0,
            "reason": "",
            "commit": "c",
            "wall_s": 0.1,
            "peak_memory_mb": 1.0,
        }
        if status == "ok" and "controllable_ms" in row:
            value = row["controllable_ms"]
            known |= {
                "objective_ms": value + 100.0,
                "latency_mean_ms": value,
                "latency_p95_ms": value,
                "energy_j": value,
                "runtime_s": 1.0,
            }
        full.append(known | row)
    named = [{"record": "point", "instance": "i", "label": "s", **point} for point in points or []]
    return Results(to_table([*full, *named]).to_pandas(), suite)
