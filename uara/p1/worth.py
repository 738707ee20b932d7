"""What more band or compute at a server would be worth, for a given association.

Servers share nothing once the association is fixed, so that one computation with more at all of them gives each
server's own worth. It is exact, not a derivative: queues of whole slots (eq. (6)) count too. A better association may
exist for the larger server: the worth at an optimal answer is the least that is saved.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from uara.base.kernels import alone
from uara.base.quantities import Floats
from uara.p1.allocation import usable_pairs
from uara.p1.certificate import least_band_cost, numbers_of
from uara.p1.coefficients import HZ_PER_MHZ, coefficients
from uara.p1.device_prices import DevicePrices
from uara.p1.instance import Instance
from uara.p1.server_cost import server_cost

FLOP_PER_TFLOP = 1e12


def costs_ms(instance: Instance, association: ArrayLike) -> Floats:
    """(E,) V_j(S_j): the least cost of each server for the devices that it serves.

    Raises
    ------
    InputError
        If a device uses a server that it cannot use.
    """
    numbers = coefficients(instance)
    servers, pair = usable_pairs(instance, association)
    work = np.empty((4, len(servers)))
    costs = [alone(server_cost)(numbers, pair[servers == j], work)[0] for j in range(len(instance.servers))]
    return np.array(costs)


def of_band(instance: Instance, association: ArrayLike) -> Floats:
    """(E,) By how many ms the objective falls if a server has 1 MHz more; negative where that costs.

    The noise fills the whole band, eq. (5), so that more of it may make an answer worse.
    """
    return _saved_ms(instance, association, "bandwidth_hz", HZ_PER_MHZ)


def of_compute(instance: Instance, association: ArrayLike) -> Floats:
    """(E,) By how many ms the objective falls if a server has 1 TFLOP/s more; never negative."""
    return _saved_ms(instance, association, "compute_flop_per_s", FLOP_PER_TFLOP)


def _saved_ms(instance: Instance, association: ArrayLike, column: str, more: float) -> Floats:
    stations = instance.servers
    larger = stations.replace(**{column: getattr(stations, column) + more})
    return costs_ms(instance, association) - costs_ms(instance.replace(servers=larger), association)


def band_prices(instance: Instance, association: ArrayLike, certificate: DevicePrices) -> Floats:
    """(E,) Of the band prices at the root of a certificate, those that prove most for the devices of each server.

    They are ``mu`` in the maximum over ``mu`` of the sum of ``b_ij(mu)`` less ``mu``, in ms for the whole band.
    """
    record, numbers = certificate.record, numbers_of(instance)
    servers, pair = usable_pairs(instance, association)
    found = np.zeros(len(instance.servers))
    for j, prices in enumerate(record.band_prices[record.rows[record.nodes[0].row].band]):
        own = servers == j
        proven = [
            least_band_cost(
                numbers.local_ms[own],
                numbers.uplink_ms[pair[own]],
                numbers.band_cost_ms[pair[own]] + price,
                numbers.sync_weight_per_ms,
            ).sum()
            - price
            for price in prices
        ]
        found[j] = prices[int(np.argmax(proven))]
    return found
