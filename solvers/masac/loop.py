"""The training loop of MASAC: worlds of several sizes in turn, updates, validation, checkpoints, the policy."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import uara
from uara.base.randomness import derived_seed
from uara.mec.batch import Environment, WorldSettings
from uara.mec.channels import PoolGains
from uara.mec.pool import Pool
from uara.mec.worlds import Slot
from uara.psd.profile import TaskProfile
from uara.scenarios.recipe import profile_sha256
from uara.trainer import Listener

from . import checkpoint, features
from .association import associate_batch
from .export import export
from .learner import Learner, reward_of, shares_of
from .network import at_pairs
from .policy import POLICY_VERSION, PolicyHeader
from .ranges import trained_ranges
from .replay import Replay
from .settings import Size, TrainingSettings
from .validation import Yardstick, exact_log_weights, gaps, make_yardstick, same_association_gap, strongest

POLICY_FILE = "policy.onnx"
_EXPLORED = 3  # a wandering device goes to one of its so many strongest servers
_WANDERERS = 0.3
_VALIDATION_WORLDS = 6
_RANGE_DRAWS = 32
_VALIDATION_SEED = 990_000


@dataclass
class Group:
    """The parallel worlds of one size, where they stand, and their replay buffer."""

    environment: Environment
    replay: Replay
    slot: Slot | None = None
    association: Tensor | None = None
    episode: int = 0


@dataclass
class Training:
    """A run: everything that is not in the learner."""

    settings: TrainingSettings
    folder: Path
    command: str
    listener: Listener
    learner: Learner = field(init=False)
    groups: list[Group] = field(init=False)
    ranges: dict[str, list[float]] = field(init=False)
    yardsticks: list[Yardstick] = field(init=False)
    step: int = 0
    best_gap: float = float("inf")
    best_step: int = 0
    elapsed_s: float = 0.0
    mean_return: float | None = None
    resumed: bool = False

    def prepare(self, pool: Pool, *, resume: bool, device: str = "cpu") -> None:
        """Build worlds, validation and learner; with ``resume``, take up the checkpoint of the folder."""
        settings = self.settings
        torch.manual_seed(derived_seed(settings.seed, "masac"))
        seen, unseen = pool.split(settings.validation_part)
        self.learner = Learner(settings.learner, device)
        self.groups = [
            Group(
                Environment(PoolGains(seen, *size), settings.parallel_worlds, settings.worlds, device=device),
                Replay(settings.replay_steps),
            )
            for size in settings.sizes
        ]
        drawn = [
            group.environment.reset(derived_seed(settings.seed, "ranges", number))
            for group in self.groups
            for number in range(_RANGE_DRAWS)
        ]
        self.ranges = trained_ranges(drawn, settings.worlds)
        worlds = [WorldSettings(profile=settings.worlds.profile), settings.worlds]
        self.yardsticks = [
            self._yardstick(unseen, size, world, device)
            for size in [*settings.sizes, *settings.held_out_sizes]
            for world in worlds
        ]
        if resume:
            found = checkpoint.load(self.folder, self.learner, settings.model_dump(mode="json"))
            self.step, self.best_step, self.elapsed_s = found.step, found.best_step, found.elapsed_s
            self.best_gap = float("inf") if found.best_gap is None else found.best_gap
            self.mean_return, self.resumed = found.mean_return, True

    def run(self) -> None:
        """Train until the last step, or until validation has not improved for long."""
        settings = self.settings
        began = time.perf_counter() - self.elapsed_s
        if not self.resumed:
            self._imitate()
            self.elapsed_s = time.perf_counter() - began
            self._validate(self._row())
            self._checkpoint()
        first, slots, mark = self.step, 0, time.perf_counter()
        while self.step < settings.steps:
            group = self.groups[self.step % len(self.groups)]
            self._play(group)
            slots += settings.parallel_worlds
            losses = self._update(group) if self.step - first > settings.warmup_steps else {}
            self.elapsed_s = time.perf_counter() - began
            row = self._row() | {"slots_per_s": slots / (time.perf_counter() - mark)} | losses
            self.listener.progress(row | {"steps": float(settings.steps), "best_gap": self.best_gap})
            improved = False
            if self.step % settings.validate_every == 0:
                improved = self._validate(row | {"live_gap": self._live_gap(group)})
                slots, mark = 0, time.perf_counter()
                if (self.step - self.best_step) // settings.validate_every >= settings.patience:
                    break
            if improved or self.step % settings.checkpoint_every == 0:
                self._checkpoint()
        self._checkpoint()

    def _row(self) -> dict[str, float]:
        """What can be said of the run at any time."""
        row = {"step": float(self.step), "elapsed_s": self.elapsed_s}
        return row if self.mean_return is None else row | {"return": self.mean_return}

    def _play(self, group: Group) -> None:
        reward = self._act(group)
        if self.mean_return is None:
            self.mean_return = reward
        self.mean_return += 0.05 * (reward - self.mean_return)
        self.step += 1

    def _update(self, group: Group) -> dict[str, float]:
        """The updates that follow a step; returns the numbers of the last one, and none without an update."""
        settings, losses = self.settings, {}
        if group.replay.ready():
            self.learner.decay_rates(self.step / settings.steps)
            count = max(1, settings.batch_devices // group.environment.devices)
            for _ in range(settings.updates_per_step):
                losses = self.learner.update(group.replay.sample(count, self._random))
        return losses

    @property
    def _random(self) -> torch.Generator:
        return torch.default_generator

    def _act(self, group: Group) -> float:
        """Play one step in a group's worlds and store it; returns the mean reward."""
        environment, settings = group.environment, self.settings
        if group.slot is None or environment.slot_number >= settings.slots_per_episode:
            number = derived_seed(settings.seed, "episode", self.step, group.episode)
            group.slot, group.association = environment.reset(number), None
            group.episode += 1
        slot = group.slot
        start = strongest(slot) if group.association is None else group.association
        with torch.no_grad():
            log_weight = self.learner.all_pairs(slot).rsample()
        association = wandered(slot, associate_batch(slot, log_weight, start), settings.wandering)
        if settings.learner.prior in features.CORRECTIONS:
            with torch.no_grad():
                chosen = self.learner.served_pairs(slot, association)[0].rsample()
        else:
            chosen = at_pairs(log_weight, association)
        baseline_ms = self.learner.baseline_ms(slot, association)
        band, compute = shares_of(slot, association, chosen)
        following, feedback = environment.step(association, band, compute)
        reward = reward_of(
            feedback.outcome.cost_ms,
            feedback.uniform_ms if baseline_ms is None else baseline_ms[:, None],
            feedback.constant_ms,
            feedback.random_ms,
            settings.learner,
        )
        last = environment.slot_number >= settings.slots_per_episode
        group.replay.add(slot, association, chosen, reward, last)
        group.slot, group.association = following, association
        return float(reward.mean())

    def _imitate(self) -> None:
        for step in range(self.settings.imitation_steps):
            group = self.groups[step % len(self.groups)]
            slot = group.environment.reset(derived_seed(self.settings.seed, "imitation", step))
            association = wandered(slot, strongest(slot), 1.0)
            self.learner.imitate(slot, association, exact_log_weights(slot, association))

    def _live_gap(self, group: Group) -> float:
        """Excess of the policy's mean shares over exact ones, where the worlds of a group stand."""
        if group.slot is None or group.association is None:
            return float("nan")
        return same_association_gap(self.learner, group.slot, group.association)

    def _yardstick(self, pool: Pool, size: Size, worlds: WorldSettings, device: str) -> Yardstick:
        environment = Environment(PoolGains(pool, *size), _VALIDATION_WORLDS, worlds, device=device)
        return make_yardstick(environment.reset(_VALIDATION_SEED + size[0] * 100 + size[1]))

    def _validate(self, row: dict[str, float]) -> bool:
        """Complete a row and report it; true where the policy is the best so far, which is then written."""
        found = [gaps(self.learner, stick) for stick in self.yardsticks]
        whole, alone = [sum(pair[k] for pair in found) / len(found) for k in (0, 1)]
        plain = found[::2]
        row |= {
            "gap": whole,
            "allocation_gap": alone,
            "gap_table1": sum(pair[0] for pair in plain) / len(plain),
            "allocation_gap_table1": sum(pair[1] for pair in plain) / len(plain),
        }
        improved = whole < self.best_gap - self.settings.tolerance
        if improved:
            self.best_gap, self.best_step = whole, self.step
            self._export(row)
        row["best_gap"] = self.best_gap
        self.listener.report(row)
        return improved

    def _export(self, row: dict[str, float]) -> None:
        """Write the policy as it is now: the best so far."""
        training: dict[str, Any] = {
            "settings": self.settings.model_dump(mode="json"),
            "task_profile_sha256": profile_sha256(TaskProfile.load(self.settings.worlds.profile)),
            "command": self.command,
            "versions": {"uara": uara.__version__, "torch": str(torch.__version__)},
            "validation": {key: float(value) for key, value in row.items()},
        }
        header = PolicyHeader(
            version=POLICY_VERSION,
            kind="uara-masac-policy",
            prior=self.settings.learner.prior,
            features=list(features.names(self.settings.learner.prior)),
            ranges=self.ranges,
            training=training,
        )
        export(self.learner.actor, header, self.folder / POLICY_FILE)

    def _checkpoint(self) -> None:
        checkpoint.save(
            self.folder,
            self.learner,
            {
                "settings": self.settings.model_dump(mode="json"),
                "step": self.step,
                "best_gap": None if self.best_gap == float("inf") else self.best_gap,
                "best_step": self.best_step,
                "elapsed_s": self.elapsed_s,
                "mean_return": self.mean_return,
            },
        )


def wandered(slot: Slot, association: Tensor, part: float) -> Tensor:
    """The association with, in a random part of the worlds, some devices at another strong server of theirs."""
    batch, devices = association.shape
    count = min(_EXPLORED, slot.uplink_ms.shape[2])
    near = slot.uplink_ms.topk(count, 2, largest=False)
    pick = torch.randint(count, (batch, devices, 1), device=association.device)
    elsewhere = near.indices.gather(2, pick)[:, :, 0]
    reached = torch.isfinite(near.values.gather(2, pick)[:, :, 0])
    moved = torch.rand(batch, devices, device=association.device) < _WANDERERS
    moved &= (torch.rand(batch, 1, device=association.device) < part) & reached
    return torch.where(moved, elsewhere, association)
