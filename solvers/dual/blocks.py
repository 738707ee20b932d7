"""The passes of :mod:`.sparse_pass` over blocks of devices, a thread each, as one.

Kernels let go of Python's lock. Each block has sums of its own over the servers, which are added afterwards: they are
few beside the candidates.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np

from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients

from .sparse_pass import bent_by, by_kind, by_server, empty_pass, fused_pass

T = TypeVar("T")
_BY_CANDIDATE = ("server", "uplink_ms", "band_cost_ms", "local_ms", "work", "root_work", "wait_ms")


class Blocks:
    """The softened dual at the prices of the last pass.

    Parameters
    ----------
    threads
        How many blocks there are; with one, its sums are the whole's.

    Attributes
    ----------
    block, own
        As in :class:`.sparse_pass.Pass`, over all devices.
    """

    def __init__(self, numbers: Coefficients, threads: int = 1) -> None:
        wanted = np.linspace(0, len(numbers.server), threads + 1)
        ends = np.unique(np.append(np.searchsorted(numbers.start, wanted[:-1]), numbers.devices))
        self._speed = numbers.work_per_ms
        self._parts = [part_of(numbers, int(a), int(b)) for a, b in pairwise(ends)]
        self._found = [empty_pass(part) for part in self._parts]
        self._products = [np.zeros((numbers.servers, 2)) for _ in self._parts[1:]]
        self._pool = ThreadPoolExecutor(len(self._parts)) if len(self._parts) > 1 else None
        self.block, self.own = self._found[0].block, self._found[0].own

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    @property
    def choice(self) -> Indices:
        """(M,) The cheapest candidates."""
        starts = np.cumsum([0, *(len(part.server) for part in self._parts)])
        return np.concatenate([f.choice + s for f, s in zip(self._found, starts, strict=False)])

    @property
    def gradient(self) -> Floats:
        """(2E,) Of the softened dual."""
        return by_kind(self._found[0].gradient)

    def at(self, prices: Floats, temperature: float) -> tuple[float, float]:
        """Hard and soft dual at some (2E,) prices; derivatives are kept."""
        paired, speed = by_server(prices), self._speed

        def run(number: int) -> tuple[float, float]:
            return fused_pass(self._parts[number], paired, temperature, self._found[number])

        hard, soft = (float(sum(each)) for each in zip(*self._each(run), strict=True))
        # Each block has counted the servers' own part, which is the whole's but once.
        whole, *others = self._found
        rent = float((paired[:, 0] ** 2 * speed / 4.0 + paired[:, 1]).sum()) if others else 0.0
        for each in others:
            hard, soft = hard + rent, soft + rent
            for name in ("gradient", "block", "own"):
                sums: Floats = getattr(whole, name)
                sums += getattr(each, name)
            whole.gradient[:, 0] += paired[:, 0] * speed / 2.0
            whole.gradient[:, 1] += 1.0
            whole.block[:, 0] -= speed / 2.0
            whole.own[:, 0] -= speed / 2.0
            each.own[:] = 0.0  # so that its products add nothing to the first block's
        return hard, soft

    def bent(self, temperature: float, along: Floats, product: Floats) -> None:
        """Minus the second derivative at the last pass times the (E, 2) direction ``along``."""
        products = [product, *self._products]
        self._each(lambda number: bent_by(temperature, self._found[number], along, products[number]))
        for each in self._products:
            product += each

    def _each(self, run: Callable[[int], T]) -> list[T]:
        numbers = range(len(self._parts))
        return list(map(run, numbers) if self._pool is None else self._pool.map(run, numbers))


def part_of(numbers: Coefficients, first: int, last: int) -> Coefficients:
    """The devices ``first..last`` alone, with all servers; what servers list is the whole's."""
    if (first, last) == (0, numbers.devices):
        return numbers
    low, high = numbers.start[first], numbers.start[last]
    columns = {name: getattr(numbers, name)[low:high] for name in _BY_CANDIDATE}
    device, start = numbers.device[low:high] - first, numbers.start[first : last + 1] - low
    return numbers.changed(**columns, device=device, start=start)
