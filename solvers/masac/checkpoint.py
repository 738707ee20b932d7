"""Checkpoints: tensors as safetensors, the rest as JSON. Nothing is pickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from uara import files
from uara.errors import InputError
from uara.files import Record

from .learner import Learner

VERSION = 1


class Progress(Record):
    """Where a run stands."""

    version: int = VERSION
    settings: dict[str, Any]
    step: int
    best_gap: float | None
    best_step: int
    elapsed_s: float
    tensors_sha256: str


def save(folder: Path, learner: Learner, progress: dict[str, Any]) -> None:
    """Write ``checkpoint.safetensors``, then ``checkpoint.json`` which names it by its hash; each whole."""
    from safetensors.torch import save as to_bytes

    tensors = {
        f"{part}/{name}": tensor.contiguous()
        for part, state in learner.state().items()
        for name, tensor in state.items()
    }
    for part, optimiser in learner.optimisers().items():
        for number, state in optimiser.state_dict()["state"].items():
            for name, value in state.items():
                tensors[f"optimiser/{part}/{number}/{name}"] = torch.as_tensor(value).clone()
    tensors["random/torch"] = torch.get_rng_state()
    content = to_bytes(tensors)
    files.write_bytes(folder / "checkpoint.safetensors", content)
    record = Progress(**progress, tensors_sha256=files.sha256(content))
    files.write_json(folder / "checkpoint.json", record.model_dump())


def load(folder: Path, learner: Learner, settings: dict[str, Any]) -> Progress:
    """Put a learner back where its run stood.

    Raises
    ------
    InputError
        If there is no checkpoint, its files do not belong together, or its settings are other ones.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load as from_bytes

    path = folder / "checkpoint.json"
    progress = files.read_json(path, Progress)
    if progress.version != VERSION:
        raise InputError(f"is of version {progress.version}, not {VERSION}", source=str(path))
    for key, value in settings.items():
        if key != "steps" and progress.settings.get(key) != value:
            raise InputError(
                "differs from the configuration: resume with the run's own",
                source=str(path),
                path=f"$.settings.{key}",
            )
    content = files.read_bytes(folder / "checkpoint.safetensors")
    if files.sha256(content) != progress.tensors_sha256:
        raise InputError(
            "is not the file that checkpoint.json names", source=str(folder / "checkpoint.safetensors")
        )
    try:
        tensors = from_bytes(content)
        _restore(learner, tensors)
    except (SafetensorError, RuntimeError, KeyError) as error:
        raise InputError(f"does not fit the learner: {error}", source=str(folder)) from None
    return progress


def _restore(learner: Learner, tensors: dict[str, Tensor]) -> None:
    parts: dict[str, dict[str, Any]] = {}
    for key, tensor in tensors.items():
        part, _, name = key.partition("/")
        parts.setdefault(part, {})[name] = tensor
    learner.load_state(parts)
    for part, optimiser in learner.optimisers().items():
        plain = optimiser.state_dict()
        state: dict[int, dict[str, Tensor]] = {}
        for key, tensor in parts.get("optimiser", {}).items():
            owner, number, name = key.split("/")
            if owner == part:
                state.setdefault(int(number), {})[name] = tensor
        optimiser.load_state_dict({"state": state, "param_groups": plain["param_groups"]})
    torch.set_rng_state(parts["random"]["torch"])
