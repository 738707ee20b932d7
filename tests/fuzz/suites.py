"""Recipes, collections, suites and their results, and how each is used."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from fuzz import damage
from fuzz.instances import write

from uara.base import files
from uara.scenarios import recipe

SUITE = {
    "name": "trial",
    "time_limit_s": 5.0,
    "seeds": [0],
    "instances": [
        {
            "generate": {"channel": "path-loss", "servers": 3, "devices": [6, 7], "seed": 1, "name": "tiny"},
            "groups": ["all"],
            "parameters": {"energy_weight_ms_per_j": [20.0]},
            "subsets": {"servers": [2], "devices": [3, 4]},
        }
    ],
    "solvers": [{"solver": "tma", "label": "tma one", "options": {"allocation": "uniform", "moves": "pairs"}},
                {"solver": "max-sinr", "repetitions": 2, "seeds": [0, 1], "instances": "*",
                 "skip": [{"instances": "*m4*", "reason": "on purpose"}]}],
    "figures": [{"title": "Sweep", "group": "all", "x": "feature_devices", "y": "latency_mean_ms", "claim": "grows"}],
    "claims": [{"text": "lower", "source": "nobody", "solver": "tma one", "against": ["max-sinr"], "groups": ["all"],
                "mean_reduction": 0.2}],
}  # fmt: skip


COLLECTION = {
    "title": "Two",
    "introduction": "Words.",
    "entries": [
        {
            "name": "one",
            "about": "a",
            "recipe": {"servers": 2, "devices": 5, "channel": "path-loss", "seed": 3},
        },
        {"name": "two", "twin_of": "one", "recipe": {"seed": 2}},
    ],
}


RECIPE = {
    "servers": 3, "devices": 9, "channel": "path-loss", "scene": "etoile", "seed": 1, "profile": "gpt2_gpt2-xl",
    "payload": "tokens", "battery": "any", "server_mix": "mixed", "bandwidth_mhz": 10.0,
    "energy_weight_ms_per_j": 50.0, "box_m": 400.0, "rays_per_server": 10_000, "max_depth": 3,
}  # fmt: skip


def use_collection(folder: Path) -> None:
    from uara.scenarios.collection import Collection

    Collection.load(folder / "case.toml")


def use_suite(folder: Path) -> None:
    from uara.bench.plan import make_plan
    from uara.bench.suite import Suite

    suite = Suite.load(folder / "case.toml")
    if len(suite.instances) <= 2 and len(suite.solvers) <= 3:
        make_plan(suite, folder)


def use_recipe(folder: Path) -> None:
    """A recipe as keyword arguments, as a library caller or a collection gives it."""
    plain = files.read_plain_json(folder / "case.json")
    wanted = files.validate(plain, recipe.Recipe)
    if wanted.servers * wanted.devices < 1000 and wanted.channel == "path-loss":
        recipe.generate(wanted)


def make_results(folder: Path) -> Callable[[Random], None]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "case.parquet"
    good_file = results_file()
    path.write_bytes(good_file)
    table = pq.read_table(path)

    def put(rng: Random) -> None:
        if rng.randrange(4) == 0:
            path.write_bytes(damage.content(rng, good_file))
            return
        pq.write_table(_damaged_table(rng, table, pa), path)

    return put


@lru_cache
def results_file() -> bytes:
    """A small result file, which a suite has made."""
    import tempfile

    import uara.bench

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "suite.toml").write_text(damage.as_toml(SUITE))
        uara.bench.run(folder / "suite.toml", output=folder / "r.parquet")
        return (folder / "r.parquet").read_bytes()


def _damaged_table(rng: Random, table: Any, pa: Any) -> Any:
    for _ in range(rng.choice((1, 1, 2, 3))):
        kind = rng.randrange(7)
        name = rng.choice(table.column_names)
        at = table.column_names.index(name)
        column = table[name].to_pylist()
        if kind == 0:
            table = table.drop_columns([name])
        elif kind == 1:
            table = table.rename_columns(
                [(each + "x" if each == name else each) for each in table.column_names]
            )
        elif kind <= 4:
            row = rng.choice((slice(0, 1), slice(None), slice(None, None, 2)))
            value = rng.choice(
                (
                    None,
                    "",
                    "x",
                    "[",
                    "{}",
                    "[1]",
                    '{"a": NaN}',
                    "[" * 10_000,
                    -1,
                    2**40,
                    float("nan"),
                    float("inf"),
                    -1e308,
                    0,
                )
            )
            column[row] = [value] * len(column[row])
            try:
                table = table.set_column(at, name, pa.array(column, table.schema.field(name).type))
            except (pa.ArrowException, TypeError, OverflowError):
                with contextlib.suppress(pa.ArrowException, TypeError, OverflowError):
                    table = table.set_column(
                        at, name, pa.array([None if v is None else str(v) for v in column])
                    )
        elif kind == 5:
            facts = dict(table.schema.metadata or {b"uara.suite": b"{}"})
            key = rng.choice(sorted(facts))
            try:
                good = json.loads(facts[key])
            except ValueError:
                good = 1
            text = damage.text_of(rng, good if isinstance(good, dict | list) else [good], damage.as_json)
            facts[key] = text
            table = table.replace_schema_metadata(facts)
        else:
            table = rng.choice((table[:0], table.slice(1), pa.concat_tables([table, table])))
    return table


def use_results(folder: Path) -> None:
    from uara.bench.metrics import contradictions
    from uara.bench.results import Results

    results = Results.load(folder / "case.parquet")
    results.ranking()
    contradictions(results)


def use_report(folder: Path) -> None:
    from uara.bench.compare import compare_results
    from uara.bench.report import write_report
    from uara.bench.report.markdown import tables_of
    from uara.bench.results import Results

    results = Results.load(folder / "case.parquet")
    tables_of(results)
    compare_results(results, results).to_plain()
    write_report(results, folder / "case.html")


def make_part(folder: Path) -> Callable[[Random], None]:
    from uara.bench.store import Store

    (folder / "suite.toml").write_text(damage.as_toml(SUITE))
    store = Store(folder / "case.parquet")
    store.path.write_bytes(results_file())
    rows = [row for row in store.rows() if row.get("run_id")]
    first = rows[0]["run_id"]
    good = [row for row in rows if row["run_id"] == first]
    store.parts.mkdir(exist_ok=True)
    part = store.parts / f"{first}.json"
    return lambda rng: write(part, damage.text_of(rng, good, damage.as_json))


def use_part(folder: Path) -> None:
    from uara.bench.store import Store

    store = Store(folder / "case.parquet")
    store.path.write_bytes(results_file())
    store.statuses()
    store.merge(store.rows(), {"name": "x"})
