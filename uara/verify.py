"""Verifying a stored answer: its objective and its bound are computed again, and no claim is believed.

Nothing here comes from a solver: the objective is summed device by device in plain Python, the bound is
re-computed from the certificate's prices in plain NumPy (``uara.certificate``, ``uara.branches``).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from uara.certificate import Proof, lower_bound, objective
from uara.instance import Instance
from uara.model import Allocation, coefficients
from uara.solution import Claims
from uara.solver import OPTIMAL_GAP

TOLERANCE = 1e-9
"""Largest relative difference between a claim and its re-computation that counts as rounding."""


@dataclass(frozen=True)
class Verdict:
    """What was found when an answer was computed again; all values in ms, constant part included."""

    objective_ms: float
    """Infinite if a constraint is broken."""
    certified_bound_ms: float | None
    """What the certificate proves, or None without one."""
    claimed_bound_ms: float | None
    """A bound that the file states; where it exceeds the certified one, it rests on the solver's word."""
    constant_ms: float
    refusals: tuple[str, ...]
    """Every claim that does not hold, with the difference."""

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
        controllable_ms = self.objective_ms - self.constant_ms
        if bound_ms is None or controllable_ms <= 0 or self.objective_ms == float("inf"):
            return None
        return max(0.0, self.objective_ms - bound_ms) / controllable_ms

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        feasible = self.objective_ms < float("inf")
        return {
            "accepted": self.accepted,
            "objective": self.objective_ms if feasible else None,
            "certified_lower_bound": self.certified_bound_ms,
            "claimed_lower_bound": self.claimed_bound_ms,
            "certified_gap": self.certified_gap,
            "claimed_gap": self.claimed_gap,
            "refusals": list(self.refusals),
        }


def verify(
    instance: Instance, decision: Allocation, claims: Claims, certificate: Proof | None = None
) -> Verdict:
    """Compute an answer's objective and bound again and hold its claims against them."""
    value_ms, broken = objective(instance, decision.association, decision.bandwidth, decision.compute)
    proven_ms = lower_bound(instance, certificate) if certificate is not None else None
    refusals = [f"infeasible: {text}" for text in broken]
    slack_ms = TOLERANCE * max(1.0, abs(value_ms if not broken else claims.objective_ms or 1.0))

    if claims.objective_ms is not None and not broken and abs(claims.objective_ms - value_ms) > slack_ms:
        refusals.append(_difference("objective", claims.objective_ms, value_ms))
    claimed_ms = claims.certified_lower_bound_ms
    if claimed_ms is not None and proven_ms is None:
        refusals.append(f"a certified lower bound of {claimed_ms:.6f} ms is claimed without a certificate")
    if claimed_ms is not None and proven_ms is not None and claimed_ms > proven_ms + slack_ms:
        refusals.append(_difference("certified lower bound", claimed_ms, proven_ms))
    for name, bound_ms in (("claimed", claims.lower_bound_ms), ("certified", proven_ms)):
        if bound_ms is not None and not broken and bound_ms > value_ms + slack_ms:
            refusals.append(_difference(f"{name} lower bound above the objective", bound_ms, value_ms))
    constant_ms = coefficients(instance).constant_ms
    verdict = Verdict(value_ms, proven_ms, claims.lower_bound_ms, constant_ms, tuple(refusals))
    gaps = [gap for gap in (verdict.certified_gap, verdict.claimed_gap) if gap is not None]
    if claims.status == "optimal" and min(gaps, default=1.0) > OPTIMAL_GAP * (1 + 1e-6):
        shown = f"{min(gaps):.3g}" if gaps else "unknown"
        refusals.append(f"optimal is claimed, which is a gap of {OPTIMAL_GAP:g}; the gap is {shown}")
    return dataclasses.replace(verdict, refusals=tuple(refusals))


def _difference(what: str, claimed_ms: float, found_ms: float) -> str:
    return f"{what}: claimed {claimed_ms:.9g} ms, found {found_ms:.9g} ms, difference {claimed_ms - found_ms:.3g} ms"
