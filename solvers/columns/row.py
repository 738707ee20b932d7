"""One row of device prices: the start from 2E prices, the climb, and the certificate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uara.device_prices import DevicePrices, DevicePricesRecord, Node, Row
from uara.instance import Floats
from uara.model import Coefficients

from .bands import MOST_PRICES
from .climb import climb
from .knapsack import LABELS, Workspace, workspace
from .layout import Layout, grids_of, layout_of
from .pricing import OPEN

_DIGITS = 13


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
    """

    layout: Layout
    pi: Floats
    work: Workspace
    value_ms: float = -np.inf
    passes: int = 0

    def climb(
        self,
        upper_ms: float,
        enough_ms: float,
        expired: Callable[[], bool],
        *,
        most_labels: float = np.inf,
        seen: Callable[[NDArray[np.bool_]], None] = lambda sets: None,
    ) -> None:
        """Raise the dual over all associations towards the cost of the best answer."""
        states = np.full(len(self.layout.device), OPEN, dtype=np.uint8)
        self.layout, self.value_ms, self.pi, passes = climb(
            self.layout,
            self.pi,
            states,
            upper_ms,
            self.work,
            enough=enough_ms,
            most_labels=most_labels,
            expired=expired,
            seen=seen,
        )
        self.passes += passes

    def proven_ms(self) -> float:
        """The bound, less what other roundings may make of it."""
        return self.value_ms - 1e-11 * float(np.abs(self.pi).sum())

    def certificate(self) -> DevicePrices:
        """The row as a certificate of the bound."""
        servers = len(self.layout.wait_ms)
        row = written(self.pi, np.zeros(servers), 0)
        bands = [written_bands(self.layout)]
        # A target that is out of reach: the bound is what the row proves.
        target_ms = 2.0 * abs(self.value_ms)
        return DevicePrices(
            DevicePricesRecord(
                kind="device-prices",
                version=1,
                target_ms=target_ms,
                nodes=[Node(row=0)],
                rows=[row],
                band_prices=bands,
            )
        )


def first_row(numbers: Coefficients, prices: Floats) -> DeviceRow:
    """The row that 2E prices give: each device's cheapest cost at them. It proves at least as much as they do.

    Parameters
    ----------
    prices
        (2E,) In the layout's unit, compute first.
    """
    servers = len(numbers.wait_ms)
    layout = layout_of(numbers, prices[servers:])
    cost = layout.table_ms + layout.root_flop[layout.device] * prices[layout.server]
    pi = np.full(len(numbers.local_ms), np.inf)
    np.minimum.at(pi, layout.device, cost)
    return DeviceRow(layout, pi, workspace(LABELS, MOST_PRICES))


def written(pi: Floats, nu: Floats, band: int) -> Row:
    """A row as certificates hold it, with the digits that matter."""
    digits = max(0, _DIGITS - int(np.ceil(np.log10(max(np.abs(pi).sum(), 1e-300)))))
    return Row(
        device_price=np.round(pi, digits).tolist(), count_price=np.round(nu, digits).tolist(), band=band
    )


def written_bands(layout: Layout) -> list[list[float]]:
    """The servers' band prices as certificates hold them."""
    bands: Sequence[Floats] = grids_of(layout)
    return [np.asarray(grid).tolist() for grid in bands]
