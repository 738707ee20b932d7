"""``price``: prices of compute and of band that bound P1 from below, and the associations that they suggest.

Where they leave more than the wanted gap, one price per device in their place proves nearly all of it
(:mod:`uara.solvers.columns`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from uara.base import files
from uara.base.errors import InputError
from uara.base.files import Record
from uara.base.quantities import Floats, Indices
from uara.p1.branches import BranchCertificate
from uara.p1.certificate import Certificate, PricesRecord
from uara.p1.coefficients import coefficients
from uara.p1.decision import Allocation
from uara.p1.device_prices import DevicePrices, DevicePricesRecord
from uara.p1.instance import Instance
from uara.p1.proof import parse_certificate
from uara.registry import as_solver
from uara.solver import OPTIMAL_GAP, Answer, Context

from ..search.rules import strongest

if TYPE_CHECKING:
    from ..columns.row import DeviceRow
    from ..search.incumbents import Incumbents
    from .ascent import Ascent
    from .newton_cg import Climb
    from .slots import SlotSolver


MOST_PASSES = 1500
"""Most passes of a row's climb."""
MOST_PAIRS = 200_000
"""Pairs up to which kicks and device prices follow: beyond it they cost minutes and gigabytes for little."""
WIDE_COLDEST = 1e-4
"""Last temperature where there are many servers: below it the bound hardly rises."""


class PriceOptions(Record):
    """Options of the price method."""

    prices: PricesRecord | DevicePricesRecord | str | None = None
    """Prices to start from: a solution file with a certificate, or the certificate itself."""
    coldest: Annotated[float, Field(gt=0, le=0.1)] = 1e-5
    """Last temperature of the soft minimum, relative to the cost of a device."""
    kicks: Annotated[int, Field(ge=0)] = 30
    """Random changes of the best association that are polished by local search."""
    gap: Annotated[float, Field(ge=1e-9, lt=1)] = OPTIMAL_GAP
    """Relative gap, on the controllable part, that is enough; where 2E prices leave more, device prices follow."""
    realtime: bool = False
    """Milliseconds in place of the last tenth of a percent: few steps from given prices, no kicks."""
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    """Threads that climb together where servers are many: less time on the wall, no less of the processor."""


@cache
def compile_price() -> None:
    """Load the compiled kernels, so that the clock does not count them; once a process."""
    from ..common.warmup import rehearse

    rehearse(price, PriceOptions(gap=1e-9))
    rehearse(price, PriceOptions(realtime=True))  # by the same kernels


def slot_solver() -> SlotSolver:
    """What a :class:`uara.Tracker` solves slot after slot with."""
    from .slots import SlotSolver

    return SlotSolver()


@as_solver(options=PriceOptions, prepare=compile_price, warm_start=True, tracker=slot_solver)
def price(instance: Instance, context: Context[PriceOptions]) -> Answer:
    """Maximise a lower bound over 2 E prices, then search from the associations that the prices suggest."""
    if context.options.realtime:
        return _at_once(instance, context)
    from ..columns.writing import written_row
    from .kernel import certificate_of

    root, found = searched(instance, context, context.options)
    row = root.device_row(found.cost_ms, context.options.gap)
    certificate = certificate_of(root.numbers, root.prices) if row is None else written_row(row)
    details = {"passes": root.passes, "device_passes": 0 if row is None else row.passes}
    return Answer(found.decision(), certificate=certificate, details=details)


def _at_once(instance: Instance, context: Context[PriceOptions]) -> Answer:
    """One slot as a tracker solves it, from the prices that are given."""
    given = read_prices(context.options.prices, len(instance.servers))
    solver = slot_solver()
    solver.restart(given if isinstance(given, Certificate) else None)
    found = solver.solve(instance, context.expired)
    context.bound(found.bound_ms, "prices")
    return Answer(found.allocation, certificate=found.certificate)


def searched(instance: Instance, context: Context[Any], options: PriceOptions) -> tuple[Root, Incumbents]:
    """The best prices and the associations near them: ``price``, and what every proof by prices begins with.

    It draws the random numbers of ``price`` whoever asks, so that no method that begins here does worse.
    """
    from ..search.incumbents import Incumbents

    context = context.part(options, name="price")
    root, found = Root(instance, context, options), Incumbents(instance, context)
    found.offer(strongest(instance), polish=False)
    if isinstance(context.start, Allocation):
        found.offer(context.start.association)
    root.raise_bound(found)
    weight = root.likely(found.cost_ms)
    for _ in range(0 if root.large else options.kicks):
        if context.expired() or found.cost_ms - root.value_ms <= 1e-9 * found.cost_ms:
            break
        found.kick(weight, int(context.rng.integers(2, 6)))
    return root, found


