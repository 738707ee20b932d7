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


def seconds(work: Callable[[], object], enough_s: float, device: str) -> float:
    """Seconds of one call, after a first one that is not counted: the processor's, or a GPU's on the clock."""
    import torch

    def now() -> float:
        if device == "cpu":
            return time.process_time()
        torch.cuda.synchronize()
        return time.perf_counter()

    work()
    calls, began = 0, now()
    while (spent := now() - began) < enough_s:
        work()
        calls += 1
    return spent / calls


def main(
    enough_s: Annotated[float, typer.Option(help="Seconds of each measurement.")] = 3.0,
    device: Annotated[str, typer.Option(help="cpu or cuda; Algorithm 1 runs on the processor.")] = "cpu",
) -> None:
    """Measure the core (a step with a given association), what is seen, and Algorithm 1."""
    import torch

    from uara.mec.associations import rule
    from uara.mec.batch import Environment
    from uara.mec.channels import PoolGains
    from uara.mec.pools import open_pool
    from uara.mec.views import observation
    from uara.mec.worlds import shares

    torch.set_num_threads(1)
    typer.echo(f"{'worlds':>8}{'slots/s':>12}{'ms a slot: core':>18}{'seen':>8}{'Algorithm 1':>13}")
    for batch in BATCHES:
        dtype = torch.float64 if batch == 1 else torch.float32  # as the faces of one world and of many
        gains = PoolGains(open_pool("urban"), *SIZE, dtype)
        environment = Environment(gains, batch, device=device, dtype=dtype)
        slot = environment.reset(1)
        near, ones = slot.uplink_ms.argmin(2), torch.ones_like(slot.local_ms)
        weight = torch.zeros(batch, *SIZE, 2, dtype=dtype, device=device)
        weight[..., 0] = -2.4
        decision = shares(ones, ones, near, SIZE[1])
        core = seconds(lambda: environment.step(near, *decision), enough_s, device)  # noqa: B023
        seen = seconds(lambda: observation(slot), enough_s, device)  # noqa: B023
        tma = seconds(lambda: rule("tma")(slot, weight, near), enough_s, device)  # noqa: B023
        parts = [1e3 * part / batch for part in (core, seen, tma)]
        typer.echo(f"{batch:8}{1e3 / sum(parts):12.0f}{parts[0]:18.3f}{parts[1]:8.3f}{parts[2]:13.3f}")


if __name__ == "__main__":
    typer.run(main)
