"""Batches of worlds as Gymnasium vector environments: whole worlds, or one agent a pair under shared weights."""

# ruff: noqa: E402
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uara.base.errors import InputError
from uara.base.extras import needs

for _library in ("gymnasium", "torch"):
    needs(_library, extra="learn")

import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from torch import Tensor

from uara.base.randomness import derived_seed
from uara.mec.associations import DEFAULT, Associate
from uara.mec.envs import Source, Values, box_done, box_seen
from uara.mec.play import World
from uara.mec.views import LARGEST, OBSERVED


class MecVectorEnv(VectorEnv[Values, Values, NDArray[Any]]):
    """B worlds that step at once: (B, M, E, 10) is seen, (B, M, E, 2) is the action.

    All worlds begin and end together. A batch has a seed: the same seed and the same number of worlds give the
    same worlds.

    Parameters
    ----------
    num_envs
        B.
    source, associate, options
        As for :class:`uara.mec.play.World`.
    autoreset_mode
        ``NextStep``, ``SameStep`` or ``Disabled``, as Gymnasium defines them.
    """

    def __init__(
        self,
        num_envs: int = 1,
        source: Source = "urban",
        associate: str | Associate = DEFAULT,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        **options: Any,
    ) -> None:
        self.autoreset = AutoresetMode(autoreset_mode)
        self.metadata = {"render_modes": [], "autoreset_mode": self.autoreset}
        self.world = World(source, associate, batch=num_envs, **options)
        self.render_mode = None
        self._set_spaces()
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._ended = False

    def _set_spaces(self) -> None:
        world = self.world
        self.num_envs = world.batch
        self.single_observation_space = box_seen(world)
        self.single_action_space = box_done(world, *world.size, 2)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Values, dict[str, Any]]:
        """Begin an episode in every world; a list of seeds is made one seed for all."""
        if seed is not None and not isinstance(seed, int):
            known = [each for each in seed if each is not None]
            seed = derived_seed(known[0], "mec seeds", *known) if known else None
        self._ended = False
        return self._shown(self.world.reset(seed)), {}

    def step(
        self, actions: Values
    ) -> tuple[Values, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Play a slot in every world; see :meth:`uara.mec.play.World.step` for what it refuses."""
        nothing = np.zeros(self.num_envs, dtype=bool)
        if self._ended and self.autoreset is AutoresetMode.NEXT_STEP:
            first, nothing_told = self.reset()
            return first, np.zeros(self.num_envs), nothing, nothing.copy(), nothing_told
        seen, reward, facts = self.world.step(self._meant(actions))
        told = self._told(facts)
        over = self._ended = self.world.over
        shown = self._shown(seen)
        if over and self.autoreset is AutoresetMode.SAME_STEP:
            told["final_obs"], told["_final_obs"] = shown, ~nothing
            shown, _ = self.reset()
        return shown, self._rewarded(reward, facts), nothing, np.full(self.num_envs, over), told

    def _meant(self, actions: Values) -> Tensor:
        return torch.as_tensor(np.asarray(actions))

    def _shown(self, seen: Tensor) -> Values:
        return np.asarray(seen.numpy(), dtype=np.float32)

    def _rewarded(self, reward: Tensor, facts: dict[str, Tensor]) -> NDArray[Any]:
        return reward.double().numpy()

    def _told(self, facts: dict[str, Tensor]) -> dict[str, Any]:
        told: dict[str, Any] = {name: values.numpy() for name, values in facts.items()}
        return told | {f"_{name}": np.ones(self.num_envs, dtype=bool) for name in facts}


class PairVectorEnv(MecVectorEnv):
    """One agent a pair, all under the same weights: (10,) is seen, (2,) is the action, of Y and of Z.

    The agents of B worlds are its B M E environments, so any learner of small boxes trains a policy that serves
    every M and E. A pair's reward is that of its device, whoever serves it.

    Raises
    ------
    InputError
        For worlds of several sizes: the number of agents is fixed.
    """

    def _set_spaces(self) -> None:
        world = self.world
        if len(world.environments) > 1:
            raise InputError("must be one size here", source="sizes")
        devices, servers = world.size
        self.num_envs = world.batch * devices * servers
        self.single_observation_space = spaces.Box(-LARGEST, LARGEST, (len(OBSERVED),), np.float32)
        self.single_action_space = box_done(world, 2)

    def _meant(self, actions: Values) -> Tensor:
        values, wanted = np.asarray(actions), (self.num_envs, 2)
        if values.shape != wanted:
            raise InputError(f"has shape {values.shape}, not {wanted}", source="action")
        return torch.as_tensor(values).reshape(self.world.batch, *self.world.size, 2)

    def _shown(self, seen: Tensor) -> Values:
        return super()._shown(seen).reshape(self.num_envs, len(OBSERVED))

    def _rewarded(self, reward: Tensor, facts: dict[str, Tensor]) -> NDArray[Any]:
        by_device = facts["device_reward"][:, :, None].expand(-1, -1, self.world.size[1])
        return by_device.double().reshape(-1).numpy().copy()

    def _told(self, facts: dict[str, Tensor]) -> dict[str, Any]:
        """Facts of whole worlds, under one key: they belong to no single pair."""
        return {"worlds": {name: values.numpy() for name, values in facts.items()}}
