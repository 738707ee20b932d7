"""Instances of P1 to try solvers on: small ones in every regime with their optimum, and a large one."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import numpy as np

from uara.base.errors import InputError
from uara.p1.allocation import allocate
from uara.p1.decision import Allocation
from uara.p1.instance import Channel, Instance
from uara.p1.model import evaluate
from uara.scenarios.recipe import generate

MOST_ASSOCIATIONS = 2000


@cache
def trials() -> tuple[Instance, ...]:
    """One instance a regime, at most 3 servers and 6 devices each."""
    usual = _drawn("usual", servers=3, devices=6)
    starved = usual.servers.replace(bandwidth_hz=usual.servers.bandwidth_hz / 200)
    idle = usual.servers.replace(backlog_flop=np.zeros(len(usual.servers)))
    return (
        usual,
        _drawn("one-server", servers=1, devices=5),
        _drawn("one-device", servers=3, devices=1),
        usual.replace(name="starved-band", servers=starved),
        usual.replace(name="empty-queues", servers=idle),
        _with(usual, "no-energy", energy_weight_ms_per_j=0.0),
        _with(usual, "no-synchronisation", sync_weight_per_ms=0.0),
        _with(usual, "all-energy", energy_weight_ms_per_j=1e5),
        usual.replace(name="missing-pairs", channel=_thinned(usual)),
        _twins(usual),
    )


def _drawn(name: str, **recipe: Any) -> Instance:
    return generate(channel="path-loss", seed=7, name=name, **recipe)


def _with(instance: Instance, name: str, **constants: float) -> Instance:
    return instance.replace(name=name, parameters=instance.parameters.model_copy(update=constants))


def _thinned(instance: Instance) -> Channel:
    """Every device loses a server, some two of three."""
    gain = instance.channel.dense(len(instance.servers))
    for device in range(len(gain)):
        gain[device, device % 3] = 0.0
        if device % 2:
            gain[device, (device + 1) % 3] = 0.0
    return Channel.from_dense(gain)


def _twins(instance: Instance) -> Instance:
    """Devices that are all alike: many answers are equally good."""
    devices = instance.devices
    names = (
        "compute_flop_per_s",
        "tx_power_w",
        "battery_fraction",
        "upload_bits",
        "device_flop",
        "server_flop",
    )
    alike = {name: np.full(len(devices), getattr(devices, name)[0]) for name in names}
    gain = np.tile(instance.channel.dense(len(instance.servers))[0], (len(devices), 1))
    return instance.replace(name="twins", devices=devices.replace(**alike), channel=Channel.from_dense(gain))


@cache
def optimum(instance: Instance) -> Allocation:
    """The best allocation: every association with its optimal shares.

    Raises
    ------
    InputError
        If there are more than 2,000 associations.
    """
    start, server = instance.channel.pair_start, instance.channel.pair_server
    choices = [server[a:b].tolist() for a, b in itertools.pairwise(start)]
    if np.prod([float(len(each)) for each in choices]) > MOST_ASSOCIATIONS:
        raise InputError(f"more than {MOST_ASSOCIATIONS} associations", source=instance.name)
    answers = (allocate(instance, np.array(each), "optimal") for each in itertools.product(*choices))
    return min(answers, key=lambda answer: evaluate(instance, answer).objective_ms)


def large() -> Instance:
    """Twenty servers, 600 devices."""
    return generate(channel="path-loss", servers=20, devices=600, seed=1, name="large")
