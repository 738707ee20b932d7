"""The rules that papers compare against: a server at random, the strongest signal, the fastest server."""

from __future__ import annotations

import numpy as np

from uara.base.files import Record
from uara.base.quantities import Indices
from uara.p1.allocation import Rule, allocate
from uara.p1.coefficients import queue_slots, snr
from uara.p1.decision import Allocation
from uara.p1.instance import Instance
from uara.p1.smallest import load_kernels
from uara.registry import as_solver
from uara.solver import Context


class AllocationOptions(Record):
    """How a rule that only associates shares band and compute."""

    allocation: Rule = "optimal"
    """Sharing rule: ``uniform`` is the paper's, ``optimal`` the fair one when associations are compared."""


def first_of_largest(instance: Instance, value: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Indices:
    """(M,) Server of each device's pair with the largest (K,) value; the first one of equals."""
    start, server = instance.channel.pair_start, instance.channel.pair_server
    largest = np.maximum.reduceat(value, start[:-1])
    pair = np.flatnonzero(value == np.repeat(largest, np.diff(start)))
    return server[pair[np.searchsorted(pair, start[:-1])]]


def strongest(instance: Instance) -> Indices:
    """(M,) The server with the highest SINR of each device: the answer where there is no time for another."""
    return first_of_largest(instance, snr(instance))


@as_solver(options=AllocationOptions, prepare=load_kernels)
def random_server(instance: Instance, context: Context[AllocationOptions]) -> Allocation:
    """Each device picks one of its usable servers with equal probability (the paper's Random)."""
    channel = instance.channel
    count = np.diff(channel.pair_start)
    pick = np.minimum((context.rng.random(len(count)) * count).astype(np.int64), count - 1)
    return allocate(instance, channel.pair_server[channel.pair_start[:-1] + pick], context.options.allocation)


@as_solver(options=AllocationOptions, prepare=load_kernels)
def max_sinr(instance: Instance, context: Context[AllocationOptions]) -> Allocation:
    """Each device picks the server with the highest SINR (the paper's Max SINR; servers' bands are disjoint)."""
    return allocate(instance, strongest(instance), context.options.allocation)


@as_solver(options=AllocationOptions, prepare=load_kernels)
def max_compute(instance: Instance, context: Context[AllocationOptions]) -> Allocation:
    """Each device picks the usable server with most compute left in the slot (the paper's Max Compute).

    Left is what the server can do in a slot of tau less the work that waits there; equal servers are told
    apart by the signal.
    """
    servers = instance.servers
    waiting_ms = queue_slots(instance) * instance.parameters.queue_slot_ms
    left = servers.compute_flop_per_s * (1 - waiting_ms / instance.parameters.slot_ms)
    channel = instance.channel
    rank = np.unique(left, return_inverse=True)[1].astype(float)[channel.pair_server]
    strength = np.unique(snr(instance), return_inverse=True)[1]  # its rank: quotients lose weak signals
    value = rank + strength / (1 + len(strength))
    return allocate(instance, first_of_largest(instance, value), context.options.allocation)
