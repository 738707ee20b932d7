"""Anybody's policy as a solver: a callable, a Stable-Baselines3 model, a TorchRL module or an ONNX file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from uara.base import files
from uara.base.errors import InputError, check_one_of, in_file, one_line
from uara.base.extras import needs
from uara.p1.allocation import shares_of, usable_pairs
from uara.p1.coefficients import coefficients
from uara.p1.decision import Allocation
from uara.p1.dense import dense_of
from uara.p1.instance import Instance
from uara.registry import as_solver
from uara.solver import Context

if TYPE_CHECKING:
    from torch import Tensor

    from uara.mec.associations import Associate
    from uara.mec.views import Scale

View = Literal["world", "pair", "server"]
"""``world``: (M, E, 10) in, (M, E, 2) out. ``pair``: (K, 10) in, (K, 2) out, for the pairs one after the other.
``server``: (E, M 10) in, (E, 2 M) out, for the servers one after the other."""
VIEWS, SCALES = get_args(View), ("raw", "unit")
Values = NDArray[np.float32]
Ask = Callable[[Values], Any]


@dataclass(frozen=True)
class Reading:
    """How a policy is asked, and how its answers are read."""

    view: View
    scale: Scale
    associate: str | Associate = "tma"
    size: tuple[int, int] | None = None
    """M and E that the policy is padded to; None if it takes any."""


def policy_solver(
    policy: Any,
    *,
    view: View | None = None,
    scale: Scale | None = None,
    associate: str | Associate = "tma",
    size: tuple[int, int] | None = None,
    name: str = "",
) -> Callable[[Instance, Context[Any]], Allocation]:
    """A solver for ``solve``, ``bench`` and ``simulate`` from a policy that was trained on the slotted world.

    Parameters
    ----------
    policy
        A callable from what is seen to an action, both as NumPy arrays; a model of Stable-Baselines3
        (anything with ``predict`` and an ``action_space``); a TorchRL module (anything with ``in_keys`` and
        ``out_keys``), whose deterministic action is taken; or the path of an ONNX file with one input.
    view, scale
        As it was trained, see :data:`View` and :mod:`uara.mec.views`. Where left out they are read from a
        model's action space; a callable and an ONNX file are taken for ``world``, a TorchRL module for
        ``server``, and all three for ``unit``.
    associate
        Rule that chooses X under the policy's weights.
    size
        M and E that the policy was padded to; a model of whole worlds says it by itself.
    name
        What tables call it.

    Raises
    ------
    InputError
        If the policy is none of these; by the solver: for an instance that is larger than its size, and for an
        answer of another shape or with a NaN.
    """
    needs("torch", extra="learn")
    ask, found = _asking(policy)
    reading = Reading(
        view or found.view, scale or found.scale, associate, size if size is not None else found.size
    )
    for source, value, known in (("view", reading.view, VIEWS), ("scale", reading.scale, SCALES)):
        check_one_of(value, known, source)
    if reading.size is not None and not _is_size(reading.size):
        raise InputError(f"must be two whole numbers from 1, M and E, not {reading.size!r}", source="size")

    def solver(instance: Instance, context: Context[Any]) -> Allocation:
        """A policy from outside weighs Y and Z, a rule associates."""
        return decide(instance, ask, reading)

    solver.__name__ = solver.__qualname__ = name or "own-policy"
    return as_solver(warm_start=False)(solver)


def _is_size(value: object) -> bool:
    return (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(isinstance(each, int | np.integer) and each >= 1 for each in value)
    )


def decide(instance: Instance, ask: Ask, reading: Reading) -> Allocation:
    """The allocation of an instance under a policy's answer."""
    import torch

    from uara.mec.associations import checked, rule
    from uara.mec.views import log_weights, observation, padded
    from uara.mec.worlds import Slot, served, shares

    numbers = coefficients(instance)
    dense = dense_of(numbers, instance.devices.battery_fraction)
    slot = Slot(**{key: torch.tensor(value) for key, value in dense._asdict().items()})
    devices, servers = slot.uplink_ms.shape[1:]
    size = reading.size or (devices, servers)
    if devices > size[0] or servers > size[1]:
        raise InputError(
            f"has {devices} devices and {servers} servers; the policy takes {size[0]} and {size[1]}",
            source=instance.name,
        )
    seen = padded(observation(slot, reading.scale), size)
    action = _answer(ask, seen, reading.view)[:, :devices, :servers]
    weight = log_weights(action.double(), reading.scale)
    start = slot.uplink_ms.argmin(2)
    association = checked(slot, rule(reading.associate)(slot, weight, start))
    picked = torch.stack([served(part, association) for part in weight.unbind(3)], -1).exp()
    band, _ = shares(picked[..., 0], picked[..., 1], association, servers)
    chosen, _ = usable_pairs(instance, association[0].numpy())
    return Allocation(chosen, band[0].numpy(), shares_of(chosen, picked[0, :, 1].numpy(), servers))


