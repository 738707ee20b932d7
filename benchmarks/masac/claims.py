"""The paper's claim for the shipped policy: mean latency against the best uniform baseline, on 60 held-out networks.

``python benchmarks/masac/claims.py`` cuts Table I's lines (8 servers with 30 to 180 devices, 90 devices with 4 to 20
servers) from six drops that no policy was trained on, and takes a minute. The suite ``paper`` records the same among
much else.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import uara
from uara.p1.subset import subset

DROPS = Path(__file__).resolve().parents[2] / "instances" / "drops"
CELLS = sorted({(8, m) for m in (30, 60, 90, 120, 150, 180)} | {(e, 90) for e in (4, 8, 12, 16, 20)})
BASELINES = ("random", "max-sinr", "max-compute")


def main() -> None:
    """Solve and print."""
    reductions, excesses = [], []
    for seed in range(500, 506):
        drop = uara.load(DROPS / f"drop_s{seed}.json")
        for servers, devices in CELLS:
            instance = subset(drop, servers, devices)
            uniform = [uara.solve(instance, each, options={"allocation": "uniform"}) for each in BASELINES]
            learned, proven = (uara.solve(instance, each) for each in ("tma-masac", "price"))
            least = min(each.evaluation.latency_ms["mean"] for each in uniform)
            reductions.append(1 - learned.evaluation.latency_ms["mean"] / least)
            best = min(each.evaluation.controllable_ms for each in (learned, proven))
            excesses.append(learned.evaluation.controllable_ms / best - 1)
    print(f"{len(reductions)} networks")
    print(f"latency reduced by {np.mean(reductions):.1%} in the mean, {max(reductions):.1%} at most")
    print(
        f"above the better of it and price: {np.mean(excesses):.3%} in the mean, {max(excesses):.3%} at most"
    )


if __name__ == "__main__":
    main()
