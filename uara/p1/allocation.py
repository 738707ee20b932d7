"""Bandwidth shares Y and compute shares Z for a given association X."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from uara.base.errors import InputError, check_one_of
from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients, coefficients
from uara.p1.decision import Allocation
from uara.p1.instance import Instance

Rule = Literal["uniform", "sqrt", "optimal"]
"""``uniform``: equal shares (the paper's baselines). ``sqrt``: in proportion to the square root of the
load, uplink time for Y and FLOP for Z. ``optimal``: the exact minimum of P1 for the given X."""


def allocate(instance: Instance, association: ArrayLike, rule: Rule = "optimal") -> Allocation:
    """Share every server's band and compute among the devices that are associated with it.

    Parameters
    ----------
    association
        (M,) Index of the server of each device.
    rule
        See :data:`Rule`.

    Raises
    ------
    InputError
        If a device is associated with a server that it cannot use, or the rule is unknown.
    """
    check_one_of(rule, get_args(Rule), "allocation rule")
    numbers = coefficients(instance)
    servers, pair = usable_pairs(instance, association)
    if rule == "optimal":
        return Allocation(
            servers,
            optimal_bandwidth(numbers, servers, pair),
            shares_of(servers, numbers.root_work[pair], len(instance.servers)),
        )
    if rule == "sqrt":
        load_y, load_z = np.sqrt(numbers.uplink_ms[pair]), numbers.root_work[pair]
    else:
        load_y = load_z = np.ones(len(servers))
    return proportional(instance, servers, load_y, load_z)


def proportional(
    instance: Instance, association: Indices, band_weight: Floats, compute_weight: Floats
) -> Allocation:
    """Shares in proportion to positive (M,) weights, renormalised over the devices of each server."""
    count = len(instance.servers)
    return Allocation(
        association, shares_of(association, band_weight, count), shares_of(association, compute_weight, count)
    )


def shares_of(association: Indices, weights: Floats, servers: int) -> Floats:
    """(M,) Each device's part of the sum of the weights at its server."""
    sums = np.bincount(association, weights=weights, minlength=servers)
    return np.asarray(weights / sums[association])


def usable_pairs(instance: Instance, association: ArrayLike) -> tuple[Indices, Indices]:
    """The association as an array, and the (M,) indices of the pairs it uses.

    Raises
    ------
    InputError
        If it has another length than there are devices, or uses a pair that has no path.
    """
    servers = np.asarray(association)
    if servers.shape != (len(instance.devices),) or servers.dtype.kind not in "iu":
        raise InputError(
            f"must be {len(instance.devices)} server indices, one a device", source="association"
        )
    servers = servers.astype(np.int64)
    pair = coefficients(instance).pairs_of(servers)
    if (pair < 0).any():
        device = int(np.argmin(pair))
        raise InputError(
            f"device {instance.devices.id[device]} cannot use server {servers[device]}",
            source="association",
            path=f"[{device}]",
        )
    return servers, pair


def optimal_bandwidth(numbers: Coefficients, association: Indices, pair: Indices) -> Floats:
    """(M,) The optimal Y, server by server (``docs/model.md``, section 2)."""
    from uara.p1.server_cost import shares_of_bands

    shares, part = np.empty(len(association)), np.empty(len(association))
    order = np.argsort(association, kind="stable")
    ends = np.flatnonzero(np.diff(association[order])) + 1
    served = pair[order]
    shares_of_bands(
        np.concatenate([[0], ends, [len(order)]]),
        numbers.local_ms[served],
        numbers.uplink_ms[served],
        numbers.band_cost_ms[served],
        numbers.sync_weight_per_ms,
        part,
    )
    shares[order] = part
    return shares
