"""What all faces of the slotted world share: a batch of worlds, what is seen, and steps under a policy's answers."""

# ruff: noqa: E402
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, Unpack, get_args

from uara.base.errors import InputError, check_one_of
from uara.base.extras import needs

for _library in ("gymnasium", "torch"):
    needs(_library, extra="learn")

import torch
from gymnasium.error import ResetNeeded
from torch import Tensor

from uara.base import files
from uara.base.randomness import stream
from uara.mec.associations import DEFAULT, Associate, checked, rule
from uara.mec.batch import Environment, Feedback, WorldSettings
from uara.mec.channels import Gains, PoolGains
from uara.mec.pool import Pool
from uara.mec.pools import open_pool
from uara.mec.views import Scale, log_weights, observation, padded
from uara.mec.worlds import Slot, cost_terms, served, shares
from uara.p1.schema import Parameters
from uara.scenarios.trace import MobilityTrace

TERMS = ("queue", "compute", "synchronisation", "uplink energy")
"""The four terms of a device's cost, in the order of ``cost_terms_ms``."""
SIZE = (30, 4)
"""Devices and servers of the default world."""
PAD = -1
"""Server of a device that pads."""


@dataclass(frozen=True)
class Played:
    """A slot that was played, for reward functions: what was decided, and what it cost."""

    slot: Slot
    association: Tensor
    """(B, M) X."""
    band: Tensor
    """(B, M) Y."""
    compute: Tensor
    """(B, M) Z."""
    feedback: Feedback

    @property
    def device_reward(self) -> Tensor:
        """(B, M) Minus each device's cost, over the mean cost of a device under equal shares and the same X."""
        return -self.feedback.outcome.cost_ms / self.feedback.uniform_ms.mean(1, keepdim=True)


Reward = Callable[[Played], Tensor]
"""``played -> (B,)`` the team's reward, or ``(B, M)`` each device's, whose mean is the team's."""


def relative(played: Played) -> Tensor:
    """(B, M) Minus the cost over that of equal shares; -1 is equal shares."""
    return played.device_reward


def logarithmic(played: Played) -> Tensor:
    """(B,) Minus the log of the team's cost over that of equal shares; 0 is equal shares."""
    return -torch.log(-played.device_reward.mean(1))


REWARDS: dict[str, Reward] = {"relative": relative, "log": logarithmic}


class Options(TypedDict, total=False):
    """What every face takes as keywords."""

    slots: int
    """Length of an episode T, 100. Its end is a truncation, never a termination: the world goes on."""
    sizes: Sequence[tuple[int, int]]
    """(M, E) of worlds that are cut from a pool; one is drawn a reset, and smaller ones are padded."""
    settings: WorldSettings | Mapping[str, Any] | None
    """As for :class:`uara.mec.batch.Environment`."""
    given: Parameters | None
    """P1's constants; a trace brings its own."""
    reward: Literal["relative", "log"] | Reward
    """The team's and the devices' reward."""
    scale: Scale
    """Scale of observations and actions, see :mod:`uara.mec.views`."""
    precise: bool
    """Double precision; so for faces of one world unless it is said."""


