"""The actor as an ONNX model: one file for any number of devices and servers (PyTorch)."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from uara.base import files
from uara.base.extras import needs

from .features import COUNT
from .network import Actor
from .policy import HEADER_KEY, INPUTS, OUTPUT, PolicyHeader

_EXAMPLE = (1, 3, 2)
_AXES = {0: "batch", 1: "devices", 2: "servers"}


class _Mean(nn.Module):
    """The part of the actor that solving needs."""

    def __init__(self, actor: Actor) -> None:
        super().__init__()
        self.actor = actor

    def forward(self, features: Tensor, usable: Tensor, start: Tensor) -> Tensor:
        mean: Tensor = self.actor(features, usable, start)[0]
        return mean


def policy_bytes(actor: Actor, header: PolicyHeader) -> bytes:
    """The content of a policy file.

    Raises
    ------
    MissingExtra
        If ``onnx`` is not installed.

    Notes
    -----
    PyTorch's older exporter, though it is being retired: it writes the same network in 0.2 s where the
    newer one takes 4 to 13 s, at each improvement of a run, and writes no source paths into the file.
    """
    onnx = needs("onnx", extra="learn")
    example = torch.ones(*_EXAMPLE, COUNT), torch.ones(_EXAMPLE), torch.ones(*_EXAMPLE, 2)
    where = next(actor.parameters()).device
    try:
        with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.onnx.export(
                _Mean(actor).cpu().eval(),
                example,
                path := Path(folder) / "policy.onnx",
                input_names=list(INPUTS),
                output_names=[OUTPUT],
                dynamic_axes=dict.fromkeys((*INPUTS, OUTPUT), _AXES),
                dynamo=False,
            )
            model = onnx.load_model(path)
    finally:
        actor.to(where)
    onnx.helper.set_model_props(model, {HEADER_KEY: header.model_dump_json()})
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def export(actor: Actor, header: PolicyHeader, path: Path) -> None:
    """Write a policy file, whole or not at all; raises as :func:`policy_bytes`."""
    files.write_bytes(path, policy_bytes(actor, header))