class Root:
    """The dual over all associations: prices, bound, and each pair's excess at them.

    Attributes
    ----------
    numbers
        P1 by candidate.
    prices, value_ms
        (2E,) best prices and the dual there, for the controllable part and over all pairs.
    excess_ms
        (K,) By how much each pair costs its device more than its cheapest one.
    """

    def __init__(self, instance: Instance, context: Context[Any], options: PriceOptions) -> None:
        from ..columns.row import implied_prices
        from .ascent import first_prices
        from .kernel import prices_of

        self.instance, self.numbers = instance, coefficients(instance)
        self.context, self.options = context, options
        self.value_ms, self.passes = -np.inf, 0
        given = read_prices(options.prices, len(instance.servers))
        self.warm = given is not None
        if given is None:
            self.prices = first_prices(self.numbers)
        elif isinstance(given, Certificate):
            self.prices = prices_of(self.numbers, given)
        else:
            self.prices = implied_prices(self.numbers, given)
        self.excess_ms = np.zeros(len(self.numbers.server))

    def raise_bound(self, found: Incumbents | None = None) -> None:
        """Climb, report the bound, and offer ``found`` the associations of the last rounds."""
        from .ascent import ascend
        from .kernel import at_prices, certificate_of

        suggested: list[Indices] = []
        result: Ascent | Climb
        expired = self.context.part(share=0.5).expired  # the other half is for the answer
        if self.wide:
            result, suggested = self._climb_wide(expired)
        else:
            result = ascend(
                self.numbers,
                self.prices,
                hottest=1e-3 if self.warm else 0.1,
                coldest=self.options.coldest,
                expired=expired,
                visited=lambda choice: suggested.append(self.numbers.server[choice]),
            )
        self.prices, self.passes = result.prices, result.passes
        self.value_ms, self.excess_ms, choice = at_prices(self.numbers, self.prices)
        self.context.certify(certificate_of(self.numbers, self.prices))
        self.context.bound(self.value_ms + self.numbers.constant_ms, "prices", passes=result.passes)
        if found is None:
            return
        suggested = [self.numbers.server[choice], *suggested[-2:-4:-1]]
        if not result.finished and found.association is not None:
            suggested.insert(0, found.association)  # far from the best prices they suggest nothing better
        for association in suggested:
            if self.context.expired():
                break
            found.offer(association)

    @property
    def wide(self) -> bool:
        """Whether there are so many servers that the curvature of the dual is not formed."""
        from .ascent import NEWTON_SERVERS

        return self.numbers.servers > NEWTON_SERVERS and self.numbers.sync_weight_per_ms > 0.0

    @property
    def large(self) -> bool:
        """Whether one search from the prices is all that time and memory are spent on."""
        return len(self.numbers.server) > MOST_PAIRS

    def _climb_wide(self, expired: Callable[[], bool]) -> tuple[Climb, list[Indices]]:
        """Newton's method with conjugate gradients along a curve; the end, and the associations on the way."""
        from ..common.locality import along_curve
        from .newton_cg import climb

        ordered = along_curve(self.instance)
        start = ordered.prices_inside(self.prices)
        warm: dict[str, Any] = {"hottest": 1e-3} if self.warm else {}
        coldest = max(self.options.coldest, WIDE_COLDEST)
        threads = self.options.threads
        end = climb(ordered.numbers, start, coldest=coldest, expired=expired, threads=threads, **warm)
        ways = [] if self.large else end.choices[::-1]
        suggested = [ordered.outside(ordered.numbers.server[choice]) for choice in ways]
        return end._replace(prices=ordered.prices_outside(end.prices)), suggested

    def device_row(self, cost_ms: float, gap: float, most_passes: int = MOST_PASSES) -> DeviceRow | None:
        """A row of device prices climbed towards a gap to this cost; None where it is not needed, or proves no more."""
        from ..columns.row import first_row

        if self.large or self.value_ms >= cost_ms * (1 - gap) or self.context.expired():
            return None
        row = first_row(self.numbers, self.prices)
        self.climb_on(row, cost_ms, gap, most_passes)
        return row if row.value_ms > self.value_ms else None

    def climb_on(self, row: DeviceRow, cost_ms: float, gap: float, most_passes: int) -> None:
        """Climb a row further, and report what it proves if that is more than 2E prices do."""
        from ..columns.climb import Aim
        from ..columns.row import DEVICE_LABELS, target
        from ..columns.writing import report

        aim = Aim(cost_ms, target(cost_ms, gap), DEVICE_LABELS)
        row.climb(aim, most_passes=most_passes, expired=self.context.expired)
        if row.value_ms > self.value_ms:
            report(row, self.context, self.numbers.constant_ms)

    def likely(self, cost_ms: float) -> Floats:
        """(K,) How likely each pair belongs to an association that costs less than this one."""
        width = 0.3 * max(cost_ms - self.value_ms, 1e-9 * cost_ms) + 1e-300
        return np.exp(-self.excess_ms / width)


def read_prices(
    source: PricesRecord | DevicePricesRecord | str | None, servers: int
) -> Certificate | DevicePrices | None:
    """The prices to start from; those of the root if the source holds a tree of prices.

    Raises
    ------
    InputError
        If the file holds no certificate, or one for another number of servers.
    """
    if source is None:
        return None
    if isinstance(source, str):
        plain = files.read_plain_json(Path(source))
        inner = plain.get("certificate", plain)
        if not isinstance(inner, dict):
            raise InputError("holds no certificate", source=source, path="$.certificate")
    else:
        inner = source.model_dump(mode="json")
    certificate: Any = parse_certificate(inner)
    if isinstance(certificate, BranchCertificate):
        certificate = certificate.table[certificate.prices[0]]
    found = (
        len(certificate.record.rows[0].count_price)
        if isinstance(certificate, DevicePrices)
        else len(certificate.compute_price)
    )
    if found != servers:
        raise InputError(f"must hold {servers} prices of each kind", source="option prices")
    return certificate  # type: ignore[no-any-return]
