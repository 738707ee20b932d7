"""Speeds of phones, servers and links, and how long a forward pass takes on them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from uara import hardware
from uara.base.errors import InputError, entry
from uara.psd.flops import Architecture


@dataclass(frozen=True)
class Processor:
    """What runs one of the two models.

    A pass takes the longer of its arithmetic and of reading the weights once (decoding single tokens is bound by
    memory: section II.A of the paper), and a fixed latency on top. Without a memory bandwidth it is FLOP / F, as in
    eq. (6).

    Attributes
    ----------
    bits_per_weight
        Of the model as stored on this processor.
    """

    flop_per_s: float
    memory_byte_per_s: float = math.inf
    bits_per_weight: float = 16.0
    pass_latency_s: float = 0.0

    def __post_init__(self) -> None:
        positive = self.flop_per_s > 0 and self.memory_byte_per_s > 0 and self.bits_per_weight > 0
        if not positive or not 0 <= self.pass_latency_s < math.inf:
            raise InputError(f"a processor's speeds must be positive and its latency not negative: {self}")

    def pass_s(self, flop: int, parameters: int) -> float:
        """Duration of a forward pass of a model with that many parameters."""
        reading_s = parameters * self.bits_per_weight / 8 / self.memory_byte_per_s
        return max(flop / self.flop_per_s, reading_s) + self.pass_latency_s


@dataclass(frozen=True)
class Link:
    """A link that carries one message at a time and delivers it a latency later."""

    bit_per_s: float
    latency_s: float = 0.0

    def __post_init__(self) -> None:
        if not self.bit_per_s > 0 or not 0 <= self.latency_s < math.inf:
            raise InputError(f"a link's rate must be positive and its latency not negative: {self}")


@dataclass(frozen=True)
class Speeds:
    """The device with the draft model, the server with the target, and the links between them."""

    device: Processor
    server: Processor
    uplink: Link
    downlink: Link

    def with_uplink(self, bit_per_s: float) -> Speeds:
        """The same with another uplink rate."""
        return replace(self, uplink=replace(self.uplink, bit_per_s=bit_per_s))


DRAFT_BITS_PER_WEIGHT = 4.5
"""Draft weights in 4 bits, with a 16-bit scale for each 32 of them."""
PHONES = {
    each.name: Processor(each.compute_flop_per_s, each.memory_byte_per_s, DRAFT_BITS_PER_WEIGHT)
    for each in hardware.PHONES
    if each.memory_byte_per_s is not None
}
"""Phones by name; those whose memory bandwidth is known."""
SERVERS = {
    each.name: Processor(each.compute_flop_per_s, each.memory_byte_per_s)
    for each in hardware.ACCELERATORS
    if each.memory_byte_per_s is not None
}
"""Servers by name, with the target in 16 bits."""


def speeds(
    phone: str = "galaxy-s23",
    server: str = "rtx-3090",
    uplink_bit_per_s: float = 20e6,
    downlink_bit_per_s: float = 100e6,
    latency_s: float = 0.0,
) -> Speeds:
    """Speeds from the names of a phone and a server and from the links' figures."""
    return Speeds(
        entry(PHONES, phone, "processor"),
        entry(SERVERS, server, "processor"),
        Link(uplink_bit_per_s, latency_s),
        Link(downlink_bit_per_s, latency_s),
    )


def speed_ratio(at: Speeds, draft: Architecture, target: Architecture, cached_tokens: int = 256) -> float:
    """How many tokens the device drafts while the server makes one pass: c, the best draft length of PSD."""
    token_s = at.device.pass_s(draft.steps_flop(1, cached_tokens), draft.parameters)
    pass_s = at.server.pass_s(target.steps_flop(1, cached_tokens), target.parameters)
    return pass_s / token_s
