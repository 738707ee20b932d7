"""Solvers of this checkout beside those of another one: processor time and answers on the shipped instances.

    git worktree add ../then REVISION && python -m venv ../then/.venv && ../then/.venv/bin/pip install ../then
    python benchmarks/beside.py ../then/.venv/bin/python --solver tma-masac

Each checkout runs in a process of its own; the two take turns of some solves each, of which the first warms the
caches and does not count. Times are whole calls of ``uara.solve``, scoring included, in processor time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

INSTANCES = Path(__file__).resolve().parent.parent / "instances"
TURN = 4
"""Solves of a turn."""
SOLVERS = ("price", "tma", "tma-masac")
WORKER = """
import json, sys, time
import uara
for line in sys.stdin:
    path, solver, options, count = json.loads(line)
    instance, took = uara.load(path), []
    for _ in range(count):
        began = time.process_time()
        result = uara.solve(instance, solver, options=options)
        took.append(1e3 * (time.process_time() - began))
    print(json.dumps([took, result.evaluation.controllable_ms]), flush=True)
"""


class Checkout:
    """A process that solves by the ``uara`` of one Python."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, "-c", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(python).parent,
        )

    def solve(
        self, path: Path, solver: str, options: dict[str, Any], count: int
    ) -> tuple[list[float], float]:
        """Milliseconds of each of so many solves, and the controllable cost of the last answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(path), solver, options, count]) + "\n")
        self._process.stdin.flush()
        took, cost_ms = json.loads(self._process.stdout.readline())
        return took, cost_ms

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def beside(
    ours: Checkout, theirs: Checkout, path: Path, solver: str, options: dict[str, Any], rounds: int
) -> tuple[float, float, float, float]:
    """Median milliseconds of both, and both costs."""
    found: list[list[float]] = [[], []]
    costs_ms = [0.0, 0.0]
    for _ in range(rounds):
        for at, checkout in enumerate((ours, theirs)):
            took, costs_ms[at] = checkout.solve(path, solver, options, TURN)
            found[at] += took[1:]
    return float(np.median(found[0])), float(np.median(found[1])), costs_ms[0], costs_ms[1]


def main() -> None:
    """Print a row an instance and the medians of a solver."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("python", help="of the other checkout's environment")
    parser.add_argument("--solver", action="append", help="price, tma and tma-masac by default")
    parser.add_argument("--option", action="append", default=[], help="NAME=JSON, of solvers of both")
    parser.add_argument("--instance", action="append", help="names; all that ship by default")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each")
    given = parser.parse_args()
    options = {name: json.loads(text) for name, _, text in (each.partition("=") for each in given.option)}
    ours, theirs = Checkout(sys.executable), Checkout(given.python)
    print("solver     instance             ms  there ms  ratio  answer above theirs")
    for solver in given.solver or SOLVERS:
        ratios, above = [], []
        for path in sorted(INSTANCES.glob("[ehm]*.json")):
            if not path.stem.startswith(("e", "hard_", "melbourne")):
                continue
            if given.instance and path.stem not in given.instance:
                continue
            mine, other, cost_ms, their_ms = beside(ours, theirs, path, solver, options, given.rounds)
            ratios.append(mine / other)
            above.append(cost_ms / their_ms - 1)
            print(
                f"{solver:10} {path.stem:18} {mine:6.1f} {other:9.1f} {ratios[-1]:6.2f} {above[-1]:+20.4%}",
                flush=True,
            )
        print(
            f"{solver:10} {'median':18} {'':16} {np.median(ratios):6.2f} {np.median(above):+20.4%}"
            f"   most {max(ratios):.2f} {max(above):+.4%}"
        )
    ours.close()
    theirs.close()


if __name__ == "__main__":
    main()
