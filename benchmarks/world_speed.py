"""Slots a second of the slotted world on one core, single and in batches, and where the time goes.

python benchmarks/world_speed.py            # a minute on an idle core
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import typer

SIZE = (90, 8)
BATCHES = (1, 32, 1024)


def seconds(work: Callable[[], object], enough_s: float) -> float:
    """Processor seconds of one call, after a first one that is not counted."""
    work()
    calls, began = 0, time.process_time()
    while (spent := time.process_time() - began) < enough_s:
        work()
        calls += 1
    return spent / calls


def main(enough_s: Annotated[float, typer.Option(help="Seconds of each measurement.")] = 3.0) -> None:
    """Measure the core (a step with a given association), what is seen, and Algorithm 1."""
    import torch

    from uara.mec.associations import rule
    from uara.mec.play import World
    from uara.mec.views import observation
    from uara.mec.worlds import shares

    torch.set_num_threads(1)
    typer.echo(f"{'worlds':>8}{'slots/s':>12}{'ms a slot: core':>18}{'seen':>8}{'Algorithm 1':>13}")
    for batch in BATCHES:
        world = World("urban", "nearest", batch=batch, sizes=[SIZE], slots=10**9)
        world.reset(1)
        environment, slot = world.environment, world.slot
        near, ones = slot.uplink_ms.argmin(2), torch.ones_like(slot.local_ms)
        weight = torch.zeros(batch, *SIZE, 2, dtype=slot.local_ms.dtype)
        weight[..., 0] = -2.4
        decision = shares(ones, ones, near, SIZE[1])
        core = seconds(lambda: environment.step(near, *decision), enough_s)  # noqa: B023
        seen = seconds(lambda: observation(slot), enough_s)  # noqa: B023
        tma = seconds(lambda: rule("tma")(slot, weight, near), enough_s)  # noqa: B023
        parts = [1e3 * part / batch for part in (core, seen, tma)]
        typer.echo(f"{batch:8}{1e3 / sum(parts):12.0f}{parts[0]:18.3f}{parts[1]:8.3f}{parts[2]:13.3f}")


if __name__ == "__main__":
    typer.run(main)
