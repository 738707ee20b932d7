"""The slotted world as a task of BenchMARL: ``Experiment(task=mec_task(...), ...)``."""

# ruff: noqa: E402
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uara.base.extras import needs

needs("benchmarl", extra="marl")

from benchmarl.environments.common import TaskClass
from torchrl.data import Composite
from torchrl.envs import EnvBase

from uara.mec.torchrl import GROUP, MecTorchRL


class MecTask(TaskClass):  # type: ignore[misc]
    """One group ``servers``, continuous actions, the central state; configured by :class:`MecTorchRL`'s keywords."""

    def get_env_fun(
        self, num_envs: int, continuous_actions: bool, seed: int | None, device: Any
    ) -> Callable[[], EnvBase]:
        """A maker of environments of so many worlds."""
        return lambda: MecTorchRL(num_envs, seed=seed, device=device, **self.config)

    def supports_continuous_actions(self) -> bool:
        """Yes."""
        return True

    def supports_discrete_actions(self) -> bool:
        """No."""
        return False

    def max_steps(self, env: EnvBase) -> int:
        """Slots of an episode."""
        return int(env.world.slots)

    def has_render(self, env: EnvBase) -> bool:
        """No."""
        return False

    def group_map(self, env: EnvBase) -> dict[str, list[str]]:
        """One group."""
        found: dict[str, list[str]] = env.group_map
        return found

    def observation_spec(self, env: EnvBase) -> Composite:
        """What the servers see."""
        return self._kept(env.full_observation_spec_unbatched, GROUP)

    def info_spec(self, env: EnvBase) -> Composite | None:
        """None: BenchMARL wants facts by group, these are the team's."""
        return None

    def state_spec(self, env: EnvBase) -> Composite | None:
        """What the central critics see."""
        return self._kept(env.full_observation_spec_unbatched, "state")

    def action_spec(self, env: EnvBase) -> Composite:
        """In [-1, 1]."""
        return env.full_action_spec_unbatched

    def action_mask_spec(self, env: EnvBase) -> Composite | None:
        """None."""
        return None

    @staticmethod
    def env_name() -> str:
        """Name in BenchMARL's logs."""
        return "uara"

    @staticmethod
    def _kept(spec: Composite, name: str) -> Composite:
        spec = spec.clone()
        for key in list(spec.keys()):
            if key != name:
                del spec[key]
        return spec


def mec_task(name: str = "mec", **config: Any) -> MecTask:
    """A task from the keywords of :class:`uara.mec.torchrl.MecTorchRL`."""
    return MecTask(name=name, config=config)
