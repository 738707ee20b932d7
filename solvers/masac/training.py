"""``uara train`` for MASAC: worlds of several sizes in turn, updates, validation, checkpoints, the policy."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import uara
from uara.errors import InputError
from uara.mec.channels import PoolGains
from uara.mec.environment import Environment, WorldSettings
from uara.mec.pool import Pool, build_pool
from uara.mec.world import Slot
from uara.psd.profile import TaskProfile
from uara.randomness import derived_seed
from uara.recipe import profile_sha256

from . import checkpoint, features
from .association import associate_batch, coefficients_of
from .export import export
from .learner import Learner, reward_of, shares_of
from .log import Log
from .network import at_pairs
from .policy import POLICY_VERSION, PolicyHeader
from .replay import Replay
from .settings import Size, TrainingSettings
from .validation import Yardstick, gaps, make_yardstick, optimal_cost, strongest

POLICY_FILE = "policy.onnx"
_EXPLORED = 3  # a wandering device goes to one of its so many strongest servers
_WANDERERS = 0.3
_VALIDATION_WORLDS = 6
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
    """A run: everything that is not in the learner.

    Attributes
    ----------
    report
        Called with a row of numbers after each validation.
    """

    settings: TrainingSettings
    folder: Path
    command: str
    report: Callable[[dict[str, float]], None]
    learner: Learner = field(init=False)
    groups: list[Group] = field(init=False)
    yardsticks: list[Yardstick] = field(init=False)
    step: int = 0
    best_gap: float = float("inf")
    best_step: int = 0
    elapsed_s: float = 0.0

    def prepare(self, pool: Pool, *, resume: bool, device: str = "cpu") -> None:
        """Build worlds, validation and learner; with ``resume``, take up the checkpoint of the folder."""
        settings = self.settings
        torch.manual_seed(derived_seed(settings.seed, "masac"))
        seen, unseen = split(pool, settings.validation_part)
        self.learner = Learner(settings.learner, device)
        self.groups = [
            Group(
                Environment(PoolGains(seen, *size), settings.parallel_worlds, settings.worlds, device=device),
                Replay(settings.replay_steps),
            )
            for size in settings.sizes
        ]
        worlds = [WorldSettings(profile=settings.worlds.profile), settings.worlds]
        self.yardsticks = [
            self._yardstick(unseen, size, world, device)
            for size in [*settings.sizes, *settings.held_out_sizes]
            for world in worlds
        ]
        if resume:
            progress = checkpoint.load(self.folder, self.learner, settings.model_dump(mode="json"))
            self.step, self.best_step, self.elapsed_s = progress.step, progress.best_step, progress.elapsed_s
            self.best_gap = float("inf") if progress.best_gap is None else progress.best_gap

    def run(self) -> None:
        """Train until the last step, or until validation has not improved for long."""
        settings = self.settings
        began, slots, losses = time.perf_counter() - self.elapsed_s, 0, {}
        returns = gap_same = 0.0
        if self.step == 0:
            self._imitate()
            self._validate({"step": 0.0, "elapsed_s": time.perf_counter() - began})
        mark = time.perf_counter()
        while self.step < settings.steps:
            group = self.groups[self.step % len(self.groups)]
            returns += 0.05 * (self._act(group) - returns)
            slots += settings.parallel_worlds
            self.step += 1
            if self.step > settings.warmup_steps and group.replay.ready():
                self.learner.decay_rates(self.step / settings.steps)
                count = max(1, settings.batch_devices // group.environment.devices)
                for _ in range(settings.updates_per_step):
                    losses = self.learner.update(group.replay.sample(count, self._random))
            self.elapsed_s = time.perf_counter() - began
            if self.step % settings.validate_every == 0:
                gap_same = self._same_association_gap(group)
                rate = slots / (time.perf_counter() - mark)
                self._validate(
                    {
                        "step": float(self.step),
                        "elapsed_s": self.elapsed_s,
                        "slots_per_s": rate,
                        "return": returns,
                        "live_gap": gap_same,
                        **losses,
                    }
                )
                slots, mark = 0, time.perf_counter()
                if (self.step - self.best_step) // settings.validate_every >= settings.patience:
                    break
            if self.step % settings.checkpoint_every == 0:
                self._checkpoint()
        self._checkpoint()

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
        chosen = at_pairs(log_weight, association)
        band, compute = shares_of(slot, association, chosen)
        following, feedback = environment.step(association, band, compute)
        reward = reward_of(
            feedback.outcome.cost_ms,
            feedback.uniform_ms,
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

    def _same_association_gap(self, group: Group) -> float:
        """Excess of the policy's mean shares over exact ones, for the association the worlds stand at."""
        slot = group.slot
        if slot is None or group.association is None:
            return float("nan")
        usable = torch.isfinite(slot.uplink_ms.gather(2, group.association[:, :, None]))[:, :, 0]
        association = torch.where(usable, group.association, strongest(slot))
        exact = [
            optimal_cost(numbers, row)
            for (numbers, _), row in zip(coefficients_of(slot), association.cpu().numpy(), strict=True)
        ]
        stick = Yardstick(slot, association, torch.tensor(exact, dtype=torch.float64))
        return gaps(self.learner, stick)[1]

    def _yardstick(self, pool: Pool, size: Size, worlds: WorldSettings, device: str) -> Yardstick:
        environment = Environment(PoolGains(pool, *size), _VALIDATION_WORLDS, worlds, device=device)
        return make_yardstick(environment.reset(_VALIDATION_SEED + size[0] * 100 + size[1]))

    def _validate(self, row: dict[str, float]) -> None:
        found = [gaps(self.learner, stick) for stick in self.yardsticks]
        whole, alone = [sum(pair[k] for pair in found) / len(found) for k in (0, 1)]
        plain = found[::2]
        row |= {
            "gap": whole,
            "allocation_gap": alone,
            "gap_table1": sum(pair[0] for pair in plain) / len(plain),
            "allocation_gap_table1": sum(pair[1] for pair in plain) / len(plain),
        }
        if whole < self.best_gap - self.settings.tolerance:
            self.best_gap, self.best_step = whole, self.step
            self._export(row)
        row["best_gap"] = self.best_gap
        self.report(row)

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
            features=list(features.NAMES),
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
            },
        )


