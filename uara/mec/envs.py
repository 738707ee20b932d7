"""The slotted world as a PettingZoo ``ParallelEnv`` (agents are the edge servers) and as a Gymnasium env."""

# ruff: noqa: E402
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uara.base.errors import InputError
from uara.base.extras import needs

for _library in ("gymnasium", "pettingzoo", "torch"):
    needs(_library, extra="learn")

import gymnasium
import torch
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from pettingzoo import ParallelEnv
from torch import Tensor

from uara.mec.batch import Environment, WorldSettings
from uara.mec.channels import Gains
from uara.mec.worlds import Slot, served, shares
from uara.p1.schema import Parameters
from uara.scenarios.trace import MobilityTrace

Associate = Callable[[Slot, Tensor, Tensor], Tensor]
"""``(slot, log_weight (B, M, E, 2), first association (B, M)) -> association (B, M)``: Alg. 1 or another rule."""

OBSERVED = ("usable", "log c", "log D", "log a", "log f", "B", "log F", "wait s")
"""What a server sees of each device: P1's coefficients (see :class:`uara.mec.worlds.Slot`), its own speed and queue."""
_LARGEST = 50.0
LOG_WEIGHT_RANGE = (-15.0, 5.0)


class World:
    """What both faces share: one world, its observation, and a step under given log-weights.

    Parameters
    ----------
    source
        Source of the channel gains of random worlds, or a trace, whose own devices and servers are then the
        world's; it fixes M and E.
    associate
        Rule that chooses X once Y and Z are weighed.
    slots
        Length of an episode T. Its end is a truncation, never a termination: the world goes on.
    settings, given
        As for :class:`.environment.Environment`; a trace brings its own constants.
    """

    def __init__(
        self,
        source: Gains | MobilityTrace,
        associate: Associate,
        *,
        slots: int = 100,
        settings: WorldSettings | None = None,
        given: Parameters | None = None,
    ) -> None:
        if slots < 1:
            raise InputError(f"must be at least 1, not {slots}", source="slots")
        if isinstance(source, MobilityTrace):
            if given is not None:
                raise InputError("are the trace's; leave them out", source="given")
            self.environment = Environment.from_trace(source, 1, settings, dtype=torch.float64)
        else:
            self.environment = Environment(source, 1, settings, given, dtype=torch.float64)
        self.associate, self.slots = associate, slots
        self._slot: Slot | None = None
        self._association: Tensor | None = None
        self._next_seed = 0

    @property
    def shape(self) -> tuple[int, int]:
        """(M, E)."""
        return self.environment.devices, self.environment.servers

    def reset(self, seed: int | None) -> NDArray[np.float32]:
        """Observation (M, E, 8) of a new world; without a seed, worlds follow each other in a fixed order."""
        if seed is not None:
            self._next_seed = seed
        self._slot = self.environment.reset(self._next_seed)
        self._next_seed += 1
        self._association = None
        return observation(self._slot)

    def step(
        self, log_weight: NDArray[np.floating]
    ) -> tuple[NDArray[np.float32], float, bool, dict[str, Any]]:
        """Observation, reward, whether the episode is over, and facts of the slot.

        Parameters
        ----------
        log_weight
            (M, E, 2) of Y and of Z; clipped to :data:`LOG_WEIGHT_RANGE`.

        Raises
        ------
        ResetNeeded
            Before the first reset, and after an episode's end.
        InputError
            For weights of another shape, or that are no numbers. The world stays as it was.
        """
        slot = self._slot
        if slot is None:
            raise ResetNeeded("reset the environment before its first step")
        if self.environment.slot_number >= self.slots:
            raise ResetNeeded("the episode is over: reset the environment")
        weight = self._checked(log_weight)
        start = slot.uplink_ms.argmin(2) if self._association is None else self._association
        association = self.associate(slot, weight, start)
        band_weight, compute_weight = (served(part, association).exp() for part in weight.unbind(3))
        band, compute = shares(band_weight, compute_weight, association, self.shape[1])
        self._slot, feedback = self.environment.step(association, band, compute)
        self._association = association
        cost = float(feedback.outcome.cost_ms.sum())
        facts = {
            "controllable_ms": cost,
            "latency_ms": float(feedback.outcome.latency_ms.mean()),
            "energy_j": float(feedback.outcome.energy_j.sum()),
            "association": association[0].numpy(),
        }
        reward = -cost / float(feedback.uniform_ms.sum())
        return observation(self._slot), reward, self.environment.slot_number >= self.slots, facts

    def _checked(self, log_weight: NDArray[np.floating]) -> Tensor:
        values, wanted = np.asarray(log_weight, dtype=float), (*self.shape, 2)
        if values.shape != wanted:
            raise InputError(f"has shape {values.shape}, not {wanted}", source="action")
        if np.isnan(values).any():
            where = ", ".join(str(int(part)) for part in np.argwhere(np.isnan(values))[0])
            raise InputError(f"is not a number at [{where}]", source="action")
        return torch.as_tensor(values).clamp(*LOG_WEIGHT_RANGE)[None]


