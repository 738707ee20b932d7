"""Replay buffer: whole slots of one world size, in a ring of preallocated tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import torch
from torch import Tensor

from uara.mec.worlds import Slot

from .learner import Batch


class Replay:
    """Stores what happened in B parallel worlds, step by step.

    Parameters
    ----------
    steps
        Number of steps that are kept; each holds the slots of all parallel worlds.
    """

    def __init__(self, steps: int) -> None:
        self._steps = max(2, steps)
        self._columns: dict[str, Tensor] = {}
        self._written = 0
        self._last = torch.zeros(self._steps, dtype=torch.bool)

    def __len__(self) -> int:
        """Number of steps that are held."""
        return min(self._written, self._steps)

    def add(self, slot: Slot, association: Tensor, log_weight: Tensor, reward: Tensor, last: bool) -> None:
        """Store a step; ``last`` marks the end of an episode, after which the next step is another world's."""
        values = {field.name: getattr(slot, field.name) for field in fields(slot)}
        values |= {"association": association, "log_weight": log_weight, "reward": reward}
        place = self._written % self._steps
        for name, value in values.items():
            if name not in self._columns:
                self._columns[name] = torch.empty(
                    self._steps, *value.shape, dtype=value.dtype, device=value.device
                )
            self._columns[name][place] = value.detach()
        self._last[place] = last
        self._written += 1

    def sample(self, count: int, generator: torch.Generator) -> Batch:
        """Random slots together with those that followed them.

        A step whose follower is not stored (the end of an episode, or the newest step) is left out: a
        truncated episode is not taken for a terminated one.
        """
        candidates = self._followed()
        step = candidates[torch.randint(len(candidates), (count,), generator=generator)]
        worlds = self._columns["reward"].shape[1]
        world = torch.randint(worlds, (count,), generator=generator)
        following = (step + 1) % self._steps
        return Batch(
            slot=self._slot(lambda column: column[step, world]),
            association=self._columns["association"][step, world],
            log_weight=self._columns["log_weight"][step, world],
            reward=self._columns["reward"][step, world],
            next_slot=self._slot(lambda column: column[following, world]),
            next_association=self._columns["association"][following, world],
        )

    def ready(self) -> bool:
        """Whether :meth:`sample` has something to draw from."""
        return len(self._followed()) > 0

    def _followed(self) -> Tensor:
        """Places of the steps whose follower is stored."""
        held = len(self)
        allowed = ~self._last[:held]
        if held:
            allowed[(self._written - 1) % self._steps] = False
        return torch.nonzero(allowed)[:, 0]

    def _slot(self, pick: Callable[[Tensor], Tensor]) -> Slot:
        return Slot(**{field.name: pick(self._columns[field.name]) for field in fields(Slot)})
