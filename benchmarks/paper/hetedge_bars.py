"""What searches and proofs of the batched system reach in a stated time: the shipped instances and five others a size.

python benchmarks/paper/hetedge_bars.py -o docs/hetedge/bars.csv      # half an hour of one core, or what is missing
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import hetedge_record
import typer

import uara
from uara.base.clock import processor_time
from uara.base.files import check_output
from uara.hetedge.generate import generate
from uara.hetedge.instance import HetEdge

SHIPPED = Path(__file__).parents[2] / "instances"
OTHER_SEEDS = (2, 3, 4, 5, 6)
"""Root seeds of the other instances of a size (channel ``path-loss``, so that everybody can make them)."""
SEARCH_SEEDS = (0, 1, 2, 3, 4)
"""Seeds of the search on a shipped instance; 0 alone on the others."""
PROOF_S: Mapping[int, float] = {20: 30.0, 50: 60.0, 100: 180.0}
"""Requests, and processor time for a plan and a proof."""
PROOF_GAP: Mapping[int, float] = {20: 0.005, 50: 0.007, 100: 0.015}
"""Requests, and the gap that is to be proved in that time; on the other instances a run ends there."""
SEARCHED = (50, 100)
SEARCH_S = 10.0
LARGE_S = 600.0
"""Processor time for ``hetedge_k2000``."""


@dataclass(frozen=True)
class Task:
    """One run to make."""

    requests: int
    seed: int
    """Of the instance; 1 is the shipped one."""
    solver: str
    solver_seed: int
    limit_s: float

    @property
    def instance_name(self) -> str:
        """As in the table."""
        return f"hetedge_k{self.requests}" + ("" if self.seed == 1 else f"_seed{self.seed}")

    def instance(self) -> HetEdge:
        """The shipped instance, or one that is drawn."""
        if self.seed == 1:
            return HetEdge.load(SHIPPED / f"{self.instance_name}.json")
        return generate(requests=self.requests, channel="path-loss", seed=self.seed, name=self.instance_name)


@dataclass(frozen=True)
class Row:
    """What a run reached."""

    instance: str
    solver: str
    solver_seed: int
    limit_s: float
    processor_s: float
    total_s: float
    """Total latency of the plan."""
    bound_s: float
    """Certified lower bound over all orders, as re-computed from its certificate; 0 where none was made."""
    reached_s: float
    """When the gap that is to be proved was reached; infinite where it was not."""

    @property
    def key(self) -> tuple[str, str, int, float]:
        """What tells runs apart."""
        return self.instance, self.solver, self.solver_seed, self.limit_s

    @property
    def gap(self) -> float:
        """Part of the plan's total latency that is not proved."""
        return 1 - self.bound_s / self.total_s


def tasks(sizes: Sequence[int] = (20, 50, 100), *, large: bool = True) -> Iterator[Task]:
    """Every run: proofs, searches, and the large instance."""
    for requests in sizes:
        if requests in SEARCHED:
            for solver_seed in SEARCH_SEEDS:
                yield Task(requests, 1, "hetedge-dp", solver_seed, SEARCH_S)
            for seed in OTHER_SEEDS:
                yield Task(requests, seed, "hetedge-dp", 0, SEARCH_S)
        for seed in (1, *OTHER_SEEDS):
            yield Task(requests, seed, "hetedge-bound", 0, PROOF_S[requests])
    if large:
        yield Task(2000, 1, "hetedge-bound", 0, LARGE_S)


def measured(task: Task) -> Row:
    """Make one run; its seconds are those of the processor, whoever else uses it, compilation left out."""
    gap = PROOF_GAP.get(task.requests, 0.0)
    ends_there = task.solver == "hetedge-bound" and task.seed != 1
    instance = task.instance()
    with processor_time():
        result: Any = uara.solve(
            instance,
            task.solver,
            options={"gap": gap} if ends_there else {},
            seed=task.solver_seed,
            time_limit_s=task.limit_s,
        )
    reached = (each.elapsed_s for each in result.trajectory if 1 - each.bound_ms / each.objective_ms <= gap)
    return Row(
        task.instance_name, task.solver, task.solver_seed, task.limit_s, result.runtime_s,
        result.evaluation.objective_ms / 1e3, (result.certified_bound_ms or 0.0) / 1e3,
        next(reached, math.inf),
    )  # fmt: skip


def go_on(path: Path, wanted: Sequence[Task], follow: Callable[[str], None] = typer.echo) -> list[Row]:
    """Make the runs that the table lacks; each is written when it ends."""
    rows = hetedge_record.read(path, Row)
    known = {row.key for row in rows}
    for task in wanted:
        if (task.instance_name, task.solver, task.solver_seed, task.limit_s) in known:
            continue
        rows.append(measured(task))
        hetedge_record.write(rows, path)
        row = rows[-1]
        follow(f"{row.instance:20}{row.solver:15}{row.total_s:12.3f} s, proved {row.bound_s:12.3f} s"
               f"{row.gap:8.2%} in {row.processor_s:.0f} s, {row.reached_s:.0f} s")  # fmt: skip
    return rows


def main(
    output: Annotated[Path, typer.Option("--output", "-o", help="Table to write or to go on with.")],
    size: Annotated[list[int] | None, typer.Option(help="Sizes; all without.")] = None,
    large: Annotated[bool, typer.Option(help="Whether to run the 2,000 requests too.")] = True,
) -> None:
    """Make the runs that are not in the table yet."""
    check_output(output, suffixes=(".csv",), kind=",".join(hetedge_record.columns(Row)))
    go_on(output, list(tasks(size or tuple(PROOF_S), large=large)))


if __name__ == "__main__":
    typer.run(main)
