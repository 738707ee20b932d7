"""Slots and small learners for the tests of MASAC."""

from __future__ import annotations

import torch
from mec.pools import make_pool
from mec.worlds import profile_file
from uara.solvers.masac.learner import Batch, Learner, LearnerSettings

from uara.mec.batch import Environment, WorldSettings
from uara.mec.channels import PoolGains
from uara.mec.worlds import Slot


def make_slot(
    folder: str, batch: int = 3, devices: int = 20, servers: int = 4, seed: int = 0, **settings: object
) -> Slot:
    """Slots of worlds cut from a synthetic pool; a third of the pairs have no path."""
    chosen = WorldSettings(profile=profile_file(folder), **settings)  # type: ignore[arg-type]
    return Environment(PoolGains(make_pool(), devices, servers), batch, chosen).reset(seed)


def make_learner(seed: int = 0, **settings: object) -> Learner:
    """A narrow learner whose actor does not sit at its prior."""
    torch.manual_seed(seed)
    learner = Learner(LearnerSettings(width=16, **settings))  # type: ignore[arg-type]
    torch.nn.init.normal_(learner.actor.head.weight, std=0.3)
    return learner


def make_batch(folder: str, learner: Learner) -> Batch:
    """Transitions under the learner's own policy, with made-up rewards."""
    slot, following = make_slot(folder, seed=1), make_slot(folder, seed=2)
    association, next_association = slot.uplink_ms.argmin(2), following.uplink_ms.argmin(2)
    policy, _ = learner.served_pairs(slot, association)
    reward = -torch.rand(association.shape)
    return Batch(slot, association, policy.rsample().detach(), reward, following, next_association)