def split(pool: Pool, part: float) -> tuple[Pool, Pool]:
    """A pool's drops for training and for validation; every so manieth drop is for validation."""
    every = max(2, round(1 / part))
    aside = np.arange(len(pool.power_gain)) % every == every - 1
    if not aside.any():
        raise InputError("is too small to keep drops for validation", source="pool")
    return (
        Pool(pool.power_gain[~aside], pool.settings, pool.facts),
        Pool(pool.power_gain[aside], pool.settings, pool.facts),
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


def exact_log_weights(slot: Slot, association: Tensor) -> Tensor:
    """(B, M, 2) Logs of the optimal Y and Z for an association."""
    from uara.allocation import optimal_bandwidth
    from uara.allocation import shares_of as parts

    rows = []
    for (numbers, _), chosen in zip(coefficients_of(slot), association.cpu().numpy(), strict=True):
        band = optimal_bandwidth(numbers, chosen, numbers.pairs_of(chosen))
        compute = parts(chosen, numbers.server_flop**0.5, len(numbers.flop_per_ms))
        rows.append(torch.stack([torch.as_tensor(band).log(), torch.as_tensor(compute).log()], -1))
    return torch.stack(rows).to(slot.local_ms)


def train(
    config: Path,
    folder: Path,
    *,
    resume: bool = False,
    seed: int | None = None,
    device: str | None = None,
    command: str = "",
    report: Callable[[dict[str, float]], None] = lambda row: None,
    note: Callable[[str], None] = lambda text: None,
) -> Path:
    """Train a policy as a configuration file says; the entry point of ``uara train``.

    Parameters
    ----------
    config
        TOML file of :class:`.settings.TrainingSettings`.
    folder
        Receives ``policy.onnx`` (the best by validation), checkpoints, ``log.csv`` and TensorBoard events.
    resume
        Take up the folder's checkpoint; the replay buffers fill anew.
    seed
        Overrides the configuration's.
    device
        ``cpu`` or ``cuda``; the CPU where left out, unless there is a CUDA device.
    report, note
        Receive a row of numbers after each validation, and lines of text.

    Returns
    -------
    Path
        The policy file.
    """
    settings = TrainingSettings.load(config)
    if seed is not None:
        settings = settings.model_copy(update={"seed": seed})
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cpu":
        torch.set_num_threads(1)  # on a busy machine two threads are many times slower than one
    pool = _pool(config.parent / settings.pool_file, settings, note)
    folder.mkdir(parents=True, exist_ok=True)
    if not resume and (folder / "checkpoint.json").exists():
        raise InputError("holds a run already: resume it, or choose another folder", source=str(folder))
    with Log(folder, fresh=not resume) as log:

        def row_done(row: dict[str, float]) -> None:
            log.write(row)
            report(row)

        training = Training(settings, folder, command, row_done)
        training.prepare(pool, resume=resume, device=device)
        training.run()
    note(f"best validation gap {training.best_gap:.4f} at step {training.best_step}")
    return folder / POLICY_FILE


def _pool(path: Path, settings: TrainingSettings, note: Callable[[str], None]) -> Pool:
    if not path.exists():
        note(
            f"simulating the channel pool {path}: {settings.pool.traced_drops + settings.pool.umi_drops} drops"
        )
        build_pool(settings.pool, lambda done, total: note(f"drop {done} of {total}")).save(path)
    pool = Pool.load(path)
    if pool.settings != settings.pool:
        raise InputError("was made with other settings than the configuration's: remove it", source=str(path))
    return pool
