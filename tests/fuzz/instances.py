"""Instances of both kinds, traces, solutions and the table of best answers, and how each is used."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import malformed
import numpy as np
from cases import make_instance
from fuzz import damage
from hetedge_cases import make_hetedge

import uara
import uara.problem
from uara import Instance, solution
from uara.base import files
from uara.problem import describe, evaluate


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def text_file(name: str, value: Callable[[], Any], encode: Callable[[Any], str]) -> Any:
    def make(folder: Path) -> Callable[[Random], None]:
        good = value()
        (folder / name).write_text(encode(good))
        return lambda rng: write(folder / name, damage.text_of(rng, good, encode))

    return make


@lru_cache
def p1() -> Instance:
    return Instance.from_plain(malformed.valid())


@lru_cache
def walked() -> Any:
    from mec.worlds import random_gains

    from uara.scenarios.trace import MobilityTrace

    rng = np.random.default_rng(1)
    return MobilityTrace(
        make_instance(9, 3, missing=0.0), random_gains(3), rng.uniform(0, 100, (3, 9, 3)), 1.0, 1.5
    )


@lru_cache
def solved(solver: str) -> Any:
    return json.loads(files.pretty_json(solution.from_result(uara.solve(p1(), solver, time_limit_s=2))))


def with_side_file(plain: dict[str, Any], place: str, name: str, folder: Path, whole: bool = False) -> Any:
    """Damage an instance whose columns are in an ``.npz``, or the ``.npz`` under a right hash."""
    columns = list(plain[place]) if whole else [name]
    arrays = {f"{place}.{key}": np.asarray(plain[place][key]) for key in columns if key != "layout"}
    plain = {
        **plain,
        place: {**plain[place], **{key: f"npz:{place}.{key}" for key in columns if key != "layout"}},
    }

    def put(rng: Random | None) -> None:
        side = malformed.archive(**{key: malformed.npy(array) for key, array in arrays.items()})
        side = damage.arrays(rng, arrays) if rng and rng.randrange(3) else side
        record = {**plain, "side_file": {"name": "case.npz", "sha256": files.sha256(side)}}
        (folder / "case.npz").write_bytes(side)
        text = (
            damage.text_of(rng, record, damage.as_json)
            if rng and not rng.randrange(3)
            else json.dumps(record).encode()
        )
        (folder / "case.json").write_bytes(text)

    put(None)
    return put


def use(folder: Path) -> None:
    """Load an instance of any kind and describe it."""
    problem = uara.problem.load(folder / "case.json")
    describe(problem)
    assert len(problem.digest) == 64


def hetedge_plain() -> Any:
    return json.loads(files.pretty_json(_plain(make_hetedge(4, seed=3).to_plain())))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return (
        value.tolist()
        if isinstance(value, np.ndarray)
        else list(value)
        if isinstance(value, tuple)
        else value
    )


def use_trace(folder: Path) -> None:
    from uara.cli.simulate import open_trace
    from uara.mec.simulate import Controller, simulate

    simulate(open_trace(folder / "case.json"), [Controller(name="max-sinr")], slots=1)


def make_trace(folder: Path) -> Callable[[Random], None]:
    trace = walked()
    trace.save(folder / "case.json")
    plain = json.loads((folder / "case.json").read_text())
    given = {"power_gain": trace.power_gain, "device_position_m": trace.device_position_m}
    good = (folder / plain["side_file"]["name"]).read_bytes()

    def put(rng: Random) -> None:
        side = damage.arrays(rng, given) if rng.randrange(2) else good
        (folder / "side.npz").write_bytes(side)
        record = {**plain, "side_file": {"name": "side.npz", "sha256": files.sha256(side)}}
        text = (
            json.dumps(record).encode() if side is not good else damage.text_of(rng, record, damage.as_json)
        )
        (folder / "case.json").write_bytes(text)

    return put


def use_solution(folder: Path) -> None:
    from uara.verify import verify

    instance = p1()
    record, decision, certificate = solution.open_for(instance, folder / "case.json")
    evaluate(instance, decision).to_plain()
    verify(instance, decision, record.claims, certificate).to_plain()


def use_as_start(folder: Path) -> None:
    decision = solution.open_for(p1(), folder / "case.json")[1]
    uara.solve(p1(), "max-sinr", start=decision)


def use_prices(folder: Path) -> None:
    from uara.solvers.dual.price import read_prices

    read_prices(str(folder / "case.json"), 2)


def make_best_known(folder: Path) -> Callable[[Random], None]:
    from uara.scenarios import best_known

    p1().save(folder / "synthetic.json")
    best_known.record(folder, p1(), uara.solve(p1(), "price", time_limit_s=2))
    good = json.loads((folder / "best_known.json").read_text())
    return lambda rng: write(folder / "best_known.json", damage.text_of(rng, good, damage.as_json))


def use_best_known(folder: Path) -> None:
    from uara.scenarios import best_known

    best_known.check(folder)
    best_known.lookup(p1(), folder / "synthetic.json")


def make_plan_file(folder: Path) -> Callable[[Random], None]:
    good = json.loads(
        files.pretty_json(solution.from_result(uara.solve(make_hetedge(4, seed=3), "hetedge-rules")))
    )
    return text_file("case.json", lambda: good, damage.as_json)(folder)


def use_plan(folder: Path) -> None:
    instance = make_hetedge(4, seed=3)
    _, decision, _ = solution.open_for(instance, folder / "case.json")
    evaluate(instance, decision).to_plain()