def observation(slot: Slot) -> NDArray[np.float32]:
    """(M, E, 8) What is seen of every device-server pair, see :data:`OBSERVED`; zero at unusable pairs."""
    usable = torch.isfinite(slot.uplink_ms[0])
    size = usable.shape
    columns = [
        usable.double(),
        torch.log(torch.where(usable, slot.uplink_ms[0], 1.0)),
        torch.log(slot.local_ms[0])[:, None].expand(size),
        torch.log(slot.band_cost_ms[0] + 1e-12),
        torch.log(slot.server_flop[0])[:, None].expand(size),
        slot.battery_fraction[0][:, None].expand(size),
        torch.log(slot.flop_per_ms[0]).expand(size),
        (slot.wait_ms[0] / 1e3).expand(size),
    ]
    stacked = torch.stack(columns, -1) * usable[..., None]
    return np.asarray(stacked.clamp(-_LARGEST, _LARGEST).numpy(), dtype=np.float32)


class MecParallelEnv(ParallelEnv[str, NDArray[np.float32], NDArray[np.float32]]):  # type: ignore[misc]
    """PettingZoo face. Agent ``server<j>`` sees (M, 8) and answers with log-weights (2, M) of Y and of Z.

    All agents receive the team's reward: minus the controllable objective over that of uniform shares.
    """

    metadata = {"name": "uara_mec_v0", "render_modes": [], "is_parallelizable": True}

    def __init__(self, source: Gains | MobilityTrace, associate: Associate, **options: Any) -> None:
        self.world = World(source, associate, **options)
        devices, servers = self.world.shape
        self.possible_agents = [f"server{j}" for j in range(servers)]
        self.agents: list[str] = []
        self.render_mode = None
        seen = spaces.Box(-_LARGEST, _LARGEST, (devices, len(OBSERVED)), np.float32)
        done = spaces.Box(*LOG_WEIGHT_RANGE, (2, devices), np.float32)
        self.observation_spaces = dict.fromkeys(self.possible_agents, seen)
        self.action_spaces = {agent: spaces.Box(done.low, done.high) for agent in self.possible_agents}

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """(M, 8)."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """(2, M)."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[np.float32]], dict[str, dict[str, Any]]]:
        """Begin an episode."""
        self.agents = list(self.possible_agents)
        return self._split(self.world.reset(seed)), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, NDArray[np.float32]]) -> tuple[Any, Any, Any, Any, Any]:
        """Play a slot; see :meth:`World.step` for what it refuses."""
        if not self.agents:
            raise ResetNeeded("there are no agents: reset the environment")
        weight = self._joined(actions)
        seen, reward, over, facts = self.world.step(weight)
        agents = self.agents
        result = (
            self._split(seen),
            dict.fromkeys(agents, reward),
            dict.fromkeys(agents, False),
            dict.fromkeys(agents, over),
            {agent: dict(facts) for agent in agents},
        )
        if over:
            self.agents = []
        return result

    def _joined(self, actions: dict[str, NDArray[np.float32]]) -> NDArray[np.float64]:
        """(M, E, 2) All agents' actions."""
        wanted = (2, self.world.shape[0])
        for agent in self.possible_agents:
            if agent not in actions:
                raise InputError("is missing", source=f"action of {agent}")
            if np.shape(actions[agent]) != wanted:
                found = np.shape(actions[agent])
                raise InputError(f"has shape {found}, not {wanted}", source=f"action of {agent}")
        stacked = np.stack([actions[agent] for agent in self.possible_agents], axis=-1)
        return np.asarray(stacked.transpose(1, 2, 0), dtype=float)

    def _split(self, seen: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        return {agent: seen[:, j] for j, agent in enumerate(self.possible_agents)}


class MecEnv(gymnasium.Env[NDArray[np.float32], NDArray[np.float32]]):
    """Gymnasium face: one agent sees all pairs (M, E, 8) and weighs them all (M, E, 2)."""

    metadata = {"render_modes": []}

    def __init__(self, source: Gains | MobilityTrace, associate: Associate, **options: Any) -> None:
        self.world = World(source, associate, **options)
        shape = self.world.shape
        self.observation_space = spaces.Box(-_LARGEST, _LARGEST, (*shape, len(OBSERVED)), np.float32)
        self.action_space = spaces.Box(*LOG_WEIGHT_RANGE, (*shape, 2), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        return self.world.reset(seed), {}

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Play a slot; see :meth:`World.step` for what it refuses."""
        seen, reward, over, facts = self.world.step(action)
        return seen, reward, False, over, facts
