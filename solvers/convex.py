"""``convex``: for a given association, Y and Z as disciplined convex programs. The readable reference.

With u the uplink delay, the band problem of a server is

    minimise  sum_i lambda (u_i - D_i)^2 + a_i y_i   with  u_i >= c_i / y_i,  sum_i y_i <= 1,  y_i <= min(1, c_i / D_i)

The last constraint loses nothing (a larger share raises both terms) and makes u_i >= D_i, so that the first
term grows with u_i and ``u_i = c_i / y_i`` at the optimum.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np

from uara import solution
from uara.base.errors import InputError, SolverError
from uara.base.files import Record
from uara.base.quantities import Floats, Indices
from uara.p1.allocation import allocate
from uara.p1.coefficients import Coefficients, coefficients
from uara.p1.decision import Allocation
from uara.p1.instance import Instance
from uara.p1.server_cost import SMALLEST_SHARE
from uara.registry import as_solver, find
from uara.solver import Answer, Context

SECONDS, SECONDS_PER_DEVICE = 0.03, 1e-4
"""Time to pose and solve the two programs of a server."""


class ConvexOptions(Record):
    """Options of the reference allocator."""

    association: str = "tma"
    """Where X comes from: ``max-sinr``, ``tma``, ``price``, another solver, or a solution file."""


@cache
def load_cvxpy() -> None:
    """Import CVXPY and Clarabel, so that the clock does not count them."""
    from .common.warmup import rehearse

    for association in ("tma", "price"):
        rehearse(convex, ConvexOptions(association=association))


@as_solver(options=ConvexOptions, requires={"cvxpy": "convex"}, prepare=load_cvxpy)
def convex(instance: Instance, context: Context[ConvexOptions]) -> Answer:
    """Allocate Y and Z for a given association by CVXPY and Clarabel (association=max-sinr|tma|price|FILE).

    Servers that it does not come to in its time keep shares by their closed form; ``details`` says how many.
    """
    numbers = coefficients(instance)
    servers = given_association(instance, context)
    pair, used = numbers.pairs_of(servers), np.unique(servers)
    closed, left = allocate(instance, servers, "optimal"), len(used)
    bandwidth, compute = closed.bandwidth.copy(), closed.compute.copy()
    for server in used:
        members = np.flatnonzero(servers == server)
        if not context.affords(SECONDS + SECONDS_PER_DEVICE * len(members)):
            break
        bandwidth[members] = band_shares(numbers, pair[members])
        compute[members] = compute_shares(numbers.work[pair[members]])
        left -= 1
    return Answer(Allocation(servers, bandwidth, compute), details={"closed_form_servers": left})


def given_association(instance: Instance, context: Context[ConvexOptions]) -> Indices:
    """(M,) The association that the option names."""
    name = context.options.association
    if Path(name).suffix == ".json":
        return np.asarray(solution.open_for(instance, name)[1].association)  # type: ignore[attr-defined]
    method = find(name)
    if method.traits.kind != instance.kind or name == "convex":
        raise InputError(f"{name!r} gives no association", source="option association")
    # Apart, or the inner solver's closed-form shares would be the answer where they are a rounding better.
    inner = context.part(method.make_options(None), name=name, share=0.5, apart=True)
    answer = method.require()(instance, inner)
    return np.asarray(getattr(answer, "decision", answer).association)


def compute_shares(work: Floats) -> Floats:
    """(n,) The shares that minimise ``sum_i work_i / z_i``."""
    cp = _cvxpy()
    z = cp.Variable(len(work))
    load = work / work.max()
    problem = cp.Problem(cp.Minimize(load @ cp.inv_pos(z)), [cp.sum(z) <= 1])
    return within_budget(solved(problem, z))


def band_shares(numbers: Coefficients, pair: Indices) -> Floats:
    """(n,) The shares of one server's band that minimise synchronisation and energy."""
    cp = _cvxpy()
    local, uplink = numbers.local_ms[pair], numbers.uplink_ms[pair]
    cost, weight = numbers.band_cost_ms[pair], numbers.sync_weight_per_ms
    widest = np.minimum(1.0, uplink / local)
    if weight == 0:  # band is of no use, and energy wants none
        return np.full(len(pair), SMALLEST_SHARE)
    # In v = y / widest and delays relative to each device's shortest, all numbers are of the order of one.
    shortest = uplink / widest
    v, u = cp.Variable(len(pair)), cp.Variable(len(pair))
    lag = cp.multiply(np.sqrt(weight) * shortest, u - local / shortest)
    scale = float(np.sum(weight * (len(pair) * shortest) ** 2 + cost * widest))
    objective = cp.sum_squares(lag / np.sqrt(scale)) + (cost * widest / scale) @ v
    constraints = [u >= cp.inv_pos(v), v <= 1, widest @ v <= 1]
    return within_budget(solved(cp.Problem(cp.Minimize(objective), constraints), v) * widest)


def solved(problem: Any, variable: Any) -> Floats:
    """Values of a vector variable at the optimum."""
    cp = _cvxpy()
    precise = {"tol_gap_abs": 1e-13, "tol_gap_rel": 1e-12, "tol_feas": 1e-12, "max_iter": 500}
    with catch_warnings():
        simplefilter("ignore", UserWarning)  # "may be inaccurate": the tolerances are tighter than needed
        problem.solve(solver=cp.CLARABEL, **precise)
    if variable.value is None:
        raise SolverError("convex", f"Clarabel ended with {problem.status}")
    return np.asarray(variable.value, dtype=float)


def within_budget(shares: Floats) -> Floats:
    """Shares of at least the smallest and in sum at most one, where the solver missed that by its tolerance."""
    positive = np.clip(shares, SMALLEST_SHARE, 1.0)
    return np.asarray(positive / max(1.0, float(positive.sum())))


def _cvxpy() -> Any:
    """CVXPY, whose functions are not typed."""
    return import_module("cvxpy")
