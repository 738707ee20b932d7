"""The slotted world as a PettingZoo ``ParallelEnv`` (agents are the edge servers) and as a Gymnasium env."""

# ruff: noqa: E402
from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from uara.base.errors import InputError, check_one_of
from uara.base.extras import needs

for _library in ("gymnasium", "pettingzoo", "torch"):
    needs(_library, extra="learn")

import gymnasium
import torch
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from pettingzoo import ParallelEnv
from torch import Tensor

from uara.mec.associations import DEFAULT, Associate
from uara.mec.channels import Gains
from uara.mec.play import World
from uara.mec.pool import Pool
from uara.mec.registration import register
from uara.mec.views import LARGEST, OBSERVED, action_range
from uara.scenarios.trace import MobilityTrace

register()

Source = str | Pool | Gains | MobilityTrace
Values = NDArray[np.float32]


def box_seen(world: World, *leading: int) -> Any:
    """The space of what is seen of all pairs, (M, E, 10) of the largest size."""
    return spaces.Box(-LARGEST, LARGEST, (*leading, *world.size, len(OBSERVED)), np.float32)


def box_done(world: World, *shape: int) -> Any:
    """The space of actions of a shape."""
    return spaces.Box(*action_range(world.scale), shape, np.float32)


def single_facts(facts: dict[str, Tensor]) -> dict[str, Any]:
    """Facts of a batch of one world: numbers, and arrays without the leading axis."""
    return {
        name: float(values[0]) if values.ndim == 1 else values[0].numpy() for name, values in facts.items()
    }


class MecParallelEnv(ParallelEnv[str, Values, Values]):  # type: ignore[misc]
    """PettingZoo face. Agent ``server<j>`` sees (M, 10) and answers (2, M), of Y and of Z.

    Parameters
    ----------
    source, associate, options
        As for :class:`uara.mec.play.World`. Where sizes differ, an episode has the agents of its own servers.
    rewards
        ``team``: all agents receive the team's reward. ``own``: each receives the part of the devices that it
        serves; the parts add up to the mean of the devices' rewards.
    """

    metadata = {"name": "uara_mec_v0", "render_modes": [], "is_parallelizable": True}

    def __init__(
        self,
        source: Source = "urban",
        associate: str | Associate = DEFAULT,
        *,
        rewards: Literal["team", "own"] = "team",
        **options: Any,
    ) -> None:
        check_one_of(rewards, ("team", "own"), "rewards")
        self.world = World(source, associate, **options)
        devices, servers = self.world.size
        self.rewards = rewards
        self.possible_agents = [f"server{j}" for j in range(servers)]
        self.agents: list[str] = []
        self.render_mode = None
        self.state_space = box_seen(self.world)
        low, high = -LARGEST, LARGEST
        seen = spaces.Box(low, high, (devices, len(OBSERVED)), np.float32)
        self.observation_spaces = dict.fromkeys(self.possible_agents, seen)
        self.action_spaces: dict[str, spaces.Space[Any]] = {
            agent: box_done(self.world, 2, devices) for agent in self.possible_agents
        }

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """(M, 10)."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """(2, M)."""
        return self.action_spaces[agent]

    def state(self) -> Values:
        """(M, E, 10) What is seen of all pairs: all that the next slot's cost depends on."""
        return np.asarray(self.world.seen()[0].numpy(), dtype=np.float32)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Values], dict[str, dict[str, Any]]]:
        """Begin an episode."""
        seen = self.world.reset(seed)
        self.agents = self.possible_agents[: self.world.shape[1]]
        return self._split(seen), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, Values]) -> tuple[Any, Any, Any, Any, Any]:
        """Play a slot; see :meth:`uara.mec.play.World.step` for what it refuses."""
        if not self.agents:
            raise ResetNeeded("there are no agents: reset the environment")
        seen, reward, facts = self.world.step(self._joined(actions))
        agents, over = self.agents, self.world.over
        told = single_facts(facts)
        result = (
            self._split(seen),
            dict(zip(agents, self._rewards(float(reward[0]), told), strict=True)),
            dict.fromkeys(agents, False),
            dict.fromkeys(agents, over),
            {agent: dict(told) for agent in agents},
        )
        if over:
            self.agents = []
        return result

    def _rewards(self, team: float, facts: dict[str, Any]) -> list[float]:
        if self.rewards == "team":
            return [team] * len(self.agents)
        devices = self.world.shape[0]
        parts = np.bincount(
            facts["association"][:devices], facts["device_reward"][:devices], minlength=len(self.agents)
        )
        return [float(part) for part in parts / devices]

    def _joined(self, actions: dict[str, Values]) -> Tensor:
        """(1, M, E, 2) All agents' actions."""
        devices, servers = self.world.size
        joined = torch.zeros(1, devices, servers, 2, dtype=torch.float64)
        for j, agent in enumerate(self.agents):
            if agent not in actions:
                raise InputError("is missing", source=f"action of {agent}")
            found = np.asarray(actions[agent], dtype=float)
            if found.shape != (2, devices):
                raise InputError(f"has shape {found.shape}, not {(2, devices)}", source=f"action of {agent}")
            joined[0, :, j] = torch.as_tensor(found.T.copy())
        return joined

    def _split(self, seen: Tensor) -> dict[str, Values]:
        return {agent: seen[0, :, j].numpy().copy() for j, agent in enumerate(self.agents)}


class MecEnv(gymnasium.Env[Values, Values]):
    """Gymnasium face ``uara/Mec-v0``: one agent sees all pairs (M, E, 10) and weighs them all (M, E, 2).

    Parameters
    ----------
    source, associate, options
        As for :class:`uara.mec.play.World`.
    """

    metadata = {"render_modes": []}

    def __init__(
        self, source: Source = "urban", associate: str | Associate = DEFAULT, **options: Any
    ) -> None:
        self.world = World(source, associate, **options)
        self.observation_space = box_seen(self.world)
        self.action_space = box_done(self.world, *self.world.size, 2)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Values, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        return self.world.reset(seed)[0].numpy(), {}

    def step(self, action: Values) -> tuple[Values, float, bool, bool, dict[str, Any]]:
        """Play a slot; see :meth:`uara.mec.play.World.step` for what it refuses."""
        wanted, values = (*self.world.size, 2), np.asarray(action, dtype=float)
        if values.shape != wanted:
            raise InputError(f"has shape {values.shape}, not {wanted}", source="action")
        seen, reward, facts = self.world.step(torch.as_tensor(values)[None])
        return seen[0].numpy(), float(reward[0]), False, self.world.over, single_facts(facts)
