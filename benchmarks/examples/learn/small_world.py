"""The small world of the examples: how it is made, and what random, equal shares, rules and the optimum cost in it.

python benchmarks/examples/learn/small_world.py        # what there is to win; some minutes, for the optimum
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uara import Instance, solve
from uara.mec import policy_solver
from uara.mec.batch import Environment
from uara.mec.channels import PoolGains
from uara.mec.instances import instance_of
from uara.mec.pools import open_pool
from uara.p1.allocation import allocate
from uara.p1.model import evaluate

SIZE = (12, 3)
WORLD: dict[str, Any] = {"source": "urban-train", "sizes": [SIZE], "scale": "unit", "slots": 10}
"""Keywords of every face."""
LIMIT_S = 10.0
"""For the exact solver; the others take milliseconds."""
HELD_OUT = 40
"""Slots that policies are judged on: drops, devices and tasks that no training sees."""


def held_out() -> list[Instance]:
    """First slots of worlds from drops that training never sees."""
    worlds = Environment(PoolGains(open_pool("urban-held-out"), *SIZE), HELD_OUT)
    worlds.reset(987_654)
    return [instance_of(worlds, number, f"held-out {number}") for number in range(HELD_OUT)]


def equal_shares(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """Wishes beyond the band, which come down to equal shares."""
    action = np.zeros((*seen.shape[:2], 2))
    action[..., 0] = 1.0
    return action


def random_actions(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """Uniform over the action box; the same for the same observation."""
    rng = np.random.default_rng(abs(int(1e6 * float(seen.sum()))))
    return rng.uniform(-1, 1, (*seen.shape[:2], 2))


def square_root_rule(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """Raw log-weights: band c/D, compute sqrt(f)."""
    band = np.minimum(seen[..., 1] - seen[..., 2], 0.0)
    return np.stack([band, 0.5 * (seen[..., 4] - 27.5)], -1)


REFERENCES: dict[str, Any] = {
    "random": lambda: policy_solver(random_actions, name="random-actions"),
    "equal shares": lambda: policy_solver(equal_shares, name="equal-shares"),
    "square-root rule": lambda: policy_solver(square_root_rule, scale="raw", name="square-root"),
    "shipped policy": lambda: "tma-masac",
    "optimum": lambda: "exact",
}
"""Solvers of the lines that every learning curve is drawn among."""


def costs_ms(instances: list[Instance], solver: Any) -> NDArray[np.float64]:
    """(2, N) Controllable objective of a solver's answers, and of equal shares under the same association."""
    found = []
    for each in instances:
        answer = solve(each, solver, time_limit_s=LIMIT_S)
        equal = evaluate(each, allocate(each, answer.allocation.association, "uniform"))
        found.append((answer.evaluation.controllable_ms, equal.controllable_ms))
    return np.array(found).T


def mean_cost_ms(instances: list[Instance], solver: Any) -> float:
    """Mean controllable objective of a solver's answers."""
    return float(costs_ms(instances, solver)[0].mean())


def references(instances: list[Instance]) -> dict[str, float]:
    """Mean controllable objective of every reference."""
    return {name: mean_cost_ms(instances, solver()) for name, solver in REFERENCES.items()}


def part_of_distance(cost_ms: float, known: dict[str, float]) -> float:
    """Part of the distance from equal shares to the optimum that a cost has come; 1 is the optimum."""
    return (known["equal shares"] - cost_ms) / (known["equal shares"] - known["optimum"])


COLUMNS = ("algorithm", "seed", "step", "cpu_s", "controllable_ms")


def save(path: Path, rows: list[tuple[Any, ...]], known: dict[str, float]) -> None:
    """A learning curve with its reference lines, which have no step."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows((name, "", "", "", f"{cost:.6g}") for name, cost in known.items())
        writer.writerows(rows)


def load(path: Path) -> tuple[list[tuple[Any, ...]], dict[str, float]]:
    """Rows and reference lines of a file that :func:`save` wrote."""
    rows: list[tuple[Any, ...]] = []
    known: dict[str, float] = {}
    with path.open() as file:
        for name, seed, step, spent, cost in list(csv.reader(file))[1:]:
            if step:
                rows.append((name, int(seed), int(step), spent, cost))
            else:
                known[name] = float(cost)
    return rows, known


def main() -> None:
    """What the reference lines cost, and what reward they are given."""
    instances = held_out()
    found = {name: costs_ms(instances, solver()) for name, solver in REFERENCES.items()}
    known = {name: float(own.mean()) for name, (own, _) in found.items()}
    print("| | ms | reward | of the distance from equal shares to the optimum |\n|---|---:|---:|---:|")
    for name, (own, equal) in found.items():
        part = 100 * part_of_distance(known[name], known)
        print(f"| {name} | {known[name]:,.1f} | {-(own / equal).mean():,.3f} | {part:.1f} % |", flush=True)


if __name__ == "__main__":
    main()
