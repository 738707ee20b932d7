"""Solution files: a decision, what was claimed of it, and the certificate of its bound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from uara.base import files
from uara.base.errors import InputError
from uara.base.files import Record, VersionOne
from uara.problem import Decision, Problem, Proof, parse_certificate, parse_decision
from uara.solver import Ended, Proven, Result


class InstanceReference(Record):
    """The instance that a solution belongs to."""

    name: str
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """SHA-256 of the problem's data (``Instance.digest``)."""


class Claims(Record):
    """What the run said of the decision; nothing of it is believed when the file is read."""

    objective_ms: float | None = None
    """Objective, constant part included."""
    lower_bound_ms: float | None = None
    """Best lower bound on the objective known to the run."""
    certified_lower_bound_ms: float | None = None
    """Lower bound that the certificate proves."""
    status: Proven | Literal[""] = ""
    """What is said to be known of the decision; empty where nothing is said."""
    ended: Ended | Literal[""] = ""
    """How the run ended."""
    runtime_s: Annotated[float, Field(ge=0)] | None = None


class SolutionFile(Record):
    """A decision for one instance, as ``uara solve --output`` writes it."""

    schema_version: VersionOne
    kind: Literal["solution"]
    problem: str
    """Problem kind of the instance."""
    instance: InstanceReference
    solver: str = ""
    options: dict[str, Any] = {}
    seed: Annotated[int, Field(ge=0)] = 0
    claims: Claims = Claims()
    decision: dict[str, Any]
    """For P1: association (server index), bandwidth and compute (shares), one entry a device."""
    certificate: dict[str, Any] | None = None
    """For P1: kind "prices", compute_price and bandwidth_price, one entry a server."""


def json_schema() -> dict[str, Any]:
    """The published JSON Schema of solution files."""
    return files.published_schema(SolutionFile)


def from_result(result: Result) -> SolutionFile:
    """The solution file of a run."""
    return SolutionFile(
        schema_version=1,
        kind="solution",
        problem=result.instance.kind,
        instance=InstanceReference(name=result.instance.name, digest=result.instance.digest),
        solver=result.solver,
        options=result.options.model_dump(),
        seed=result.seed,
        claims=Claims(
            objective_ms=result.evaluation.objective_ms if result.status != "infeasible" else None,
            lower_bound_ms=result.bound_ms,
            certified_lower_bound_ms=result.certified_bound_ms,
            status=result.status,
            ended=result.ended,
            runtime_s=result.runtime_s,
        ),
        decision=result.decision.to_plain(),
        certificate=result.certificate.to_plain() if result.certificate else None,
    )


def save(result: Result, path: str | Path) -> None:
    """Write the solution file of a run."""
    files.write_json(Path(path), from_result(result))


def load(path: str | Path) -> SolutionFile:
    """Read a solution file.

    Raises
    ------
    InputError
        If it is not one.
    """
    return files.read_json(Path(path), SolutionFile)


def open_for(instance: Problem, path: str | Path) -> tuple[SolutionFile, Decision, Proof | None]:
    """Read a solution file for an instance: the file, its decision, and its certificate if it has one.

    Raises
    ------
    InputError
        If the file belongs to another instance, or its decision or certificate is malformed.
    """
    record = load(path)
    if (record.problem, record.instance.digest) != (instance.kind, instance.digest):
        raise InputError(
            f"is for {record.instance.name!r} (digest {record.instance.digest[:12]}...), "
            f"not for {instance.name!r} (digest {instance.digest[:12]}...)",
            source=str(path),
            path="$.instance",
        )
    try:
        decision = parse_decision(instance, record.decision)
        certificate = None if record.certificate is None else parse_certificate(instance, record.certificate)
    except InputError as error:
        raise error.in_source(str(path)) from None
    return record, decision, certificate
