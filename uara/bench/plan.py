"""From a suite to the list of its runs, each with a name of its own that does not depend on the others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from uara.base.errors import InputError, SolverError, meant
from uara.bench.cases import Case as Case
from uara.bench.cases import find_cases
from uara.bench.cases import refuse_namesake as refuse_namesake
from uara.bench.execution.introduce import introduce
from uara.bench.suite import Solver, Suite, grid, option_label
from uara.isolation.supervise import Allowance


@dataclass(frozen=True)
class Setting:
    """A solver with one choice of its options; ``refusal`` says why it cannot run here, if so."""

    label: str
    solver: str | Callable[..., Any]
    name: str
    kind: str
    options: Mapping[str, Any]
    """As validated, defaults included."""
    refusal: str | None = None


@dataclass(frozen=True)
class Run:
    """One run of a suite."""

    case: Case
    setting: Setting
    seed: int
    repetition: int
    allowance: Allowance
    training_s: float | None = None
    skip: str | None = None
    """Why it is left out, if so."""

    @property
    def run_id(self) -> str:
        """Hash of all that defines the run: data, solver, options, seed, limits; not of its place in the suite."""
        facts = {
            "digest": self.case.problem.digest,
            "kind": self.case.problem.kind,
            "solver": self.setting.name,
            "options": dict(self.setting.options),
            "seed": self.seed,
            "repetition": self.repetition,
            "time_limit_s": self.allowance.time_limit_s,
            "memory_limit_mb": self.allowance.memory_limit_mb,
            "threads": self.allowance.threads,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:20]


def make_plan(suite: Suite, folder: Path) -> list[Run]:
    """Every run of a suite whose file stands in ``folder``.

    Raises
    ------
    InputError
        For instances that cannot be read or drawn, solvers that do not exist or cannot be imported, option values
        that a solver does not take, globs and labels that match nothing, or two runs that are the same. It names
        the suite's file and the key path.
    """
    try:
        suite.check()
        return _plan(suite, folder)
    except InputError as error:
        if error.source or suite.source is None:
            raise
        raise error.in_source(suite.source) from None


def _plan(suite: Suite, folder: Path) -> list[Run]:
    chosen = [settings(entry, f"$.solvers[{number}]") for number, entry in enumerate(suite.solvers)]
    refuse_unknown_labels(suite, {setting.label for each in chosen for setting in each})
    cases = find_cases(suite, folder)
    for number, entry in enumerate(suite.solvers):
        refuse_idle_globs(entry, [case.name for case in cases], f"$.solvers[{number}]")
    runs = [
        run
        for entry, found in zip(suite.solvers, chosen, strict=True)
        for setting in found
        for run in _runs_of(suite, entry, setting, cases)
    ]
    order = {id(case): place for place, case in enumerate(cases)}
    runs.sort(key=lambda run: order[id(run.case)])
    refuse_twins(runs)
    return runs


def choose(runs: Sequence[Run], only_solver: str = "*", only_instance: str = "*") -> list[Run]:
    """The runs whose label and instance match these globs; :class:`InputError` if there are none."""
    found = list(runs)
    globs: dict[str, tuple[str, Callable[[Run], str]]] = {
        "solver": (only_solver, lambda run: run.setting.label),
        "instance": (only_instance, lambda run: run.case.name),
    }
    for what, (glob, name_of) in globs.items():
        names = dict.fromkeys(map(name_of, runs))
        if not any(fnmatchcase(name, glob) for name in names):
            raise InputError(f"{glob!r} matches none of {_some(list(names))}", source=f"--only-{what}")
        found = [run for run in found if fnmatchcase(name_of(run), glob)]
    if not found:
        raise InputError(
            f"no solver that matches {only_solver!r} runs on an instance that matches {only_instance!r}",
            source="--only-solver and --only-instance",
        )
    return found


def _runs_of(suite: Suite, entry: Solver, setting: Setting, cases: list[Case]) -> Iterator[Run]:
    allowance = Allowance(
        time_limit_s=entry.time_limit_s or suite.time_limit_s,
        memory_limit_mb=entry.memory_limit_mb or suite.memory_limit_mb,
        threads=entry.threads or suite.threads,
        setup_limit_s=suite.setup_limit_s,
        grace_s=suite.grace_s,
    )
    for case in cases:
        if not fnmatchcase(case.name, entry.instances):
            continue
        reasons = [skip.reason for skip in entry.skip if fnmatchcase(case.name, skip.instances)]
        if setting.refusal is not None:
            reasons.append(setting.refusal)
        elif setting.kind != case.problem.kind:
            reasons.append(f"solves {setting.kind}, not {case.problem.kind}")
        for seed in entry.seeds or suite.seeds:
            for repetition in range(entry.repetitions or suite.repetitions):
                skip = reasons[0] if reasons else None
                yield Run(case, setting, seed, repetition, allowance, entry.training_s, skip)


def settings(entry: Solver, place: str) -> list[Setting]:
    """One setting for each combination of an entry's options; :class:`InputError` if there is no such solver."""
    choices = list(grid(entry.options))
    try:
        found = introduce(entry.solver, choices)
    except InputError as error:
        if error.path is None:
            raise InputError(error.problem, path=f"{place}.solver") from None
        raise InputError(error.problem, path=f"{place}.options.{error.path}".rstrip(".")) from None
    except SolverError as error:
        raise InputError(str(error), path=f"{place}.solver") from error
    settings = []
    for options, full in zip(choices, found.options, strict=True):
        label = entry.label or option_label(entry.solver, options)
        varied = {key: options[key] for key, value in entry.options.items() if isinstance(value, list)}
        if entry.label and varied:
            label = option_label(entry.label, varied)
        settings.append(Setting(label, entry.solver, found.name, found.kind, full, found.reason))
    return settings


