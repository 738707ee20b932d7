"""Actor and critic: one set of weights for every server, any number of devices and servers (PyTorch)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from uara.mec.worlds import Slot, at_server, cost_terms, served, sum_by_server, uniform_costs

from .features import COUNT, Prior

COST_TERMS = 4
OUTPUTS = 4  # mean and log standard deviation of the log-weights of Y and of Z
LOG_STD_RANGE = (-5.0, 0.5)
LOG_WEIGHT_RANGE = (-25.0, 5.0)


class Actor(nn.Module):
    """Log-weights of all pairs: pair embedding, mean pools over a server's devices and a device's servers."""

    def __init__(self, width: int, prior: Prior) -> None:
        super().__init__()
        self.prior = prior
        self.embed1, self.embed2 = nn.Linear(COUNT, width), nn.Linear(width, width)
        self.own = nn.Linear(width, width)
        self.of_server = nn.Linear(width, width, bias=False)
        self.of_device = nn.Linear(width, width, bias=False)
        self.head = nn.Linear(width, OUTPUTS)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        with torch.no_grad():
            self.head.bias[2:] = -2.0

    def forward(
        self, features: Tensor, usable: Tensor, start: Tensor, association: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation of the log-weights of Y and Z.

        Parameters
        ----------
        features, usable
            From :func:`..features.pair_features`.
        start
            From :func:`..features.prior_log_weights`.
        association
            (B, M) Only the served pairs' outputs are wanted: they are (B, M, 2) then, else (B, M, E, 2).
        """
        inner = torch.relu(self.embed2(torch.relu(self.embed1(features)))) * usable[..., None]
        by_server = self.of_server(inner.sum(1) / usable.sum(1).clamp(min=1.0)[..., None])[:, None]
        by_device = self.of_device(inner.sum(2) / usable.sum(2).clamp(min=1.0)[..., None])[:, :, None]
        if association is not None:
            inner, start = at_pairs(inner, association), at_pairs(start, association)
            by_server = at_pairs(by_server.expand(-1, usable.shape[1], -1, -1), association)
            by_device = by_device[:, :, 0]
        out = self.head(torch.relu(self.own(inner) + by_server + by_device))
        mean = (start + out[..., :2]).clamp(*LOG_WEIGHT_RANGE)
        return mean, out[..., 2:].clamp(*LOG_STD_RANGE)

    def of_members(self, features: Tensor, association: Tensor, servers: int) -> tuple[Tensor, Tensor]:
        """(B, M, 2) each: :meth:`forward` for served pairs alone, where these are the only usable ones.

        Parameters
        ----------
        features
            (B, M, COUNT) of the served pairs.
        association
            (B, M)
        """
        inner = torch.relu(self.embed2(torch.relu(self.embed1(features))))
        count = sum_by_server(torch.ones_like(features[..., 0]), association, servers).clamp(min=1.0)
        index = association[..., None].expand_as(inner)
        zero = torch.zeros(inner.shape[0], servers, inner.shape[2], dtype=inner.dtype, device=inner.device)
        pooled = self.of_server(zero.scatter_add(1, index, inner) / count[..., None]).gather(1, index)
        out = self.head(torch.relu(self.own(inner) + pooled + self.of_device(inner)))
        return out[..., :2].clamp(*LOG_WEIGHT_RANGE), out[..., 2:].clamp(*LOG_STD_RANGE)


def at_pairs(values: Tensor, association: Tensor) -> Tensor:
    """(B, M, F) Entries of the served pairs, from (B, M, E, F)."""
    index = association[:, :, None, None].expand(-1, -1, 1, values.shape[3])
    return values.gather(2, index)[:, :, 0]


class Critic(nn.Module):
    """A centralised critic: the value of each device's share of the objective, given all servers' decisions.

    Parameters
    ----------
    informed
        The four cost terms of the slot are added to what the network says, each with a learned factor.
    """

    def __init__(self, width: int, informed: bool) -> None:
        super().__init__()
        self.informed = informed
        self.embed1, self.embed2 = nn.Linear(COUNT + 5, width), nn.Linear(width, width)
        self.own = nn.Linear(width, width)
        self.of_server = nn.Linear(width, width, bias=False)
        self.of_all = nn.Linear(width, width, bias=False)
        self.last = nn.Linear(width, width)
        self.head = nn.Linear(width, 1)
        if informed:
            self.terms = nn.Parameter(torch.zeros(COST_TERMS))
            nn.init.zeros_(self.head.weight)
            nn.init.zeros_(self.head.bias)

    def forward(
        self,
        slot: Slot,
        features: Tensor,
        association: Tensor,
        band: Tensor,
        compute: Tensor,
        baseline_ms: Tensor | None = None,
    ) -> Tensor:
        """(B, M) Values.

        Parameters
        ----------
        features
            (B, M, COUNT) of the served pairs.
        association, band, compute
            (B, M) X, Y and Z.
        baseline_ms
            (B,) What the reward is divided by; the cost of uniform shares where left out.
        """
        servers = slot.flop_per_ms.shape[1]
        inner = torch.cat([features, _decision(slot, association, band, compute)], -1)
        inner = torch.relu(self.embed2(torch.relu(self.embed1(inner))))
        count = sum_by_server(torch.ones_like(band), association, servers).clamp(min=1.0)
        index = association[..., None].expand_as(inner)
        zero = torch.zeros(inner.shape[0], servers, inner.shape[2], dtype=inner.dtype, device=inner.device)
        by_server = zero.scatter_add(1, index, inner) / count[..., None]
        pooled = self.of_server(by_server).gather(1, index) + self.of_all(inner.mean(1, keepdim=True))
        hidden = torch.relu(self.own(inner) + pooled)
        value: Tensor = self.head(torch.relu(self.last(hidden)))[..., 0]
        if self.informed:
            value = value + relative_terms(slot, association, band, compute, baseline_ms) @ self.terms
        return value


def relative_terms(
    slot: Slot, association: Tensor, band: Tensor, compute: Tensor, baseline_ms: Tensor | None = None
) -> Tensor:
    """(B, M, 4) A device's cost terms, times M over the team's baseline (B,): uniform shares where left out."""
    terms = torch.stack(cost_terms(slot, association, band, compute), -1)
    if baseline_ms is None:
        baseline_ms = uniform_costs(slot, association).sum(1)
    return terms * (band.shape[1] / baseline_ms)[:, None, None]


def _decision(slot: Slot, association: Tensor, band: Tensor, compute: Tensor) -> Tensor:
    """(B, M, 5) What the shares mean: logs of shares, uplink against drafting, service time, crowd."""
    uplink = served(slot.uplink_ms, association)
    speed = at_server(slot.flop_per_ms, association)
    service = torch.log(slot.server_flop / (compute * speed))
    unsynchronised = torch.log(uplink / (band * slot.local_ms))
    used = at_server(sum_by_server(band, association, speed_count(slot)), association)
    return torch.stack(
        [
            torch.log(band) + 3.0,
            torch.log(compute) + 3.0,
            unsynchronised.clamp(-8, 8),
            (service - 5.0).clamp(-8, 8),
            used,
        ],
        -1,
    )


def speed_count(slot: Slot) -> int:
    """Number of servers."""
    return int(slot.flop_per_ms.shape[1])
