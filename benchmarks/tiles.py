"""What cutting a large network into tiles costs: each solved alone, then repaired with its neighbours' prices.

    uara generate --channel path-loss --servers 1000 --devices 10000 --candidates 16 \\
        --box-m 5692 --bandwidth-mhz 1250 -o city.json
    python benchmarks/tiles.py city.json --rows 2

Dask runs the tiles. A device belongs to the tile of its strongest server. The halo of a tile is the servers beyond its
border that devices list which it serves too: of these it holds the prices, two numbers each, and of their devices
what the cheapest of them would cost. So a pass climbs the dual of the whole network, a tile's prices at a time, in
four colours: no two tiles of a colour touch. Afterwards the tiles move, by half a side, and search what was the border.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from uara.solvers.dual.ascent import first_prices
from uara.solvers.dual.kernel import at_prices, certificate_of, priced
from uara.solvers.dual.newton_cg import climb
from uara.solvers.search.local_search import improve
from uara.solvers.search.settling import make_state
from uara.solvers.search.state import make_task

import uara
from uara.base.extras import needs
from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients, by_candidate, coefficients

SHIFTS = ((0.0, 0.0), (0.5, 0.5), (0.5, 0.0), (0.0, 0.5))
"""Where the tiles stand when borders are searched, in sides."""
REPAIR_HOTTEST = 1e-3
"""First temperature of a pass, by the mean cost of a device: the prices are nearly right."""

Marks = NDArray[np.bool_]


class Step(NamedTuple):
    """What is known after a step."""

    name: str
    gap: float
    """(cost - bound) / cost, of the controllable parts; the cost is that of the last association."""
    bound_ms: float
    cost_ms: float
    prices_sent: int
    """Prices that tiles got from their neighbours in it."""
    slowest_s: float
    """Processor time of the slowest tile: with a machine a tile, what the step takes."""
    total_s: float
    """That of all tiles."""


class Part(NamedTuple):
    """Some devices at some servers of a network."""

    numbers: Coefficients
    device: Indices
    """(m,) Its devices, as the network counts them."""
    server: Indices
    """(e,) Its servers."""


class Timed(NamedTuple):
    """What a tile answers."""

    found: tuple[NDArray[Any], ...]
    seconds: float


def tile_of(instance: uara.Instance, rows: int, shift: tuple[float, float] = (0.0, 0.0)) -> Indices:
    """(E,) The tile of each server: ``rows * rows`` squares, or one row and column more where they are shifted."""
    place = instance.servers.position_m
    if place is None:
        raise uara.InputError("has no positions of servers", source=instance.name)
    low, side = place[:, :2].min(0), np.ptp(place[:, :2], axis=0).max() / rows
    cells = np.floor((place[:, :2] - low) / side + np.asarray(shift)).astype(np.int64)
    cells = np.minimum(cells, rows - 1 + np.ceil(shift).astype(np.int64))
    return np.asarray(cells[:, 0] * (rows + 1) + cells[:, 1])


def colour_of(tile: int, rows: int) -> int:
    """One of four: tiles of a colour have no side and no corner in common."""
    return 2 * (tile // (rows + 1) % 2) + tile % (rows + 1) % 2


def part_of(numbers: Coefficients, keep: Marks, elsewhere_ms: Floats | None = None) -> Part:
    """The (K,) marked pairs as a problem of their own.

    Parameters
    ----------
    elsewhere_ms
        (M,) What each device pays if it uses none of them; infinite if it must use one. It becomes a pair with a last
        server that takes neither compute nor band.
    """
    extra = np.empty(0, dtype=np.int64)
    if elsewhere_ms is not None:
        extra = np.flatnonzero(
            np.isfinite(elsewhere_ms) & np.isin(np.arange(numbers.devices), numbers.device[keep])
        )
    device = np.concatenate([numbers.device[keep], extra])
    count, servers = len(device) - len(extra), np.unique(numbers.server[keep])
    server = np.concatenate(
        [np.searchsorted(servers, numbers.server[keep]), np.full(len(extra), len(servers))]
    )
    order = np.lexsort((server, device))
    devices, start = np.unique(device[order], return_index=True)
    speed = numbers.work_per_ms[servers]
    if elsewhere_ms is not None:
        speed = np.append(speed, speed.max())
    made = by_candidate(
        np.append(start, len(device)),
        server[order],
        pair=(np.ones(len(device)), np.ones(len(device))),
        device=(np.ones(len(devices)), np.ones(len(devices))),
        station=(speed, np.zeros(len(speed))),
        sync_weight_per_ms=numbers.sync_weight_per_ms,
    )
    # D / c of the last server is so large that a share of nothing is best, and costs nothing.
    free = {
        "uplink_ms": 1e-9,
        "band_cost_ms": 0.0,
        "local_ms": 1.0,
        "work": 0.0,
        "root_work": 0.0,
        "wait_ms": 0.0,
    }
    columns = {
        name: np.concatenate([getattr(numbers, name)[keep], np.full(len(extra), value)])
        for name, value in free.items()
    }
    if elsewhere_ms is not None:
        columns["wait_ms"][count:] = elsewhere_ms[extra]
    laid = {name: column[order] for name, column in columns.items()}
    return Part(made.changed(**laid, work_per_ms=speed, work_flop=numbers.work_flop), devices, servers)


def solve_alone(numbers: Coefficients) -> Timed:
    """(2e,) prices and (m,) association of a tile that knows no other."""
    began = time.process_time()
    prices = climb(numbers, first_prices(numbers)).prices
    choice = at_prices(numbers, prices)[2]
    found = search(numbers, numbers.server[choice]).found[0]
    return Timed((prices, found), time.process_time() - began)


def climb_again(numbers: Coefficients, prices: Floats) -> Timed:
    """(2e,) Prices of a tile, from those that it had."""
    began = time.process_time()
    found = climb(numbers, prices, hottest=REPAIR_HOTTEST).prices
    return Timed((found,), time.process_time() - began)


def search(numbers: Coefficients, association: Indices) -> Timed:
    """(m,) An association that no move and no exchange betters."""
    began, task = time.process_time(), make_task(numbers)
    state = make_state(task, numbers, association)
    improve(task, state)
    return Timed((state.chosen.copy(),), time.process_time() - began)


class Study:
    """A network in tiles, and what is known of it so far."""

    def __init__(self, instance: uara.Instance, rows: int, client: Any) -> None:
        self.instance, self.rows, self.client = instance, rows, client
        self.numbers = numbers = coefficients(instance)
        self.tile = tile_of(instance, rows)
        strongest = np.lexsort((-instance.channel.power_gain, numbers.device))[numbers.start[:-1]]
        self.home = self.tile[numbers.server[strongest]]
        """(M,) Tile of each device."""
        self.prices = first_prices(numbers)
        self.association = numbers.server[strongest]

    def alone(self) -> Step:
        """Each tile with its own devices and servers, as if there were no others."""
        own = self.tile[self.numbers.server] == self.home[self.numbers.device]
        parts = [
            part_of(self.numbers, own & (self.home[self.numbers.device] == t)) for t in np.unique(self.home)
        ]
        answers = self._run(solve_alone, [(part.numbers,) for part in parts])
        for part, ((prices, chosen), _) in zip(parts, answers, strict=True):
            self._write(part, prices)
            self.association[part.device] = part.server[chosen]
        return self._step("tiles alone", 0, answers)

    def climb_pass(self) -> Step:
        """Every tile's prices once, colour by colour, at its neighbours' present prices."""
        numbers, sent, answers = self.numbers, 0, []
        before = self.prices.copy()
        value = at_prices(numbers, before)[0]
        for colour in range(4):
            cost, *rest = (np.zeros(len(numbers.server)) for _ in range(4))
            priced(numbers, self.prices, cost, *rest, np.zeros(numbers.devices, dtype=np.int64))
            parts, starts = [], []
            for tile in np.unique(self.tile):
                if colour_of(int(tile), self.rows) != colour:
                    continue
                keep = self.tile[numbers.server] == tile
                served = np.isin(numbers.device, numbers.device[keep])
                elsewhere = np.full(numbers.devices, np.inf)
                np.minimum.at(elsewhere, numbers.device[served & ~keep], cost[served & ~keep])
                sent += 2 * len(np.unique(numbers.server[served & ~keep]))
                parts.append(part_of(numbers, keep, elsewhere))
                kinds = np.split(self.prices, 2)
                starts.append(np.concatenate([np.append(kind[parts[-1].server], 0.0) for kind in kinds]))
            found = self._run(climb_again, [(p.numbers, at) for p, at in zip(parts, starts, strict=True)])
            answers += found
            for part, ((prices,), _) in zip(parts, found, strict=True):
                self._write(part, prices)
        if at_prices(numbers, self.prices)[0] < value:
            self.prices = before
        return self._step("pass of halo prices", sent, answers)

    def search_borders(self) -> Step:
        """From the cheapest pairs at the prices, a search in the tiles and in shifted ones; kept if it is better."""
        numbers, answers, kept = self.numbers, [], (self.cost_ms(), self.association)
        self.association = numbers.server[at_prices(numbers, self.prices)[2]]
        for shift in SHIFTS:
            tile = tile_of(self.instance, self.rows, shift)
            at = tile[self.association]
            inside = tile[numbers.server] == at[numbers.device]
            parts = [part_of(numbers, inside & (at[numbers.device] == t)) for t in np.unique(at)]
            jobs = [(p.numbers, np.searchsorted(p.server, self.association[p.device])) for p in parts]
            found = self._run(search, jobs)
            answers += found
            for part, ((chosen,), _) in zip(parts, found, strict=True):
                self.association[part.device] = part.server[chosen]
        if kept[0] < self.cost_ms():
            self.association = kept[1]
        return self._step("search of the borders", 0, answers)

    def cost_ms(self) -> float:
        """The controllable cost of the association."""
        task = make_task(self.numbers)
        return float(make_state(task, self.numbers, self.association).cost_ms.sum())

    def certified_gap(self) -> float:
        """The gap that the library's own check of the certificate finds."""
        bound = uara.lower_bound(self.instance, certificate_of(self.numbers, self.prices))
        cost = uara.evaluate(self.instance, uara.allocate(self.instance, self.association))
        return (cost.objective_ms - bound) / cost.controllable_ms

    def _write(self, part: Part, prices: Floats) -> None:
        compute, band = np.split(prices, 2)
        count, servers = len(part.server), self.numbers.servers
        self.prices[part.server], self.prices[servers + part.server] = compute[:count], band[:count]

    def _run(self, job: Callable[..., Timed], given: list[tuple[Any, ...]]) -> list[Timed]:
        sent = [self.client.scatter(list(each), hash=False) for each in given]
        return list(self.client.gather([self.client.submit(job, *each, pure=False) for each in sent]))

    def _step(self, name: str, sent: int, answers: list[Timed]) -> Step:
        bound, cost, seconds = (
            at_prices(self.numbers, self.prices)[0],
            self.cost_ms(),
            [a.seconds for a in answers],
        )
        return Step(name, (cost - bound) / cost, bound, cost, sent, max(seconds), sum(seconds))


def study(instance: uara.Instance, rows: int, passes: int, client: Any) -> Iterator[Step]:
    """The network in one piece, in tiles, and after each repair."""
    whole = Study(instance, 1, client)
    yield whole.alone()._replace(name="in one piece")
    tiles = Study(instance, rows, client)
    yield tiles.alone()
    for _ in range(passes):
        yield tiles.climb_pass()
    yield tiles.search_borders()


def main() -> None:
    """Print the steps as a table in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("instance", type=Path)
    parser.add_argument("--rows", type=int, default=2, help="tiles along a side")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2, help="processes of the Dask cluster")
    given = parser.parse_args()
    distributed = needs("distributed", extra="bench")
    instance = uara.load(given.instance)
    print("| step | gap | prices sent | slowest tile, s | all tiles, s |\n|---|---|---|---|---|")
    with (
        distributed.LocalCluster(
            n_workers=given.workers, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        for step in study(instance, given.rows, given.passes, client):
            print(
                f"| {step.name} | {step.gap:.3%} | {step.prices_sent:,} | {step.slowest_s:.1f} | {step.total_s:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
