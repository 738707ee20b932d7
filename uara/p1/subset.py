"""A smaller network cut from a drop: nested instances that differ by their size alone."""

from __future__ import annotations

import numpy as np

from uara.base.errors import InputError
from uara.p1.instance import Channel, Instance

LEAST_GAIN = 1e-12
"""Power gain (-120 dB) from which on a device reaches a server; the threshold of recipes."""


def subset(drop: Instance, servers: int, devices: int) -> Instance:
    """The first servers of a drop, which share its whole band, and the first devices that reach them.

    Parameters
    ----------
    drop
        An instance of any size.
    servers, devices
        E and M of the instance that is cut from it.

    Returns
    -------
    Instance
        Named ``DROP[eE,mM]``; its provenance is the drop's.

    Raises
    ------
    InputError
        If the drop has fewer servers, or fewer devices that reach them.
    """
    if not 1 <= servers <= len(drop.servers):
        raise InputError(f"has {len(drop.servers)} servers, not {servers}", source=drop.name)
    gain = drop.channel.dense(len(drop.servers))[:, :servers]
    chosen = np.flatnonzero(gain.max(1) >= LEAST_GAIN)[:devices]
    if devices < 1 or len(chosen) < devices:
        raise InputError(
            f"{len(chosen)} devices reach its first {servers} servers, not {devices}", source=drop.name
        )
    band_hz = drop.servers.bandwidth_hz.sum() / servers
    first = drop.servers.take(range(servers))
    return drop.replace(
        name=f"{drop.name}[e{servers},m{devices}]",
        servers=first.replace(bandwidth_hz=np.full(servers, band_hz)),
        devices=drop.devices.take(chosen),
        channel=Channel.from_dense(gain[chosen]),
    )
