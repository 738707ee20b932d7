"""Soft actor-critic for many servers, in one file to be read from top to bottom (PyTorch).

One agent per edge server; all share one actor. An agent's action is the log-weights of the band and compute of
its server for the devices it serves (:mod:`.distribution`); the shares follow by renormalisation, so every
budget holds. Two centralised critics see all agents' decisions. Rewards and values are kept device by device:
their sum over the devices is the team's. The association X that a decision was made for is part of what the
critics see, since Alg. 1 chooses it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import AliasChoices, Field
from torch import Tensor, nn

from uara.base.files import Record
from uara.base.quantities import Fraction, Positive
from uara.mec.worlds import Slot, device_costs, shares

from .distribution import MaskedNormal
from .features import CORRECTIONS, Prior, pair_features, prior_log_weights
from .network import Actor, Critic, at_pairs
from .wishes import look, wanted

FORMER_NAMES = {
    "tau": "soft_update",
    "policy_lr": "actor_rate",
    "q_lr": "critic_rate",
    "alpha_lr": "temperature_rate",
    "max_grad_norm": "clip_gradient",
}
"""What configurations and checkpoints may call a setting too."""


def _called(name: str) -> Any:
    return Field(validation_alias=AliasChoices(name, FORMER_NAMES[name]))


def present_names(settings: dict[str, Any]) -> dict[str, Any]:
    """A learner's plain settings with the names of :class:`LearnerSettings` in the place of former ones."""
    present = {former: name for name, former in FORMER_NAMES.items()}
    return {present.get(key, key): value for key, value in settings.items()}


class LearnerSettings(Record):
    """Settings of the learner (paper's eq. (9) and reference [7]), with CleanRL's names where it has them."""

    width: Annotated[int, Field(ge=4)] = 64
    """Width of all hidden layers."""
    prior: Prior = "uniform"
    """Rule that the untrained policy follows."""
    discount: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """gamma: what the next slot's value counts."""
    tau: Annotated[Fraction, _called("tau")] = 0.005
    """xi of the paper: step of the target critics towards the critics."""
    policy_lr: Annotated[Positive, _called("policy_lr")] = 3e-4
    """Learning rate of the actor."""
    q_lr: Annotated[Positive, _called("q_lr")] = 1e-3
    """Learning rate of the critics."""
    alpha_lr: Annotated[Positive, _called("alpha_lr")] = 3e-3
    """Learning rate of the temperature alpha."""
    last_rate_part: Fraction = 1.0
    """Actor's and critics' learning rates fall linearly to this part of themselves by the end of a run."""
    first_temperature: Positive = 0.01
    """alpha at the start."""
    target_entropy: float = -2.0
    """Entropy aimed at, per device and per log-weight: -2 is a spread of 3 %."""
    max_grad_norm: Annotated[Positive, _called("max_grad_norm")] = 5.0
    """Largest norm of a gradient."""
    reward: Literal["controllable", "objective", "random-baseline", "rule"] = "controllable"
    """What is divided by what: the controllable part of I, or all of I, by that of uniform shares under the
    same association; or, as printed, I by that of random association with uniform shares; or the controllable part
    by that of the shares of the untrained policy."""
    values: Literal["device", "team"] = "device"
    """Critics learn each device's part of the reward, or only the team's."""
    informed_critic: bool = True
    """Critics are shown the slot's four cost terms beside the shares, and learn what is to come on top."""


@dataclass(frozen=True)
class Batch:
    """Transitions of B slots."""

    slot: Slot
    association: Tensor
    """(B, M)"""
    log_weight: Tensor
    """(B, M, 2) of the served pairs."""
    reward: Tensor
    """(B, M) Each device's part of the team's reward, times M."""
    next_slot: Slot
    next_association: Tensor


def critic_loss(first: Tensor, second: Tensor, target: Tensor) -> Tensor:
    """Squared temporal-difference errors of both critics, each halved as is usual."""
    return 0.5 * ((first - target) ** 2).mean() + 0.5 * ((second - target) ** 2).mean()