def _answer(ask: Ask, seen: Tensor, view: View) -> Tensor:
    """(1, M, E, 2) What a policy answers to what is seen (1, M, E, 10)."""
    import torch

    _, devices, servers, columns = seen.shape
    wanted: tuple[int, ...]
    if view == "pair":
        given, wanted = seen.reshape(-1, columns), (devices * servers, 2)
    elif view == "server":
        given, wanted = seen[0].transpose(0, 1).reshape(servers, -1), (servers, 2 * devices)
    else:
        given, wanted = seen[0], (devices, servers, 2)
    found = _real(ask(given.numpy()))
    if found.shape != wanted:
        raise InputError(f"has shape {found.shape}, not {wanted}", source="policy's answer")
    answer = torch.as_tensor(found.copy())
    if view == "server":
        return answer.reshape(1, servers, 2, devices).permute(0, 3, 1, 2)
    return answer.reshape(1, devices, servers, 2)


def _real(answer: Any) -> NDArray[np.float64]:
    """An answer as real numbers."""
    try:
        found = np.asarray(answer)
    except (TypeError, ValueError, RuntimeError) as error:  # ragged; of a gradient; on a GPU
        raise InputError(f"is no array: {one_line(error)}", source="policy's answer") from None
    if found.dtype.kind not in "fiub":
        raise InputError(f"holds {found.dtype}, not real numbers", source="policy's answer")
    return found.astype(np.float64)


def _asking(policy: Any) -> tuple[Ask, Reading]:
    """How a policy is asked, and what is known of it."""
    if isinstance(policy, str | Path):
        return _onnx(Path(policy)), Reading("world", "unit")
    if hasattr(policy, "predict") and hasattr(policy, "action_space"):
        shape, low = _box(policy.action_space)
        scale: Scale = "unit" if low == -1.0 else "raw"

        def predicted(seen: Values) -> Any:
            return policy.predict(seen, deterministic=True)[0]

        if shape == (2,):
            return predicted, Reading("pair", scale)
        if len(shape) == 3 and shape[2] == 2:
            return predicted, Reading("world", scale, size=(shape[0], shape[1]))
        raise InputError(f"acts in shape {shape}, neither (2,) nor (M, E, 2)", source="policy")
    if hasattr(policy, "in_keys") and hasattr(policy, "out_keys"):
        return _torchrl(policy), Reading("server", "unit")
    if callable(policy):
        return policy, Reading("world", "unit")
    raise InputError(f"is a {type(policy).__name__}, not a policy", source="policy")


def _box(space: Any) -> tuple[tuple[int, ...], float]:
    """Shape and least entry of a box of actions."""
    shape, low = getattr(space, "shape", None), getattr(space, "low", None)
    if not shape or low is None:
        raise InputError(
            f"acts in {type(space).__name__}, not in a box of shape (2,) or (M, E, 2)", source="policy"
        )
    return tuple(shape), float(np.min(low))


def _torchrl(module: Any) -> Ask:
    tensordict = needs("tensordict", extra="rl")
    modes = needs("torchrl.envs.utils", extra="rl")
    import torch

    def asked(seen: Values) -> Any:
        given = tensordict.TensorDict({}, batch_size=[1])
        inner = tensordict.TensorDict({"observation": torch.as_tensor(seen)[None]}, batch_size=[1, len(seen)])
        given["servers"] = inner
        given["state"] = torch.as_tensor(seen).reshape(1, -1)
        with torch.no_grad(), modes.set_exploration_type(modes.ExplorationType.DETERMINISTIC):
            return module(given)["servers", "action"][0].numpy()

    return asked


def _onnx(path: Path) -> Ask:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    with in_file(path):
        content = files.read_bytes(path)
        try:
            session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime has a class of its own for each of a dozen reasons
            raise InputError(f"not a whole ONNX model: {error}") from None
        inputs = [each.name for each in session.get_inputs()]
        if len(inputs) != 1:
            hint = "; uara's own policies run as tma-masac" if "features" in inputs else ""
            raise InputError(f"has inputs {', '.join(inputs)}, not one{hint}", path="$.graph")

    def asked(seen: Values) -> Any:
        return session.run(None, {inputs[0]: seen})[0]

    return asked
