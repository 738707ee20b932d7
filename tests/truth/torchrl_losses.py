"""Losses and gradients of soft actor-critic as torchrl computes them, recorded with all that they were computed from.

    pip install torchrl==0.14.1 && python tests/truth/torchrl_losses.py      # writes torchrl_losses.json beside it

The tests compare the learner with the record, so that nobody needs torchrl to run them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

RECORD = Path(__file__).with_suffix(".json")
OBSERVED, DIMS, BATCH = 5, 3, 8
GAMMA, TEMPERATURE, TARGET_ENTROPY = 0.9, 0.3, -2.0


class Actor(torch.nn.Module):
    """Mean and deviation of a normal distribution, from an observation."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Linear(OBSERVED, 2 * DIMS)

    def forward(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        loc, raw = self.net(observation).chunk(2, -1)
        return loc, torch.nn.functional.softplus(raw) + 0.1


class Value(torch.nn.Module):
    """Q of an observation and an action, (..., 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Sequential(
            torch.nn.Linear(OBSERVED + DIMS, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)
        )

    def forward(self, observation: Tensor, action: Tensor) -> Tensor:
        value: Tensor = self.net(torch.cat([observation, action], -1))
        return value


def normal(loc: Tensor, scale: Tensor) -> torch.distributions.Distribution:
    """A distribution of actions whose dimensions are independent."""
    return torch.distributions.Independent(torch.distributions.Normal(loc, scale), 1)


def record() -> dict[str, Any]:
    """Inputs, weights, losses and gradients as plain data."""
    import tensordict
    import torchrl
    from tensordict import TensorDict
    from tensordict.nn import TensorDictModule
    from torchrl.modules import ProbabilisticActor, ValueOperator
    from torchrl.objectives import SACLoss

    torch.manual_seed(0)
    actor = ProbabilisticActor(
        TensorDictModule(Actor(), in_keys=["observation"], out_keys=["loc", "scale"]),
        in_keys=["loc", "scale"],
        distribution_class=normal,
        return_log_prob=True,
        default_interaction_type="random",
    )
    loss = SACLoss(
        actor,
        ValueOperator(Value(), in_keys=["observation", "action"]),
        num_qvalue_nets=2,
        loss_function="l2",
        alpha_init=TEMPERATURE,
        fixed_alpha=False,
        target_entropy=TARGET_ENTROPY,
        delay_qvalue=True,
        action_spec=None,
    )
    loss.make_value_estimator(gamma=GAMMA)
    for tensor in loss.target_qvalue_network_params.flatten_keys(".").values():
        tensor.data.add_(0.1 * torch.randn_like(tensor))
    given = {
        "observation": torch.randn(BATCH, OBSERVED),
        "action": torch.randn(BATCH, DIMS),
        "next_observation": torch.randn(BATCH, OBSERVED),
        "reward": torch.randn(BATCH),
    }
    ends = torch.zeros(BATCH, 1, dtype=torch.bool)
    following = {"observation": given["next_observation"], "reward": given["reward"][:, None]}
    data = TensorDict(
        {
            "observation": given["observation"],
            "action": given["action"],
            "next": {**following, "done": ends, "terminated": ends},
        },
        [BATCH],
    )
    weights = {
        "actor": _named(loss.actor_network_params),
        "critics": _named(loss.qvalue_network_params),
        "targets": _named(loss.target_qvalue_network_params),
    }
    torch.manual_seed(7)
    found = loss(data)
    torch.manual_seed(7)  # again by hand: the next slot's action is drawn first, then the actor's
    own = Actor()
    own.load_state_dict(weights["actor"])
    torch.manual_seed(7)
    with torch.no_grad():
        given["next_action"] = normal(*own(given["next_observation"])).sample()
        loc, scale = own(given["observation"])
        given["noise"] = (normal(loc, scale).sample() - loc) / scale
    total = found["loss_actor"] + found["loss_qvalue"] + found["loss_alpha"]
    total.backward()
    return {
        "made_by": "python tests/truth/torchrl_losses.py",
        "versions": {each.__name__: each.__version__ for each in (torch, torchrl, tensordict)},
        "inputs": {name: tensor.tolist() for name, tensor in given.items()},
        "weights": {part: _plain(tensors) for part, tensors in weights.items()},
        "losses": {name: float(found[f"loss_{name}"].detach()) for name in ("actor", "qvalue", "alpha")},
        "gradients": {
            "actor": _plain(_named(loss.actor_network_params, gradient=True)),
            "critics": _plain(_named(loss.qvalue_network_params, gradient=True)),
            "log_alpha": float(loss.log_alpha.grad),
        },
    }


def _named(parameters: Any, *, gradient: bool = False) -> dict[str, Tensor]:
    """Tensors by the names that the modules above give them."""
    flat = parameters.flatten_keys(".").items()
    return {
        key.replace("module.", "").removeprefix("0."): (each.grad if gradient else each.data).clone()
        for key, each in flat
    }


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    return {name: tensor.tolist() for name, tensor in tensors.items()}


if __name__ == "__main__":
    RECORD.write_text(json.dumps(record()) + "\n", encoding="utf-8")
