"""The agents' action distribution: masked normals over the log-weights of a server's devices."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True)
class MaskedNormal:
    """Independent normals over the log-weights of the devices that a server can reach.

    The log-weights are the action; what follows from them is the world's doing
    (:func:`uara.mec.worlds.shares`). A server's compute is their softmax over the devices that it serves: a
    logistic-normal. Its band is ``exp`` of them, and the softmax where that exceeds the budget: else band
    stays idle, as it does at the optimum. So both budgets hold by construction, and the density of an action is known
    exactly, though two actions may mean the same shares.

    Parameters
    ----------
    mean, log_std
        (..., n) Parameters of the log-weights.
    mask
        (..., n) 1 for the devices that take part, 0 for the others: they add nothing to the density.
    reach
        (..., n) Where an agent corrects a rule, how far: the log-weights spread by ``reach exp(log_std)``, and the
        density is that of the correction. Log-weights of no reach are the rule's, and add nothing.
    """

    mean: Tensor
    log_std: Tensor
    mask: Tensor
    reach: Tensor | None = None

    def rsample(self, noise: Tensor | None = None) -> Tensor:
        """Log-weights (..., n), differentiable in the parameters; ``noise`` is standard normal."""
        noise = torch.randn_like(self.mean) if noise is None else noise
        spread = self.log_std.exp() if self.reach is None else self.reach * self.log_std.exp()
        return self.mean + spread * noise

    def log_prob(self, log_weight: Tensor) -> Tensor:
        """(..., n) Contribution of each device to the log-density under Lebesgue's measure of the log-weights.

        In log-ratios of shares this is Aitchison's, the natural one on a simplex: an entropy of -1 per device is a
        relative spread of the shares of 9 %, whatever their number and size.
        """
        deviation, mask = (log_weight - self.mean) * torch.exp(-self.log_std), self.mask
        if self.reach is not None:
            free = self.reach > 0
            deviation = torch.where(free, deviation, 0.0) / torch.where(free, self.reach, 1.0)
            mask = mask * free
        return mask * (-0.5 * deviation**2 - self.log_std - _HALF_LOG_TAU)
