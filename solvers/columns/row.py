"""One row of device prices: its start from 2E prices, and the climb."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from uara.base.errors import InputError
from uara.base.quantities import Floats
from uara.p1.coefficients import Coefficients
from uara.p1.device_prices import DevicePrices

from .bands import MOST_PRICES
from .climb import Aim, Watch, climb
from .labels import LABELS, Workspace, workspace
from .layout import Layout, layout_of, with_grids
from .pricing import OPEN, Prices, States, base_of

DEVICE_LABELS = 3e8
"""Work, in labels, after which the climb over device prices ends."""
TRAIL = 300
"""How many passes a row remembers."""


@dataclass
class DeviceRow:
    """Prices of the devices, the band prices they stand on, and what they prove.

    Attributes
    ----------
    layout
        The servers' pairs with their band prices.
    pi
        (M,) Device prices in ms.
    value_ms
        The dual there: a lower bound on the controllable part; -inf before the first climb.
    passes
        How often all servers have been priced.
    trail
        (K,) Sets of the last passes.
    """

    layout: Layout
    pi: Floats
    work: Workspace
    value_ms: float = -np.inf
    passes: int = 0
    trail: deque[NDArray[np.bool_]] = field(default_factory=lambda: deque(maxlen=TRAIL))

    def climb(
        self,
        aim: Aim,
        *,
        states: States | None = None,
        most_passes: int = 1500,
        expired: Callable[[], bool] = lambda: False,
    ) -> None:
        """Raise the dual towards the cost of the best answer, over all associations or those that ``states`` allow."""

        def seen(sets: NDArray[np.bool_]) -> None:
            self.trail.extend(sets)

        everything = np.full(len(self.layout.device), OPEN, dtype=np.uint8)
        self.layout, self.value_ms, self.pi, passes = climb(
            self.layout,
            self.pi,
            everything if states is None else states,
            aim,
            self.work,
            known=self.value_ms,
            most_passes=most_passes,
            watch=Watch(expired, seen),
        )
        self.passes += passes

    def proven_ms(self) -> float:
        """The bound, less what other roundings may make of it."""
        return self.value_ms - 1e-11 * float(np.abs(self.pi).sum())


def first_row(numbers: Coefficients, prices: Floats) -> DeviceRow:
    """The row that 2E prices give: each device's cheapest cost at them. It proves at least as much as they do.

    Parameters
    ----------
    prices
        (2E,) In the layout's unit, compute first.
    """
    servers = numbers.servers
    layout = layout_of(numbers, prices[servers:])
    cost = layout.table_ms + layout.root_flop[layout.device] * prices[layout.server]
    pi = np.full(numbers.devices, np.inf)
    np.minimum.at(pi, layout.device, cost)
    return DeviceRow(layout, pi, workspace(LABELS, MOST_PRICES))


def implied_prices(numbers: Coefficients, certificate: DevicePrices) -> Floats:
    """(2E,) The 2E prices at which the servers' continuous optima lie, given a certificate's first row.

    Raises
    ------
    InputError
        If it is for another number of devices.
    """
    row = certificate.record.rows[0]
    pi, nu = np.array(row.device_price), np.array(row.count_price)
    if len(pi) != numbers.devices:
        raise InputError(f"must hold {numbers.devices} device prices", source="option prices")
    grids = [np.array(grid) for grid in certificate.record.band_prices[row.band]]
    layout = with_grids(layout_of(numbers, np.zeros(len(nu))), grids)
    compute, band = np.zeros(len(nu)), np.zeros(len(nu))
    everything = np.full(len(layout.device), OPEN, dtype=np.uint8)
    for j, grid in enumerate(grids):
        _, g, compute[j], _ = base_of(layout, j, Prices(pi, nu), everything)
        band[j] = grid[g]
    return np.concatenate([compute, band])


def target(cost_ms: float, gap: float) -> float:
    """The bound that proves a gap to this cost, and a little more, so that other roundings prove it too."""
    return cost_ms * (1 - gap + max(0.01 * gap, 1e-10))
