"""A policy far from where most instances lie: instances drawn over wide ranges, and what it costs there.

python benchmarks/masac/ranges.py --out docs/masac/ranges.csv                    # the shipped policy, four minutes
python benchmarks/masac/ranges.py --policy run/policy.onnx --out ranges.csv      # another one
"""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from uara import Instance, Result, UaraWarning, allocate, evaluate, solve
from uara.p1.schema import Parameters

COLUMNS = (
    "instance", "devices", "servers", "energy_weight_ms_per_j", "sync_weight_per_ms", "best_ms", "policy_ms",
    "guarded_ms", "square_root_ms", "gap", "guarded_gap", "square_root_gap", "same_association_gap", "guarded",
)  # fmt: skip
W = (0.0, 0.1, 1.0, None, None, None)
"""w in ms/J, in turn; None is drawn in 0 to 100."""
LAMBDA = (0.0, 1e-3, 0.01, 0.03, 0.1, 1.0, None)
"""lambda in 1/ms, in turn; None is drawn in 1e-4 to 1 by its logarithm."""
SIZES = ((1, 4), (2, 4), (20, 1), (220, 24), None, None, None, None)
"""(M, E), in turn; None is drawn in 1 to 220 and 1 to 24 by their logarithms."""


def draw(number: int) -> Instance:
    """Instance of a number: sizes, constants, loads and speeds over four decades each, another path loss each."""
    rng = np.random.default_rng([17, number])
    size = SIZES[number % len(SIZES)]
    m, e = size or (round(_log(rng, 1, 220)), round(_log(rng, 1, 24)))
    w, weight = W[number % len(W)], LAMBDA[number % len(LAMBDA)]
    spread = rng.uniform(0, 1)

    def column(count: int, middle: float) -> np.ndarray:
        return np.asarray(middle * np.exp(spread * rng.normal(size=count)))

    distance = np.hypot(*(rng.uniform(0, 500, (m, 2))[:, None] - rng.uniform(0, 500, (e, 2))[None]).T).T
    loss_db = 30 + 10 * rng.uniform(2.0, 4.0) * np.log10(np.maximum(distance, 10.0))
    gain_db = -loss_db + rng.uniform(0, 10) * rng.normal(size=(m, e))
    gain_db[(gain_db < -125) & (gain_db < gain_db.max(1, keepdims=True))] = -np.inf
    work = 4e12 * _log(rng, 1e-2, 1e2)
    return Instance.from_arrays(
        {
            "compute_flop_per_s": column(m, 3e12 * _log(rng, 1e-2, 1e2)),
            "tx_power_w": 10 ** rng.uniform(-2, -0.7, m),
            "battery_fraction": rng.uniform(0.01, 1.0, m),
            "upload_bits": column(m, 1e4 * _log(rng, 1, 1e4)),
            "device_flop": column(m, work),
            "server_flop": column(m, work * _log(rng, 1, 20)),
        },
        {
            "compute_flop_per_s": column(e, 4e13 * _log(rng, 1e-4, 1)),
            "bandwidth_hz": np.full(e, 100e6 / e),
            "backlog_flop": np.zeros(e),
        },
        power_gain_db=gain_db,
        name=f"ranges-{number}",
        parameters=Parameters(
            energy_weight_ms_per_j=rng.uniform(0, 100) if w is None else w,
            sync_weight_per_ms=_log(rng, 1e-4, 1) if weight is None else weight,
        ),
    )


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def references(instance: Instance, limit_s: float) -> list[Result]:
    """Good answers of the exact solvers."""
    return [solve(instance, "tma"), solve(instance, "price", time_limit_s=limit_s)]


def row_of(instance: Instance, policy: str, limit_s: float) -> dict[str, object]:
    """What the policy reaches, bare and guarded; gaps are on the controllable part."""
    bare = solve(instance, "tma-masac", options={"policy": policy, "guard": False})
    guarded = solve(instance, "tma-masac", options={"policy": policy})
    association = bare.decision.association
    rule = evaluate(instance, allocate(instance, association, "sqrt"))
    exact = evaluate(instance, allocate(instance, association, "optimal")).controllable_ms
    costs = [each.evaluation.controllable_ms for each in (bare, guarded, *references(instance, limit_s))]
    best = min(*costs, exact)
    return {
        "instance": instance.name,
        "devices": len(instance.devices),
        "servers": len(instance.servers),
        "energy_weight_ms_per_j": instance.parameters.energy_weight_ms_per_j,
        "sync_weight_per_ms": instance.parameters.sync_weight_per_ms,
        "best_ms": best,
        "policy_ms": costs[0],
        "guarded_ms": costs[1],
        "square_root_ms": rule.controllable_ms,
        "gap": costs[0] / best - 1,
        "guarded_gap": costs[1] / best - 1,
        "square_root_gap": rule.controllable_ms / best - 1,
        "same_association_gap": costs[0] / exact - 1,
        "guarded": guarded.details["guarded"],
    }


def main(
    policy: Annotated[str, typer.Option(help="Policy file; the shipped one where left out.")] = "",
    count: Annotated[int, typer.Option(min=1, help="Instances.")] = 210,
    limit_s: Annotated[float, typer.Option(help="Seconds of price for each instance.")] = 0.5,
    out: Annotated[Path | None, typer.Option(help="CSV table.")] = None,
) -> None:
    """Measure a policy over the ranges."""
    warnings.simplefilter("ignore", UaraWarning)
    rows = [row_of(draw(number), policy, limit_s) for number in range(count)]
    if out is not None:
        with out.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, COLUMNS)
            table.writeheader()
            table.writerows(
                {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows
            )
    for name in ("gap", "guarded_gap", "square_root_gap", "same_association_gap"):
        found = 100 * np.array([row[name] for row in rows], dtype=float)
        typer.echo(
            f"{name:22} median {np.median(found):9.4g} %  p95 {np.quantile(found, 0.95):9.4g} %  "
            f"largest {found.max():9.4g} %  above 5 %: {(found > 5).sum()}"
        )
    above = sum(float(row["guarded_ms"]) > float(row["square_root_ms"]) * (1 + 1e-12) for row in rows)  # type: ignore[arg-type]
    typer.echo(f"guarded above the square-root rule: {above}")


if __name__ == "__main__":
    typer.run(main)
