"""A slot in milliseconds: the ascent from the prices of the last slot, and a search over the pairs near them.

Prices change little from slot to slot, so that two Newton steps at each of four temperatures reach the new
ones; tasks are new, so that the old association is no good start and the cheapest pairs are. Pairs that cost their
device much more than its cheapest one are left out of the search: twice as fast, and its end is better.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from uara.base.errors import InputError
from uara.base.quantities import Floats
from uara.p1.certificate import Certificate
from uara.p1.coefficients import Coefficients, coefficients
from uara.p1.decision import Allocation
from uara.p1.instance import Instance
from uara.tracker import SlotAnswer

from .ascent import NEWTON_SERVERS, Round, first_prices, newton_round, quasi_newton_round, spread
from .kernel import at_prices, certificate_of, prices_of

WARM = tuple(1e-2 * 0.4**n for n in range(4))
"""Temperatures from the last slot's prices, in mean costs of a device."""
COLD = (0.1, 0.02, 0.004, 2.5e-3, 1.25e-3, 6.25e-4)
"""Temperatures from no prices."""
STEPS = 2
"""Newton steps at a temperature."""
FLAT = 1e-3
"""A temperature is left where a step promises less than this part of it for each device."""
NEAR = 8
"""So many pairs a device are searched, those that cost their device least beyond its cheapest one.

With five, twenty servers lost 0.04 % more."""
ROUNDS = 6
"""Most rounds of moves and exchanges."""
WORTH = 0.02
"""A round that takes less than this part of what is left above the bound is the last one."""
LOST = 5e-3
"""A gap that says that the prices were lost: the climb begins again from no prices."""


class SlotSolver:
    """Solves slots one after the other, each from the prices of the one before."""

    def __init__(self) -> None:
        self._certificate: Certificate | None = None

    @property
    def certificate(self) -> Certificate | None:
        """Prices of the last slot."""
        return self._certificate

    def restart(self, certificate: Certificate | None) -> None:
        """Begin the next slot from these prices, or from none.

        Raises
        ------
        InputError
            If the certificate is of another kind than 2E prices.
        """
        if not isinstance(certificate, Certificate | None):
            problem = f"must be one of prices of compute and band, not {type(certificate).__name__}"
            raise InputError(problem, source="certificate")
        self._certificate = certificate

    def solve(self, instance: Instance, expired: Callable[[], bool]) -> SlotAnswer:
        """Solve a slot; where ``expired`` says so, what there is."""
        numbers = coefficients(instance)
        prices = None if self._certificate is None else prices_of(numbers, self._certificate)
        if prices is not None and len(prices) != 2 * numbers.servers:
            prices = None
        answer = _solved(numbers, prices, expired)
        if prices is not None and not answer.gap <= LOST and not expired():
            again = _solved(numbers, None, expired)
            answer = min(answer, again, key=lambda each: each.gap)
        self._certificate = answer.certificate
        return answer


def _solved(numbers: Coefficients, prices: Floats | None, expired: Callable[[], bool]) -> SlotAnswer:
    from ..search.by_prices import chain_pass, move_pass, swap_pass
    from ..search.settling import make_state
    from ..search.state import make_task
    from .shares import optimal_shares

    inverse = np.zeros(len(numbers.server))
    best, finished = _climbed(numbers, prices, inverse, expired)
    value_ms, excess_ms, choice = at_prices(numbers, best, inverse)
    count = min(NEAR * numbers.devices, len(excess_ms)) - 1
    near = excess_ms <= np.partition(excess_ms, count)[count]
    kept = numbers.restricted(near)
    task = make_task(kept)
    state = make_state(task, kept, numbers.server[choice])
    devices, first, cost_ms = numbers.devices, 0, float(state.cost_ms.sum())
    chained = False
    for _ in range(ROUNDS):
        if expired():
            finished = False
            break
        changes = move_pass(task, state, first, devices) + swap_pass(task, state, first, devices)
        before_ms, cost_ms = cost_ms, float(state.cost_ms.sum())
        if changes > 0 and before_ms - cost_ms > WORTH * (cost_ms - value_ms):
            continue
        if chained or chain_pass(task, state, first, devices) == 0:
            break
        chained = True
    band, compute = optimal_shares(task, state)
    return SlotAnswer(
        Allocation(state.chosen, band, compute),
        certificate_of(numbers, best),
        bound_ms=value_ms + numbers.constant_ms,
        objective_ms=float(state.cost_ms.sum()) + numbers.constant_ms,
        constant_ms=numbers.constant_ms,
        complete=finished,
    )


def _climbed(
    numbers: Coefficients, prices: Floats | None, inverse: Floats, expired: Callable[[], bool]
) -> tuple[Floats, bool]:
    """(2E,) The best prices found, and whether all temperatures were gone through; ``inverse`` (K,) is kept warm."""
    point = first_prices(numbers) if prices is None else prices
    scale, count = spread(numbers, point, inverse), len(numbers.server)
    now = Round(
        temperature=scale,
        enough_ms=np.inf,
        best=point.copy(),
        best_ms=np.array([-np.inf]),
        inverse=inverse,
        weight=np.zeros(count),
        choice=np.zeros(numbers.devices, dtype=np.int64),
        flat=FLAT * numbers.devices,
        still=0.5 * FLAT * numbers.devices,
    )
    for level in COLD if prices is None else WARM:
        if expired():
            return now.best, False
        now = now._replace(temperature=level * scale)
        if numbers.servers > NEWTON_SERVERS:
            point, _ = quasi_newton_round(numbers, point, now, expired)
        else:
            point, _, _ = newton_round(numbers, point, now, STEPS)
    return now.best, True