def refuse_unknown_labels(suite: Suite, known: set[str]) -> None:
    """:class:`InputError` if a figure or a claim speaks of a label that no solver of the suite has."""
    asked = [(f"$.figures[{n}].solvers", figure.solvers) for n, figure in enumerate(suite.figures)]
    asked += [(f"$.claims[{n}].solver", [claim.solver]) for n, claim in enumerate(suite.claims)]
    asked += [(f"$.claims[{n}].against", claim.against) for n, claim in enumerate(suite.claims)]
    for place, labels in asked:
        for label in labels:
            if label not in known:
                raise InputError(f"no solver is labelled {label!r}{meant(label, known)}", path=place)


def refuse_idle_globs(entry: Solver, names: list[str], place: str) -> None:
    """:class:`InputError` if a glob of a solver's entry matches none of the instances it is about."""
    own = [name for name in names if fnmatchcase(name, entry.instances)]
    if not own:
        raise InputError(f"{entry.instances!r} matches none of {_some(names)}", path=f"{place}.instances")
    for number, skip in enumerate(entry.skip):
        if not any(fnmatchcase(name, skip.instances) for name in own):
            raise InputError(
                f"{skip.instances!r} matches none of {_some(own)}", path=f"{place}.skip[{number}].instances"
            )


def _some(names: list[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def refuse_twins(runs: list[Run]) -> None:
    """:class:`InputError` if two runs are the same, or two different settings have one label."""
    seen: dict[str, Run] = {}
    labels: dict[str, str] = {}
    for run in runs:
        twin = seen.setdefault(run.run_id, run)
        if twin is not run:
            raise InputError(
                f"{run.setting.label} and {twin.setting.label} are the same run of {run.case.name}",
                path="$.solvers",
            )
        facts = json.dumps([run.setting.name, dict(run.setting.options)], sort_keys=True, default=str)
        if labels.setdefault(run.setting.label, facts) != facts:
            raise InputError(f"two different settings are called {run.setting.label!r}", path="$.solvers")
