"""Checkpoints: tensors as safetensors, the rest as JSON. Nothing is pickled."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from uara.base import files
from uara.base.errors import InputError
from uara.base.files import Record
from uara.base.side_file import replaced, shortened_hash

from .learner import Learner, present_names

VERSION = 2
NAME = "checkpoint.json"


class Progress(Record):
    """Where a run stands."""

    version: int = VERSION
    settings: dict[str, Any]
    step: int
    best_gap: float | None
    best_step: int
    elapsed_s: float
    mean_return: float | None
    """Moving average of the rewards."""
    tensors_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def save(folder: Path, learner: Learner, progress: dict[str, Any]) -> None:
    """Write the tensors, then ``checkpoint.json`` which names them by their hash; each whole.

    The tensors' file is named after its content: until the JSON file is replaced, the old pair stays whole.
    """
    from safetensors.torch import save as to_bytes

    content = to_bytes(_tensors(learner))
    record = Progress(**progress, tensors_sha256=files.sha256(content))
    side = _side(folder, record)
    with replaced(lambda: _named(folder), side):
        files.write_bytes(side, content)
        files.write_json(folder / NAME, record.model_dump())


def _named(folder: Path) -> Path | None:
    """The tensors' file of the checkpoint that a folder holds."""
    try:
        return _side(folder, files.read_json(folder / NAME, Progress))
    except InputError:
        return None


def _side(folder: Path, progress: Progress) -> Path:
    return folder / f"checkpoint.{shortened_hash(progress.tensors_sha256)}.safetensors"


def _tensors(learner: Learner) -> dict[str, Tensor]:
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
    device = learner.log_temperature.device
    if device.type == "cuda":
        tensors["random/cuda"] = torch.cuda.get_rng_state(device)
    return tensors


def read(folder: Path, settings: dict[str, Any]) -> Progress:
    """Where the run of a folder stands.

    Raises
    ------
    InputError
        If there is no checkpoint, or its settings are other ones.
    """
    path = folder / NAME
    if not path.exists():
        raise InputError("holds no checkpoint: start without resuming", source=str(folder))
    progress = files.read_json(path, Progress)
    if progress.version != VERSION:
        raise InputError(f"is of version {progress.version}, not {VERSION}", source=str(path))
    stored = dict(progress.settings)
    if isinstance(stored.get("learner"), dict):
        stored["learner"] = present_names(stored["learner"])
    for key, value in settings.items():
        if key != "steps" and stored.get(key) != value:
            raise InputError(
                "differs from the configuration: resume with the run's own",
                source=str(path),
                path=f"$.settings.{key}",
            )
    return progress


def load(folder: Path, learner: Learner, settings: dict[str, Any]) -> Progress:
    """Put a learner, and the streams of random numbers, back where its run stood.

    Raises
    ------
    InputError
        As :func:`read`, or if the checkpoint's files do not belong together or are another learner's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load as from_bytes

    progress = read(folder, settings)
    side = _side(folder, progress)
    content = files.read_bytes(side)
    if files.sha256(content) != progress.tensors_sha256:
        raise InputError(f"is not the file that {NAME} names", source=str(side))
    try:
        tensors = from_bytes(content)
        _restore(learner, tensors)
    except (SafetensorError, RuntimeError, KeyError, ValueError, TypeError) as error:
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
    device = learner.log_temperature.device
    if device.type == "cuda" and "cuda" in parts["random"]:
        torch.cuda.set_rng_state(parts["random"]["cuda"], device)
