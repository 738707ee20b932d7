"""The exact cost V_j(S) of a server that serves the devices S, compiled.

Numba rather than a compiled extension: users need no compiler, the kernels are read and tested as
Python, and the machine code is cached on disk after the first run.

For a given association P1 falls apart into one problem per server, which is convex where it matters
(derivation in ``docs/model.md``, section 2):

* compute: ``z_i`` in proportion to ``sqrt(f_i)``, value ``(sum_i sqrt(f_i)) ** 2 / F_j``;
* bandwidth: minimise ``sum_i lambda (D_i - c_i / y_i)^2 + a_i y_i`` under ``sum_i y_i <= 1``. With
  ``u = 1 / y`` and the price ``mu`` of the band, each device's optimum is the root ``u >= D/c`` of
  ``2 lambda c^2 u^2 (u - D/c) = a + mu``; ``mu`` is found by a safeguarded Newton iteration.
"""

from __future__ import annotations

import numpy as np

from uara.base.kernels import kernel
from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients
from uara.p1.rounding import SMALLEST_SHARE as SMALLEST_SHARE

_LARGEST_U = 1.0 / SMALLEST_SHARE
_HUGE = 1e75
_TOLERANCE = 1e-12


@kernel(allocates=False)
def inverse_share(balance: float, slope: float, start: float) -> float:
    """Root ``u >= balance`` of ``u^2 (u - balance) = slope``, by Newton's method.

    Parameters
    ----------
    balance
        D / c > 0: the inverse share at which uplink and drafting take equally long.
    slope
        (a + mu) / (2 lambda c^2) >= 0.
    start
        A first guess; 0 for none.
    """
    if slope <= 0.0:
        return balance
    if balance > _HUGE or slope > _HUGE * _HUGE:  # the cubes below would overflow; no share is that small
        return float(max(balance, np.cbrt(slope)))
    u = start
    cube = u * u * u
    # From far below Newton's first step leaps too far; from far above it only gains a third at a time.
    if u < balance or 8.0 * cube < slope or (u > 4.0 * balance and cube > 128.0 * slope):
        u = balance + np.cbrt(slope)
    for _ in range(60):
        step = (u * u * (u - balance) - slope) / (u * (3.0 * u - 2.0 * balance))
        u -= step
        if abs(step) <= _TOLERANCE * u:
            break
    return max(u, balance)


@kernel(allocates=False)
def bandwidth_shares(
    local_ms: Floats, uplink_ms: Floats, band_cost_ms: Floats, sync_weight: float, shares: Floats
) -> tuple[float, float]:
    """Optimal shares of one server's band.

    Parameters
    ----------
    local_ms, uplink_ms, band_cost_ms
        (n,) D_i, c_ij and a_ij of the devices served.
    sync_weight
        lambda.
    shares
        (n,) Output: y_i in (0, 1], with a sum of at most 1.

    Returns
    -------
    cost_ms, price_ms
        ``sum lambda (D - c/y)^2 + a y`` and the price mu of the budget.
    """
    n = len(local_ms)
    if sync_weight <= 0.0:
        return _shares_without_synchronisation(local_ms, uplink_ms, band_cost_ms, shares), 0.0
    total = 0.0
    for i in range(n):  # shares[] holds u = 1/y while mu is sought
        scale = 0.5 / (sync_weight * uplink_ms[i] * uplink_ms[i])
        shares[i] = inverse_share(local_ms[i] / uplink_ms[i], band_cost_ms[i] * scale, 0.0)
        total += 1.0 / min(max(shares[i], 1.0), _LARGEST_U)
    price = 0.0
    if total > 1.0:
        price, total = _band_price(local_ms, uplink_ms, band_cost_ms, sync_weight, shares, total)
    cost = 0.0
    for i in range(n):
        share = 1.0 / min(max(shares[i], 1.0), _LARGEST_U)
        if total > 1.0:
            share /= total
        shares[i] = share
        gap = local_ms[i] - uplink_ms[i] / share
        cost += sync_weight * gap * gap + band_cost_ms[i] * share
    return cost, price


@kernel(allocates=False)
def shares_of_bands(
    first: Indices,
    local_ms: Floats,
    uplink_ms: Floats,
    band_cost_ms: Floats,
    sync_weight: float,
    shares: Floats,
) -> None:
    """:func:`bandwidth_shares` of many servers, whose devices ``first[n]:first[n + 1]`` stand one after the other."""
    for n in range(len(first) - 1):
        a, b = first[n], first[n + 1]
        bandwidth_shares(local_ms[a:b], uplink_ms[a:b], band_cost_ms[a:b], sync_weight, shares[a:b])


