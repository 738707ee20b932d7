"""Batches of worlds for Stable-Baselines3: its ``VecEnv`` over a Gymnasium vector environment of ours."""

# ruff: noqa: E402
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from uara.base.errors import InputError
from uara.base.extras import needs

needs("stable_baselines3", extra="rl")

from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env import VecEnv

from uara.mec.vector import MecVectorEnv


class WorldsVecEnv(VecEnv):  # type: ignore[misc]
    """``WorldsVecEnv(PairVectorEnv(16, ..., autoreset_mode="SameStep"))``, for ``PPO("MlpPolicy", ...)``.

    Raises
    ------
    InputError
        If the environment resets by another mode than ``SameStep``, the only one that the library knows.
    """

    def __init__(self, worlds: MecVectorEnv) -> None:
        if worlds.autoreset is not AutoresetMode.SAME_STEP:
            raise InputError("must be SameStep for Stable-Baselines3", source="autoreset_mode")
        self.worlds = worlds
        self._first_seed: int | None = None
        self._actions: Any = None
        super().__init__(worlds.num_envs, worlds.single_observation_space, worlds.single_action_space)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Have the next reset draw from a seed."""
        self._first_seed = seed
        return [seed] * self.num_envs

    def reset(self) -> Any:
        """What is seen of new worlds."""
        seen, _ = self.worlds.reset(seed=self._first_seed)
        self._first_seed = None
        return seen

    def step_async(self, actions: Any) -> None:
        """Keep the actions for :meth:`step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[Any, Any, Any, list[dict[str, Any]]]:
        """Play a slot."""
        seen, reward, _, over, facts = self.worlds.step(self._actions)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if "worlds" in facts:
            infos[0]["worlds"] = facts["worlds"]
        if over.any():
            for info, last in zip(infos, facts["final_obs"], strict=True):
                info |= {"terminal_observation": last, "TimeLimit.truncated": True}
        return seen, np.asarray(reward, dtype=np.float32), over, infos

    def close(self) -> None:
        """Nothing is held open."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The same attribute for each: they are one batch."""
        return [getattr(self.worlds, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of the batch."""
        setattr(self.worlds, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method of the batch once."""
        answer = getattr(self.worlds, method_name)(*method_args, **method_kwargs)
        return [answer] * len(list(self._get_indices(indices)))

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """No environment of a batch is wrapped on its own."""
        return [False] * len(list(self._get_indices(indices)))
