"""Comparisons without a suite file: instances and solvers as Python objects, results as data frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uara.problem
from uara.base.errors import InputError
from uara.bench.execution.introduce import introduce
from uara.bench.plan import Case, Run, Setting, refuse_namesake, refuse_twins
from uara.bench.results import Results, frames
from uara.bench.runner import How, run_plan
from uara.bench.store import check_results
from uara.bench.suite import Instances, Solver, Suite, option_label, refuse_many
from uara.isolation.supervise import Allowance
from uara.problem import kind_of
from uara.solver import Result

if TYPE_CHECKING:
    import pandas as pd

Entry = str | Callable[..., Any] | tuple[str | Callable[..., Any], Mapping[str, Any]]
"""A solver's name, a callable, or one of these with option values."""


def rank(
    instances: Iterable[Any],
    solvers: Sequence[Entry],
    *,
    seeds: Sequence[int] = (0,),
    repetitions: int = 1,
    time_limit_s: float = 60.0,
    memory_limit_mb: float = 4000.0,
    threads: int = 1,
    jobs: int = 1,
    output: str | Path | None = None,
) -> Results:
    """Run every solver on every instance, each run in a process of its own.

    Parameters
    ----------
    instances
        Instances, or paths of instance files.
    solvers
        See :data:`Entry`.
    output
        Result file; what is recorded in it is not done again. None: nothing is kept on disk.

    Raises
    ------
    InputError
        For a solver that does not exist or cannot be used, bad options, two runs that are the same, or two different
        instances of one name.
    """
    if output is not None:
        check_results(Path(output))
    cases = [Case(uara.problem.load(each) if isinstance(each, str | Path) else each) for each in instances]
    if not cases or not solvers:
        raise InputError("needs at least one instance and one solver", source="rank")
    refuse_many(len(cases) * len(solvers) * len(seeds) * repetitions)
    digests: dict[str, str] = {}
    for case in cases:
        refuse_namesake(digests, case.problem, source="rank")
        case.features = kind_of(case.problem.kind).features(case.problem)
    allowance = Allowance(time_limit_s, memory_limit_mb, threads)
    settings = [_setting(entry) for entry in solvers]
    plan = [
        Run(case, setting, seed, repetition, allowance)
        for case in cases
        for setting in settings
        for seed in seeds
        for repetition in range(repetitions)
    ]
    refuse_twins(plan)
    suite = Suite(
        name="comparison",
        time_limit_s=time_limit_s,
        memory_limit_mb=memory_limit_mb,
        threads=threads,
        seeds=list(seeds),
        repetitions=repetitions,
        instances=[Instances(files=case.name) for case in cases],
        solvers=[Solver(solver=each.name, label=each.label) for each in settings],
    )
    return run_plan(suite, plan, plan, output, (), How(jobs))


def _setting(entry: Entry) -> Setting:
    solver, options = entry if isinstance(entry, tuple) else (entry, {})
    found = introduce(solver, [options])
    found.require()
    return Setting(option_label(found.name, options), solver, found.name, found.kind, found.options[0])


def frame(results: Iterable[Result]) -> pd.DataFrame:
    """Results of :func:`uara.solve` as a data frame: one row each, columns as in a result file."""
    pandas = frames()
    rows = [
        {
            "instance": result.instance.name,
            "solver": result.solver,
            **{f"option_{name}": value for name, value in result.options.model_dump().items()},
            "seed": result.seed,
            "status": result.status,
            "ended": result.ended,
            "objective_ms": result.evaluation.objective_ms,
            "controllable_ms": result.evaluation.controllable_ms,
            "latency_mean_ms": result.evaluation.latency_ms["mean"],
            "latency_p95_ms": result.evaluation.latency_ms["p95"],
            "energy_j": result.evaluation.energy_j,
            "bound_ms": result.bound_ms,
            "certified_bound_ms": result.certified_bound_ms,
            "gap": result.gap,
            "runtime_s": result.runtime_s,
            "setup_s": result.setup_s,
        }
        for result in results
    ]
    table: pd.DataFrame = pandas.DataFrame(rows)
    return table