@kernel(allocates=False, inner=True)
def _band_price(
    local_ms: Floats,
    uplink_ms: Floats,
    band_cost_ms: Floats,
    sync_weight: float,
    inverse: Floats,
    total: float,
) -> tuple[float, float]:
    """The price mu at which the shares sum to one, with that sum; ``inverse`` is 1/y at mu = 0 and is updated."""
    low, high, price = 0.0, np.inf, 0.0
    for _ in range(100):
        slope = 0.0
        for i in range(len(local_ms)):
            u = inverse[i]
            if 1.0 < u < _LARGEST_U:
                balance = local_ms[i] / uplink_ms[i]
                scale = 0.5 / (sync_weight * uplink_ms[i] * uplink_ms[i])
                slope += scale / (u * u * u * (3.0 * u - 2.0 * balance))
        # Newton on total^-3 = 1: exact where band is so scarce that y grows as price^(-1/3).
        guess = price + (total * total * total * total - total) / (3.0 * slope) if slope > 0.0 else np.inf
        if total > 1.0:
            low = price
        else:
            high = price
        if not low < guess < high:
            guess = 0.5 * (low + high) if high < np.inf else 2.0 * price + 1.0
        converged = abs(guess - price) <= _TOLERANCE * guess
        price = guess
        total = 0.0
        for i in range(len(local_ms)):
            scale = 0.5 / (sync_weight * uplink_ms[i] * uplink_ms[i])
            u = inverse_share(local_ms[i] / uplink_ms[i], (band_cost_ms[i] + price) * scale, inverse[i])
            inverse[i] = u
            total += 1.0 / min(max(u, 1.0), _LARGEST_U)
        if converged or abs(total - 1.0) <= _TOLERANCE:
            break
    return price, total


@kernel(allocates=False, inner=True)
def _shares_without_synchronisation(
    local_ms: Floats, uplink_ms: Floats, band_cost_ms: Floats, shares: Floats
) -> float:
    """lambda = 0: band that costs energy is not used; free band is shared by the root of the load."""
    total = 0.0
    for i in range(len(local_ms)):
        shares[i] = SMALLEST_SHARE
        if band_cost_ms[i] <= 0.0:
            total += np.sqrt(uplink_ms[i])
    cost = 0.0
    for i in range(len(local_ms)):
        if band_cost_ms[i] <= 0.0:
            shares[i] = (1.0 - SMALLEST_SHARE * len(local_ms)) * np.sqrt(uplink_ms[i]) / total
        cost += band_cost_ms[i] * shares[i]
    return cost


@kernel(allocates=False, inner=True)
def server_cost(numbers: Coefficients, members: Indices, work: Floats) -> tuple[float, float]:
    """V_j(S): the least cost of one server for the devices that it serves, and the price of its band.

    Parameters
    ----------
    members
        (n,) The candidates, all of one server, of the devices in S; n may be 0.
    work
        (4, n) or larger: work space. Its last row begins with the optimal bandwidth shares afterwards.

    Returns
    -------
    cost_ms, price_ms
        ``(sum of s_i) ** 2 / F_j + sum of wait_ms``, with what :func:`bandwidth_shares` adds, and its price.
    """
    n = len(members)
    if n == 0:
        return 0.0, 0.0
    local, uplink, band, shares = work[0, :n], work[1, :n], work[2, :n], work[3, :n]
    root, wait = 0.0, 0.0
    for a in range(n):
        k = members[a]
        local[a], uplink[a], band[a] = numbers.local_ms[k], numbers.uplink_ms[k], numbers.band_cost_ms[k]
        root += numbers.root_work[k]
        wait += numbers.wait_ms[k]
    cost, price = bandwidth_shares(local, uplink, band, numbers.sync_weight_per_ms, shares)
    return root * root / numbers.work_per_ms[numbers.server[members[0]]] + wait + cost, price


@kernel(allocates=False, inner=True)
def least_band_cost(numbers: Coefficients, candidate: int, price: float) -> float:
    """psi: the least ``lambda (D - c/y)^2 + (a + price) y`` over 0 < y <= 1."""
    weight = numbers.sync_weight_per_ms
    if weight <= 0.0:
        return 0.0
    local, uplink = numbers.local_ms[candidate], numbers.uplink_ms[candidate]
    cost = numbers.band_cost_ms[candidate] + price
    u = max(1.0, inverse_share(local / uplink, 0.5 * cost / (weight * uplink * uplink), 0.0))
    gap = local - uplink * u
    return float(weight * gap * gap + cost / u)
