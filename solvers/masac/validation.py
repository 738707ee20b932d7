"""How good an actor is on worlds it is never trained on: the yardstick of training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from uara.mec.worlds import Slot, device_costs
from uara.p1.allocation import optimal_bandwidth
from uara.p1.allocation import shares_of as compute_parts
from uara.p1.coefficients import Coefficients

from ..search.local_search import improve
from ..search.settling import make_state
from ..search.state import make_task
from .association import SECOND_THOUGHTS, associate_batch, coefficients_of
from .features import CORRECTIONS
from .learner import Learner, shares_of
from .network import at_pairs


@dataclass(frozen=True)
class Yardstick:
    """A slot of several worlds, with what exact sharing reaches there.

    Attributes
    ----------
    association : (B, M)
        Alg. 1 under optimal shares.
    cost_ms : (B,)
        Its controllable objective.
    """

    slot: Slot
    association: torch.Tensor
    cost_ms: torch.Tensor


def strongest(slot: Slot) -> torch.Tensor:
    """(B, M) Phase 1 of Alg. 1: the server with the shortest uplink at full band."""
    return slot.uplink_ms.argmin(2)


def optimal_cost(numbers: Coefficients, association: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
    """Controllable objective of exact Y and Z for an association."""
    return float(make_state(make_task(numbers), numbers, association).cost_ms.sum())


def exact_log_weights(slot: Slot, association: torch.Tensor) -> torch.Tensor:
    """(B, M, 2) Logs of the optimal Y and Z for an association."""
    rows = []
    for numbers, chosen in zip(coefficients_of(slot), association.cpu().numpy(), strict=True):
        pair = numbers.pairs_of(chosen)
        band = optimal_bandwidth(numbers, chosen, pair)
        compute = compute_parts(chosen, numbers.root_work[pair], numbers.servers)
        rows.append(torch.stack([torch.as_tensor(band).log(), torch.as_tensor(compute).log()], -1))
    return torch.stack(rows).to(slot.local_ms)


def make_yardstick(slot: Slot) -> Yardstick:
    """Solve a batch of slots by Alg. 1 with vacancies under optimal shares."""
    chosen, cost = [], []
    for numbers, start in zip(coefficients_of(slot), strongest(slot).cpu().numpy(), strict=True):
        task = make_task(numbers)
        state = make_state(task, numbers, start)
        improve(task, state)
        chosen.append(state.chosen)
        cost.append(state.cost_ms.sum())
    return Yardstick(slot, torch.as_tensor(np.stack(chosen)), torch.as_tensor(np.array(cost)))


def gaps(learner: Learner, yardstick: Yardstick) -> tuple[float, float]:
    """Mean relative excess over the yardstick: of the whole scheme, and of the allocation for the same X."""
    slot, corrects = yardstick.slot, learner.settings.prior in CORRECTIONS
    with torch.no_grad():
        first = strongest(slot)
        mean = learner.reconsidered(slot, first) if corrects else learner.all_pairs(slot).mean
        whole = associate_batch(slot, mean, first)

        def cost_of(association: torch.Tensor) -> torch.Tensor:
            chosen = learner.mean_at(slot, association) if corrects else at_pairs(mean, association)
            band, compute = shares_of(slot, association, chosen)
            return device_costs(slot, association, band, compute).sum(1).double().cpu()

        cost = cost_of(whole)
        for _ in range(SECOND_THOUGHTS if corrects else 0):
            again = associate_batch(slot, learner.reconsidered(slot, whole), whole)
            found = cost_of(again)
            whole = torch.where((found < cost).to(whole.device)[:, None], again, whole)
            cost = torch.minimum(found, cost)
        costs = cost, cost_of(yardstick.association.to(whole.device))
    return tuple(float((cost / yardstick.cost_ms - 1).mean()) for cost in costs)  # type: ignore[return-value]


def same_association_gap(learner: Learner, slot: Slot, association: torch.Tensor) -> float:
    """Excess of the mean shares over exact ones for this association (B, M).

    A device whose server no longer reaches it is taken to its strongest.
    """
    usable = torch.isfinite(slot.uplink_ms.gather(2, association[:, :, None]))[:, :, 0]
    association = torch.where(usable, association, strongest(slot))
    exact = [
        optimal_cost(numbers, row)
        for numbers, row in zip(coefficients_of(slot), association.cpu().numpy(), strict=True)
    ]
    return gaps(learner, Yardstick(slot, association, torch.tensor(exact, dtype=torch.float64)))[1]