class World:
    """A batch of worlds, what is seen of them, and a step under a policy's answers.

    Parameters
    ----------
    source
        Name of a pool (:func:`uara.mec.pools.open_pool`) or a pool, from which random worlds are cut; a source
        of gains for random worlds; or a trace, whose own devices and servers are then the world's.
    associate
        Rule that chooses X once Y and Z are weighed, or its name.
    batch
        Number of worlds B; all of them have one size.

    Raises
    ------
    InputError
        For an unknown name, and for options that contradict the source.
    """

    def __init__(
        self,
        source: str | Pool | Gains | MobilityTrace = "urban",
        associate: str | Associate = DEFAULT,
        *,
        batch: int = 1,
        **options: Unpack[Options],
    ) -> None:
        if unknown := sorted(set(options) - set(Options.__annotations__)):
            raise InputError(
                f"there is no {unknown[0]!r}; there are: {', '.join(Options.__annotations__)}",
                source="options",
            )
        self.slots = options.get("slots", 100)
        if self.slots < 1 or batch < 1:
            name, value = ("slots", self.slots) if self.slots < 1 else ("batch", batch)
            raise InputError(f"must be at least 1, not {value}", source=name)
        self.associate, self.batch = rule(associate), batch
        self.scale: Scale = options.get("scale", "raw")
        check_one_of(self.scale, get_args(Scale), "scale")
        reward = options.get("reward", "relative")
        if isinstance(reward, str):
            check_one_of(reward, REWARDS, "reward")
            reward = REWARDS[reward]
        self.reward = reward
        self.environments = _environments(source, batch, options)
        self.environment = self.environments[0]
        self.size = (
            max(each.devices for each in self.environments),
            max(each.servers for each in self.environments),
        )
        self._slot: Slot | None = None
        self._association: Tensor | None = None
        self._next_seed = 0

    @property
    def shape(self) -> tuple[int, int]:
        """(M, E) of the present worlds."""
        return self.environment.devices, self.environment.servers

    @property
    def over(self) -> bool:
        """Whether the episode has played its last slot."""
        return self.environment.slot_number >= self.slots

    @property
    def slot(self) -> Slot:
        """P1 of the present slot.

        Raises
        ------
        ResetNeeded
            Before the first reset.
        """
        if self._slot is None:
            raise ResetNeeded("reset the environment before its first step")
        return self._slot

    def reset(self, seed: int | None = None) -> Tensor:
        """(B, M, E, 10) What is seen of new worlds; without a seed, worlds follow each other in a fixed order."""
        if seed is not None:
            self._next_seed = seed
        place = 0
        if len(self.environments) > 1:
            place = int(stream(self._next_seed, "mec size").integers(len(self.environments)))
        self.environment = self.environments[place]
        self._slot = self.environment.reset(self._next_seed)
        self._next_seed += 1
        self._association = None
        return self.seen()

    def seen(self) -> Tensor:
        """(B, M, E, 10) What is seen of the present slot, padded to the largest size."""
        return padded(observation(self.slot, self.scale), self.size)

    def step(self, action: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """What is seen next, the team's reward (B,), and facts of the slot, each with the leading axis B.

        Parameters
        ----------
        action
            (B, M, E, 2) of Y and of Z, padded to the largest size; clipped to its range.

        Raises
        ------
        ResetNeeded
            Before the first reset, and after an episode's end.
        InputError
            For actions of another shape, or that are no numbers, and for an association rule that answers
            nonsense. The worlds stay as they were.
        """
        slot = self.slot
        if self.over:
            raise ResetNeeded("the episode is over: reset the environment")
        wanted = (self.batch, *self.size, 2)
        if action.shape != wanted:
            raise InputError(f"has shape {tuple(action.shape)}, not {wanted}", source="action")
        devices, servers = self.shape
        own = action[:, :devices, :servers].to(slot.local_ms)
        weight = log_weights(own, self.scale)
        start = slot.uplink_ms.argmin(2) if self._association is None else self._association
        association = checked(slot, self.associate(slot, weight, start))
        band_weight, compute_weight = (served(part, association).exp() for part in weight.unbind(3))
        band, compute = shares(band_weight, compute_weight, association, servers)
        following, feedback = self.environment.step(association, band, compute)
        played = Played(slot, association, band, compute, feedback)
        reward, by_device = _rewards(self.reward, played)
        self._slot, self._association = following, association
        return self.seen(), reward, self._facts(played, by_device)

    def _facts(self, played: Played, device_reward: Tensor) -> dict[str, Tensor]:
        outcome = played.feedback.outcome
        terms = cost_terms(played.slot, played.association, played.band, played.compute)
        most = self.size[0]
        return {
            "controllable_ms": outcome.cost_ms.sum(1),
            "uniform_ms": played.feedback.uniform_ms.sum(1),
            "latency_ms": outcome.latency_ms.mean(1),
            "energy_j": outcome.energy_j.sum(1),
            "association": _longer(played.association, most, PAD),
            "device_reward": _longer(device_reward, most),
            "cost_terms_ms": _longer(torch.stack(terms, -1), most),
        }


def _longer(values: Tensor, devices: int, fill: float = 0.0) -> Tensor:
    """(B, M', ...) from (B, M, ...)."""
    return padded(values[:, :, None], (devices, 1), fill)[:, :, 0]


def _rewards(reward: Reward, played: Played) -> tuple[Tensor, Tensor]:
    """The team's (B,) and the devices' (B, M); a reward of the team alone leaves the devices their relative one."""
    found = reward(played)
    batch, devices = played.band.shape
    if not isinstance(found, Tensor) or found.shape not in ((batch,), (batch, devices)):
        shape = tuple(getattr(found, "shape", ())) or type(found).__name__
        raise InputError(f"answered {shape}, not ({batch},) or ({batch}, {devices})", source="reward")
    return (found.mean(1), found) if found.ndim == 2 else (found, played.device_reward)


def _environments(
    source: str | Pool | Gains | MobilityTrace, batch: int, options: Options
) -> list[Environment]:
    """One environment a size."""
    precise, given = options.get("precise", batch == 1), options.get("given")
    dtype = torch.float64 if precise else torch.float32
    settings = options.get("settings")
    if isinstance(settings, Mapping):
        settings = files.validate(dict(settings), WorldSettings, strict=False)
    pool = open_pool(source) if isinstance(source, str) else source
    if isinstance(pool, Pool):
        sizes = [(int(devices), int(servers)) for devices, servers in options.get("sizes", [SIZE])]
        if not sizes or min(min(size) for size in sizes) < 1:
            raise InputError("needs pairs of at least one device and one server", source="sizes")
        return [
            Environment(PoolGains(pool, *size, dtype), batch, settings, given, dtype=dtype) for size in sizes
        ]
    if "sizes" in options:
        raise InputError("are the source's; leave them out", source="sizes")
    if not isinstance(pool, MobilityTrace):
        return [Environment(pool, batch, settings, given, dtype=dtype)]
    if given is not None:
        raise InputError("are the trace's; leave them out", source="given")
    return [Environment.from_trace(pool, batch, settings, dtype=dtype)]
