"""Verifying a stored answer: its objective and its bound are computed again, and no claim is believed.

Nothing here comes from a solver. :func:`verify_files` checks P1's files in exact arithmetic
(``uara.p1.check_certificate``); :func:`verify` is quicker and in double precision: P1's objective is summed device by
device in plain Python, the bound is re-computed from the certificate's prices in plain NumPy (``uara.p1.certificate``,
``uara.p1.branches``, ``uara.p1.device_prices``). A plan of another problem kind is scored again by its evaluator; its
bound is the solver's word.
"""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from uara.problem import Decision, Problem, Proof, kind_of, lower_bound
from uara.solution import Claims
from uara.solver import OPTIMAL_GAP, ROUNDING_GAP

TOLERANCE = 1e-9
"""Largest difference between a claim and its re-computation, relative to the controllable part, that is rounding."""


@dataclass(frozen=True)
class Verdict:
    """What was found when an answer was computed again; all values in ms, constant part included."""

    objective_ms: float
    """Infinite if a constraint is broken."""
    certified_bound_ms: float | None
    """What the certificate proves, or None without one, or where it proves nothing."""
    claimed_bound_ms: float | None
    """A bound that the file states; where it exceeds the certified one, it rests on the solver's word."""
    controllable_ms: float
    """The objective without its constant part."""
    refusals: tuple[str, ...]
    """Every claim that does not hold, with the difference."""
    arithmetic: Literal["exact", "double precision"] = "double precision"
    """In which the figures were computed; exact ones are rounded so that no gap is understated."""
    check_s: float = 0.0
    """Processor time of the check."""

    @property
    def accepted(self) -> bool:
        """Whether every claim holds."""
        return not self.refusals

    @property
    def certified_gap(self) -> float | None:
        """The proven gap on the controllable part."""
        return self._gap(self.certified_bound_ms)

    @property
    def claimed_gap(self) -> float | None:
        """The gap that the file claims, on the controllable part."""
        return self._gap(self.claimed_bound_ms)

    def _gap(self, bound_ms: float | None) -> float | None:
        if bound_ms is None or not math.isfinite(self.objective_ms) or self.controllable_ms <= 0:
            return None
        gap = max(0.0, self.objective_ms - bound_ms) / self.controllable_ms
        return gap if math.isfinite(gap) else None

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "accepted": self.accepted,
            "objective": self.objective_ms if math.isfinite(self.objective_ms) else None,
            "certified_lower_bound": self.certified_bound_ms,
            "claimed_lower_bound": self.claimed_bound_ms,
            "certified_gap": self.certified_gap,
            "claimed_gap": self.claimed_gap,
            "refusals": list(self.refusals),
            "arithmetic": self.arithmetic,
            "check_s": self.check_s,
        }


def slack_ms(objective_ms: float, controllable_ms: float) -> float:
    """The largest difference between two values of an objective that counts as rounding.

    It is 1e-9 of the controllable part, and four last places of the objective, which adding up may lose.
    """
    return TOLERANCE * controllable_ms + 4 * math.ulp(objective_ms)


def verify(
    instance: Problem, decision: Decision, claims: Claims, certificate: Proof | None = None
) -> Verdict:
    """Compute an answer's objective and bound again and hold its claims against them.

    What is not finite proves nothing: an objective then counts as a broken constraint, a bound as none.
    """
    began = time.process_time()
    value_ms, controllable_ms, broken = kind_of(instance.kind).score_again(instance, decision)
    refusals = [f"infeasible: {text}" for text in broken]
    rounding_ms = 0.0 if broken else slack_ms(value_ms, controllable_ms)
    proven_ms = None
    if certificate is not None:
        found_ms = lower_bound(instance, certificate)
        proven_ms = found_ms if math.isfinite(found_ms) else None
        if proven_ms is None:
            refusals.append("the certificate proves no bound: its numbers leave double precision")

    stated_ms = claims.objective_ms
    if stated_ms is not None and not broken and abs(stated_ms - value_ms) > rounding_ms:
        refusals.append(_difference("objective", stated_ms, value_ms))
    if stated_ms is None and claims.status in ("optimal", "feasible"):
        refusals.append(f"{claims.status} is claimed without an objective")
    if claims.status == "infeasible" and not broken:
        refusals.append("infeasible is claimed of a decision that keeps every constraint")
    claimed_ms = claims.certified_lower_bound_ms
    if claimed_ms is not None and certificate is None:
        refusals.append(f"a certified lower bound of {claimed_ms:.6f} ms is claimed without a certificate")
    if claimed_ms is not None and proven_ms is not None and claimed_ms > proven_ms + rounding_ms:
        refusals.append(_difference("certified lower bound", claimed_ms, proven_ms))
    for name, bound_ms in (("claimed", claims.lower_bound_ms), ("certified", proven_ms)):
        if bound_ms is not None and not broken and bound_ms > value_ms + rounding_ms:
            refusals.append(_difference(f"{name} lower bound above the objective", bound_ms, value_ms))
    verdict = Verdict(value_ms, proven_ms, claims.lower_bound_ms, controllable_ms, tuple(refusals))
    gaps = [gap for gap in (verdict.certified_gap, verdict.claimed_gap) if gap is not None]
    if claims.status == "optimal" and not min(gaps, default=1.0) <= OPTIMAL_GAP * (1 + ROUNDING_GAP):
        shown = f"{min(gaps):.3g}" if gaps else "unknown"
        refusals.append(f"optimal is claimed, which is a gap of {OPTIMAL_GAP:g}; the gap is {shown}")
    return dataclasses.replace(verdict, refusals=tuple(refusals), check_s=time.process_time() - began)


def verify_files(kind: str, instance: Path, solution: Path) -> Verdict | None:
    """Check a solution file against an instance file in exact arithmetic; None if the problem kind has no such check.

    Raises
    ------
    InputError
        If a file is malformed, or the solution is of another instance.
    """
    check = kind_of(kind).check_files
    if check is None:
        return None
    found = check(instance, solution)
    bound_ms = _rounded(found.bound, up=False)
    return Verdict(
        objective_ms=math.inf if found.objective is None else _rounded(found.objective, up=True),
        certified_bound_ms=bound_ms if math.isfinite(bound_ms) else None,
        claimed_bound_ms=None if found.claimed is None else float(found.claimed),
        controllable_ms=math.inf if found.objective is None else _rounded(found.controllable, up=False),
        refusals=tuple(found.refusals),
        arithmetic="exact",
        check_s=found.seconds,
    )


def _rounded(value: Fraction | None, *, up: bool) -> float:
    """A double that is at least, or at most, the value; minus infinity for None and below all doubles."""
    if value is None:
        return -math.inf
    try:
        nearest = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    if up and nearest < value:
        return math.nextafter(nearest, math.inf)
    return math.nextafter(nearest, -math.inf) if not up and nearest > value else nearest


def _difference(what: str, claimed_ms: float, found_ms: float) -> str:
    return f"{what}: claimed {claimed_ms:.9g} ms, found {found_ms:.9g} ms, difference {claimed_ms - found_ms:.3g} ms"
