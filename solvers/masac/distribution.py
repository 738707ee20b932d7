"""The agents' action distribution: a masked logistic-normal on each server's shares."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True)
class LogisticNormal:
    """Shares of a budget between "left idle" and n devices: a softmax of normal log-weights.

    The log-weights ``x`` are independent normals; with a log-weight of 0 for the idle part, the softmax over
    the idle part and the devices maps them one to one onto the open simplex, so the budget holds by
    construction and the density of the shares is known exactly.

    Parameters
    ----------
    mean, log_std
        (..., n) Parameters of the log-weights.
    mask
        (..., n) 1 for the devices that take part, 0 for the others: they get no share, and no probability.
    """

    mean: Tensor
    log_std: Tensor
    mask: Tensor

    def rsample(self, noise: Tensor | None = None) -> Tensor:
        """Log-weights (..., n), differentiable in the parameters; ``noise`` is standard normal."""
        noise = torch.randn_like(self.mean) if noise is None else noise
        return self.mean + self.log_std.exp() * noise

    def log_prob(self, log_weight: Tensor) -> Tensor:
        """(..., n) Contribution of each device to the log-density.

        The measure is Aitchison's, the natural one on a simplex: Lebesgue's in the log-ratios to the idle part.
        An entropy of -1 per device then is a relative spread of the shares of 9 %, whatever their number and
        size. :meth:`log_prob_of_shares` is the density under Lebesgue's measure on the simplex itself.
        """
        deviation = (log_weight - self.mean) * torch.exp(-self.log_std)
        return self.mask * (-0.5 * deviation**2 - self.log_std - _HALF_LOG_TAU)

    def log_prob_of_shares(self, log_weight: Tensor) -> Tensor:
        """(...,) Log-density of ``shares(log_weight)`` under Lebesgue's measure of the device shares."""
        part = shares(log_weight, self.mask)
        idle = 1 - part.sum(-1)
        log_jacobian = (self.mask * torch.log(torch.where(self.mask > 0, part, 1.0))).sum(-1) + torch.log(
            idle
        )
        return self.log_prob(log_weight).sum(-1) - log_jacobian


def shares(log_weight: Tensor, mask: Tensor) -> Tensor:
    """(..., n) Shares of the devices, with what is left idle they sum to 1: the masked softmax."""
    hidden = log_weight.masked_fill(mask == 0, -math.inf)
    idle = torch.zeros_like(hidden[..., :1])
    return torch.softmax(torch.cat([idle, hidden], -1), -1)[..., 1:]
