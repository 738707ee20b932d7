"""A problem kind for uara in one file: every courier runs one errand, all errands are run, the total time is least.

The bound is linear programming duality: for ANY u and v, every assignment takes at least
``sum(u) + sum(v) + n * min(0, min(time_ms - u - v))``, so a certificate can prove too little, never too much.
"""

import dataclasses
import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from uara import Answer, Context, InputError, as_solver
from uara.base.files import Record, read_json, validate, write_json
from uara.problem import Kind


class ErrandsFile(Record):
    """Times in ms: one row a courier, one column an errand."""

    schema_version: Literal[1] = 1
    kind: Literal["errands"] = "errands"
    name: str
    time_ms: list[list[float]]


@dataclasses.dataclass(frozen=True, eq=False)
class Errands:
    """An instance: how long each courier would take for each errand."""

    name: str
    time_ms: np.ndarray

    kind: ClassVar[str] = "errands"

    def __post_init__(self) -> None:
        table = np.array(self.time_ms, dtype=float)
        if table.ndim != 2 or table.shape[0] != table.shape[1] or not np.isfinite(table).all():
            raise InputError("must be a square table of times", path="$.time_ms")
        object.__setattr__(self, "time_ms", table)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the times."""
        return hashlib.sha256(self.time_ms.tobytes()).hexdigest()

    def save(self, path: str | Path) -> None:
        """Write the instance file."""
        write_json(Path(path), ErrandsFile(name=self.name, time_ms=self.time_ms.tolist()))


class Assignment(Record):
    """A decision: the errand of each courier."""

    errand: list[int]

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"errand": list(self.errand)}


class Duals(Record):
    """A certificate: a price of each courier and of each errand."""

    u: list[float]
    v: list[float]

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"u": list(self.u), "v": list(self.v)}


@dataclasses.dataclass(frozen=True)
class Total:
    """The score of an assignment."""

    objective_ms: float
    latency_ms: dict[str, float]
    feasible: bool
    energy_j: float = 0.0

    @property
    def controllable_ms(self) -> float:
        """All of it."""
        return self.objective_ms

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"objective": self.objective_ms, "feasible": self.feasible, "latency_ms": self.latency_ms}


def load(path: Path) -> Errands:
    """Read an instance file."""
    record = read_json(path, ErrandsFile)
    return Errands(record.name, np.array(record.time_ms))


def evaluate(instance: Errands, decision: Assignment) -> Total:
    """The total time; feasible if each errand is run once."""
    count = len(instance.time_ms)
    if len(decision.errand) != count or not all(0 <= each < count for each in decision.errand):
        raise InputError(f"names one of {count} errands for each courier", path="$.decision.errand")
    times = instance.time_ms[np.arange(count), decision.errand]
    latency = {"mean": float(times.mean()), "p95": float(np.percentile(times, 95))}
    return Total(float(times.sum()), latency, len(set(decision.errand)) == count)


def lower_bound(instance: Errands, duals: Duals) -> float:
    """What the prices prove."""
    if not len(duals.u) == len(duals.v) == len(instance.time_ms):
        raise InputError("has another number of prices", path="$.certificate")
    reduced = instance.time_ms - np.array(duals.u)[:, None] - np.array(duals.v)
    return float(sum(duals.u) + sum(duals.v) + len(duals.u) * min(0.0, reduced.min()))


def plot(instance: Errands, path: Path, decision: Assignment | None = None) -> None:
    """The table of times, with the assignment marked."""
    from matplotlib.figure import Figure

    axes = (figure := Figure()).add_subplot()
    axes.imshow(instance.time_ms)
    if decision is not None:
        axes.plot(decision.errand, range(len(decision.errand)), "w*")
    axes.set(xlabel="errand", ylabel="courier", title=instance.name)
    figure.savefig(path)


def generate(name: str, couriers: int = 5, seed: int = 0) -> Errands:
    """Random times between 0 and 1 s."""
    return Errands(name, np.random.default_rng(seed).uniform(0, 1000, (couriers, couriers)))


@as_solver(kind="errands")
def hungarian(instance: Errands, context: Context) -> Answer:
    """The least total, with duals from the linear programme that prove it."""
    from scipy.optimize import linear_sum_assignment, linprog

    count = len(instance.time_ms)
    chosen = Assignment(errand=linear_sum_assignment(instance.time_ms)[1].tolist())
    rows = np.vstack([np.kron(np.eye(count), np.ones(count)), np.kron(np.ones(count), np.eye(count))])
    prices = linprog(instance.time_ms.ravel(), A_eq=rows, b_eq=np.ones(2 * count)).eqlin.marginals
    return Answer(chosen, certificate=Duals(u=prices[:count].tolist(), v=prices[count:].tolist()))


@as_solver(kind="errands")
def in_order(instance: Errands, context: Context) -> Assignment:
    """The first errand to the first courier, the second to the second, ..."""
    return Assignment(errand=list(range(len(instance.time_ms))))


ERRANDS = Kind(
    name="errands",
    load=load,
    evaluate=evaluate,
    parse_decision=lambda instance, plain: validate(plain, Assignment, path="$.decision"),
    default_solver="errands-hungarian",
    parse_certificate=lambda plain: validate(plain, Duals, path="$.certificate"),
    lower_bound=lower_bound,
    plot=plot,
    generate=generate,
    features=lambda instance: {"couriers": float(len(instance.time_ms))},
    trials=lambda: (generate("usual"), generate("lonely", couriers=1), generate("many", couriers=12, seed=3)),
    schemas={"errands": ErrandsFile.model_json_schema},
)