def soft_target(
    reward: Tensor, next_value: Tensor, next_log_prob: Tensor, temperature: Tensor, discount: float
) -> Tensor:
    """r + gamma (V' - alpha log pi'). No slot is terminal: the world goes on, an episode is only cut off."""
    return reward + discount * (next_value - temperature * next_log_prob)


def actor_loss(log_prob: Tensor, value: Tensor, temperature: Tensor) -> Tensor:
    """alpha log pi - Q, eq. (9) turned into a loss."""
    return (temperature * log_prob - value).mean()


def temperature_loss(log_temperature: Tensor, log_prob: Tensor, target_entropy: float) -> Tensor:
    """Raises alpha while the entropy is below its target."""
    return -(log_temperature * (log_prob + target_entropy)).mean()


class Learner:
    """Actor, twin critics, their targets, temperature, and the update."""

    def __init__(self, settings: LearnerSettings, device: str = "cpu") -> None:
        self.settings = settings
        self.actor = Actor(settings.width, settings.prior).to(device)
        self.critics = nn.ModuleList([Critic(settings.width, settings.informed_critic) for _ in range(2)]).to(
            device
        )
        self.targets = copy.deepcopy(self.critics).requires_grad_(False)
        self.log_temperature = torch.tensor(settings.first_temperature, device=device).log().requires_grad_()
        self.actor_optimiser = torch.optim.Adam(self.actor.parameters(), settings.policy_lr)
        self.critic_optimiser = torch.optim.Adam(self.critics.parameters(), settings.q_lr)
        self.temperature_optimiser = torch.optim.Adam([self.log_temperature], settings.alpha_lr)

    def decay_rates(self, done: float) -> None:
        """Set the learning rates for a run of which this part, in [0, 1], is done."""
        part = 1 - (1 - self.settings.last_rate_part) * done
        for optimiser, rate in (
            (self.actor_optimiser, self.settings.policy_lr),
            (self.critic_optimiser, self.settings.q_lr),
        ):
            for group in optimiser.param_groups:
                group["lr"] = rate * part

    def all_pairs(self, slot: Slot) -> MaskedNormal:
        """The distribution of the log-weights (B, M, E, 2) of every usable pair.

        Where the agents correct a rule they wait for the association: it is chosen under every pair's own wish.
        """
        if self.settings.prior in CORRECTIONS:
            mean = wanted(slot, torch)
            return MaskedNormal(mean, 0.0 * mean, 0.0 * mean, 0.0 * mean)
        features, usable = pair_features(slot, torch)
        mean, log_std = self.actor(features, usable, prior_log_weights(slot, self.settings.prior, torch))
        return MaskedNormal(mean, log_std, usable[..., None])

    def served_pairs(self, slot: Slot, association: Tensor) -> tuple[MaskedNormal, Tensor]:
        """The distribution (B, M, 2) at the served pairs, and their features (B, M, COUNT)."""
        if self.settings.prior in CORRECTIONS:
            return self._corrections(slot, association)
        features, usable = pair_features(slot, torch)
        start = prior_log_weights(slot, self.settings.prior, torch)
        mean, log_std = self.actor(features, usable, start, association)
        return MaskedNormal(mean, log_std, torch.ones_like(mean)), at_pairs(features, association)

    def _corrections(self, slot: Slot, association: Tensor) -> tuple[MaskedNormal, Tensor]:
        seen = look(slot, members_of(slot, association), CORRECTIONS[self.settings.prior], torch)
        features, offset, reach = (at_pairs(each, association) for each in seen)
        mean, log_std = self.actor.of_members(features, association, slot.flop_per_ms.shape[1])
        return MaskedNormal(offset + reach * mean, log_std, torch.ones_like(mean), reach), features

    def reconsidered(self, slot: Slot, association: Tensor) -> Tensor:
        """(B, M, E, 2) Mean log-weights of all pairs once an association is known: the agents' where they serve,
        the rule's for a newcomer."""
        members = members_of(slot, association)
        seen = look(slot, members, CORRECTIONS[self.settings.prior], torch)
        mean, _ = self.actor(seen.features, members, torch.zeros_like(seen.offset))
        return torch.where(members[..., None] > 0, seen.offset + seen.reach * mean, seen.offset)

    def mean_at(self, slot: Slot, association: Tensor) -> Tensor:
        """(B, M, 2) Mean log-weights of the served pairs."""
        return self.served_pairs(slot, association)[0].mean

    def baseline_ms(self, slot: Slot, association: Tensor) -> Tensor | None:
        """(B,) The controllable cost of the untrained policy's shares, where the reward is divided by it."""
        if self.settings.reward != "rule":
            return None
        prior = self.settings.prior
        if prior in CORRECTIONS:
            start = look(slot, members_of(slot, association), CORRECTIONS[prior], torch).offset
        else:
            start = prior_log_weights(slot, prior, torch)
        band, compute = shares_of(slot, association, at_pairs(start, association))
        return device_costs(slot, association, band, compute).sum(1)

    def values(
        self,
        critics: nn.ModuleList,
        slot: Slot,
        features: Tensor,
        association: Tensor,
        log_weight: Tensor,
        baseline_ms: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Both critics' values (B, M); (B, 1) means where they learn the team's. The baseline is known or found."""
        band, compute = shares_of(slot, association, log_weight)
        if baseline_ms is None:
            baseline_ms = self.baseline_ms(slot, association)
        both = [critic(slot, features, association, band, compute, baseline_ms) for critic in critics]
        if self.settings.values == "team":
            both = [value.mean(1, keepdim=True) for value in both]
        return both[0], both[1]

    def update(self, batch: Batch) -> dict[str, float]:
        """One step of critics, actor, temperature and targets; returns what is worth plotting."""
        settings, temperature = self.settings, self.log_temperature.exp().detach()
        team = settings.values == "team"
        policy, features = self.served_pairs(batch.slot, batch.association)
        reward = batch.reward.mean(1, keepdim=True) if team else batch.reward
        with torch.no_grad():
            target = self._target(batch, reward, temperature)
        baseline_ms = self.baseline_ms(batch.slot, batch.association)
        known = batch.slot, features.detach(), batch.association
        first, second = self.values(self.critics, *known, batch.log_weight, baseline_ms)
        loss_q = critic_loss(first, second, target)
        _descend(self.critic_optimiser, loss_q, self.critics, settings.max_grad_norm)

        log_weight = policy.rsample()
        log_prob = policy.log_prob(log_weight).sum(-1)
        self.critics.requires_grad_(False)
        value = torch.minimum(*self.values(self.critics, *known, log_weight, baseline_ms))
        loss_pi = actor_loss(log_prob.mean(1, keepdim=True) if team else log_prob, value, temperature)
        _descend(self.actor_optimiser, loss_pi, self.actor, settings.max_grad_norm)
        self.critics.requires_grad_(True)

        goal = 2 * settings.target_entropy
        loss_alpha = temperature_loss(self.log_temperature, log_prob.detach(), goal)
        self.temperature_optimiser.zero_grad()
        loss_alpha.backward()  # type: ignore[no-untyped-call]
        self.temperature_optimiser.step()
        self._follow()
        return {
            "critic_loss": loss_q.item(),
            "actor_loss": loss_pi.item(),
            "temperature": temperature.item(),
            "entropy": -log_prob.mean().item() / 2,
        }

    def imitate(self, slot: Slot, association: Tensor, log_weight: Tensor) -> float:
        """One step towards given log-weights (B, M, 2) of the served pairs; returns the mean squared error.

        Compute weights matter up to a factor per server: they are compared after renormalisation.
        """
        policy, _ = self.served_pairs(slot, association)
        _, own = shares_of(slot, association, policy.mean)
        _, wanted = shares_of(slot, association, log_weight)
        band = (policy.mean[..., 0] - log_weight[..., 0]) ** 2
        loss = band.mean() + ((own.log() - wanted.log()) ** 2).mean()
        _descend(self.actor_optimiser, loss, self.actor, self.settings.max_grad_norm)
        return loss.item()

    def state(self) -> dict[str, dict[str, Any]]:
        """All tensors, by part."""
        return {
            "actor": self.actor.state_dict(),
            "critics": self.critics.state_dict(),
            "targets": self.targets.state_dict(),
            "temperature": {"log": self.log_temperature.detach()},
        }

    def optimisers(self) -> dict[str, torch.optim.Adam]:
        """The optimisers, by part."""
        return {
            "actor": self.actor_optimiser,
            "critics": self.critic_optimiser,
            "temperature": self.temperature_optimiser,
        }

    def load_state(self, state: dict[str, dict[str, Any]]) -> None:
        """Take over tensors from :meth:`state`."""
        self.actor.load_state_dict(state["actor"])
        self.critics.load_state_dict(state["critics"])
        self.targets.load_state_dict(state["targets"])
        with torch.no_grad():
            self.log_temperature.copy_(state["temperature"]["log"])

    def _target(self, batch: Batch, reward: Tensor, temperature: Tensor) -> Tensor:
        if self.settings.discount == 0:
            return reward
        policy, features = self.served_pairs(batch.next_slot, batch.next_association)
        log_weight = policy.rsample()
        log_prob = policy.log_prob(log_weight).sum(-1)
        value = torch.minimum(
            *self.values(self.targets, batch.next_slot, features, batch.next_association, log_weight)
        )
        if self.settings.values == "team":
            log_prob = log_prob.mean(1, keepdim=True)
        return soft_target(reward, value, log_prob, temperature, self.settings.discount)

    def _follow(self) -> None:
        with torch.no_grad():
            for target, source in zip(self.targets.parameters(), self.critics.parameters(), strict=True):
                target.lerp_(source, self.settings.tau)


def shares_of(slot: Slot, association: Tensor, log_weight: Tensor) -> tuple[Tensor, Tensor]:
    """Y and Z (B, M) that log-weights (B, M, 2) of the served pairs mean."""
    weight = log_weight.exp()
    return shares(weight[..., 0], weight[..., 1], association, slot.flop_per_ms.shape[1])


def members_of(slot: Slot, association: Tensor) -> Tensor:
    """(B, M, E) 1 for the pairs that are served, else 0."""
    return torch.zeros_like(slot.uplink_ms).scatter(2, association[:, :, None], 1.0)


def reward_of(
    cost_ms: Tensor, uniform_ms: Tensor, constant_ms: Tensor, random_ms: Tensor, settings: LearnerSettings
) -> Tensor:
    """(B, M) Each device's part of the team's reward, times M.

    Parameters
    ----------
    cost_ms, uniform_ms, constant_ms
        (B, M) Controllable part of the objective under the decision and, for the same association, under
        uniform shares; and its constant part. Device by device.
    random_ms
        (B,) Controllable objective of random association with uniform shares.
    """
    devices = cost_ms.shape[1]
    if settings.reward in ("controllable", "rule"):
        return -cost_ms * devices / uniform_ms.sum(1, keepdim=True)
    fixed = constant_ms.sum(1, keepdim=True)
    baseline = uniform_ms.sum(1, keepdim=True) if settings.reward == "objective" else random_ms[:, None]
    return -(cost_ms + constant_ms) * devices / (baseline + fixed)


def _descend(optimiser: torch.optim.Adam, loss: Tensor, module: nn.Module, max_grad_norm: float) -> None:
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(module.parameters(), max_grad_norm)
    optimiser.step()
