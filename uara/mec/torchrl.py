"""The slotted world for TorchRL: a batch of worlds on tensors, the servers one group, with a central state."""

# ruff: noqa: E402
from __future__ import annotations

from typing import Any

from uara.base.errors import InputError
from uara.base.extras import needs

for _library in ("tensordict", "torchrl"):
    needs(_library, extra="rl")

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor
from torchrl.data import Bounded, Categorical, Composite, Unbounded
from torchrl.envs import EnvBase

from uara.mec.associations import DEFAULT, Associate
from uara.mec.envs import Source
from uara.mec.play import TERMS, World
from uara.mec.views import LARGEST, OBSERVED

GROUP = "servers"


class MecTorchRL(EnvBase):  # type: ignore[misc]
    """B worlds. Keys: ``(servers, observation)`` (B, E, 10 M), ``(servers, action)`` (B, E, 2 M) in [-1, 1],
    ``(servers, reward)`` (B, E, 1), the team's for each, ``state`` (B, 10 M E) and ``info``.

    Parameters
    ----------
    worlds
        B.
    source, associate, options
        As for :class:`uara.mec.play.World`; of one size, and on the unit scale.
    """

    def __init__(
        self,
        worlds: int = 1,
        source: Source = "urban",
        associate: str | Associate = DEFAULT,
        *,
        seed: int | None = None,
        device: str | torch.device = "cpu",
        **options: Any,
    ) -> None:
        if options.pop("scale", "unit") != "unit":
            raise InputError("must be unit here", source="scale")
        self.world = World(source, associate, batch=worlds, scale="unit", **options)
        if len(self.world.environments) > 1:
            raise InputError("must be one size here", source="sizes")
        super().__init__(device=device, batch_size=torch.Size([worlds]))
        self.group_map = {GROUP: [f"server{j}" for j in range(self.world.size[1])]}
        self._make_specs()
        self._next_seed = seed

    def _make_specs(self) -> None:
        batch, (devices, servers) = self.world.batch, self.world.size
        columns, where = len(OBSERVED), {"device": self.device}

        def group(**specs: Any) -> Composite:
            inner = Composite(specs, shape=(batch, servers), **where)
            return Composite({GROUP: inner}, shape=(batch,), **where)

        def seen(*shape: int) -> Bounded:
            return Bounded(-LARGEST, LARGEST, shape=shape, dtype=torch.float32, **where)

        self.observation_spec = group(observation=seen(batch, servers, devices * columns))
        self.observation_spec["state"] = seen(batch, servers * devices * columns)
        self.observation_spec["info"] = Composite(
            {
                "controllable_ms": Unbounded((batch, 1), **where),
                "uniform_ms": Unbounded((batch, 1), **where),
                "device_reward": Unbounded((batch, devices), **where),
                "cost_terms_ms": Unbounded((batch, devices, len(TERMS)), **where),
                "association": Unbounded((batch, devices), dtype=torch.int64, **where),
            },
            shape=(batch,),
            **where,
        )
        low, high = -1.0, 1.0
        self.action_spec = group(action=Bounded(low, high, shape=(batch, servers, 2 * devices), **where))
        self.reward_spec = group(reward=Unbounded((batch, servers, 1), **where))
        flag = Categorical(2, shape=(batch, 1), dtype=torch.bool, **where)
        self.done_spec = Composite(
            {name: flag.clone() for name in ("done", "terminated", "truncated")}, shape=(batch,), **where
        )

    def _reset(self, tensordict: TensorDictBase | None = None, **_: Any) -> TensorDictBase:
        """Begin an episode in every world: they begin and end together."""
        seen = self.world.reset(self._next_seed)
        self._next_seed = None
        facts = {
            name: torch.zeros(spec.shape, dtype=spec.dtype)
            for name, spec in self.observation_spec["info"].items()
        }
        return self._told(seen, facts, over=False)

    def _step(self, tensordict: TensorDictBase) -> TensorDictBase:
        """Play a slot; see :meth:`uara.mec.play.World.step` for what it refuses."""
        batch, (devices, servers) = self.world.batch, self.world.size
        action = tensordict[GROUP, "action"].cpu().reshape(batch, servers, 2, devices)
        seen, reward, facts = self.world.step(action.permute(0, 3, 1, 2))
        told = self._told(seen, facts, over=self.world.over)
        told[GROUP, "reward"] = reward.float()[:, None, None].expand(batch, servers, 1).to(self.device)
        return told

    def _told(self, seen: Tensor, facts: dict[str, Tensor], *, over: bool) -> TensorDictBase:
        batch, (_, servers) = self.world.batch, self.world.size
        info = {}
        for name, spec in self.observation_spec["info"].items():
            info[name] = facts[name].to(spec.dtype).reshape(spec.shape)
        flag = torch.zeros(batch, 1, dtype=torch.bool)
        own = seen.transpose(1, 2).reshape(batch, servers, -1)
        content = {
            GROUP: TensorDict({"observation": own}, batch_size=[batch, servers]),
            "state": own.reshape(batch, -1),
            "info": TensorDict(info, batch_size=[batch]),
            "done": flag | over,
            "terminated": flag,
            "truncated": flag | over,
        }
        return TensorDict(content, batch_size=[batch], device=self.device)

    def _set_seed(self, seed: int | None) -> None:
        self._next_seed = seed
