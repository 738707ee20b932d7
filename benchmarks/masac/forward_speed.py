"""Processor milliseconds of the shipped policy at 20 servers and 180 devices: a forward pass, and an answer.

``python benchmarks/masac/forward_speed.py`` takes a few seconds. NumPy's own threads are held to one.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import uara
from uara.p1.subset import subset

DROP = Path(__file__).resolve().parents[2] / "instances" / "drops" / "drop_s500.json"
REPEATS = 50


def spent_ms(work: Callable[[], object]) -> str:
    """Median and least processor time of many calls, after one that does not count."""
    work()
    spent = []
    for _ in range(REPEATS):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return f"{1e3 * np.median(spent):.2f} ms, least {1e3 * min(spent):.2f}"


def main() -> None:
    """Measure and print."""
    from uara.solvers.masac.policy import Policy

    instance, policy = subset(uara.load(DROP), 20, 180), Policy.load()
    print(f"forward pass {spent_ms(lambda: policy.log_weights(instance))}")
    for solver in ("tma-masac", "masac"):
        print(f"{solver} {spent_ms(lambda name=solver: uara.solve(instance, name))}")


if __name__ == "__main__":
    main()
