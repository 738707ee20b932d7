"""``uara train`` for MASAC: its entry point, and the folder and the device that a run needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from uara.base import locks
from uara.base.errors import InputError
from uara.base.extras import needs
from uara.base.files import check_output, output_folder
from uara.mec.pool import obtain_pool
from uara.trainer import NOBODY, Listener, Row

from . import checkpoint
from .log import FILE as LOG_FILE
from .log import Log
from .loop import POLICY_FILE, Training
from .settings import TrainingSettings


def train(
    config: Path,
    folder: Path,
    *,
    resume: bool = False,
    seed: int | None = None,
    device: str | None = None,
    command: str = "",
    listener: Listener = NOBODY,
) -> Path:
    """Train a policy as a configuration file says; the entry point of ``uara train``.

    Parameters
    ----------
    config
        TOML file of :class:`.settings.TrainingSettings`.
    folder
        Receives ``policy.onnx`` (the best by validation), checkpoints, ``log.csv`` and TensorBoard events.
    resume
        Take up the folder's checkpoint; the replay buffers fill anew before updates go on.
    seed
        Overrides the configuration's.
    device
        ``cpu`` or ``cuda``; the CPU where left out, unless there is a CUDA device.
    command
        What was typed, for the policy's header.
    listener
        Hears of the run.

    Returns
    -------
    Path
        The policy file.

    Raises
    ------
    InputError
        Unusable configuration, device, folder, checkpoint or pool; all but the pool's content is looked at
        before a pool is simulated.
    MissingExtra
        A library that is needed sooner or later is not installed.
    """
    settings = TrainingSettings.load(config)
    if seed is not None:
        settings = settings.model_copy(update={"seed": seed})
    device = usable_device(device)
    for library in ("onnx", "safetensors"):
        needs(library, extra="learn")
    with _claimed(folder, settings, resume=resume) as resumed_at:
        pool = obtain_pool(config.parent / settings.pool_file, settings.pool, listener.note)
        training = Training(settings, folder, command, listener)
        training.prepare(pool, resume=resume, device=device)
        left = settings.steps - training.step
        if 0 < left <= settings.warmup_steps:
            listener.note(f"no update: the {left} steps left only fill the replay buffers")
        with Log(folder, resumed_at=resumed_at) as log:

            def report(row: Row) -> None:
                log.write(row)
                listener.report(row)

            training.listener = replace(listener, report=report)
            training.run()
        listener.note(f"best validation gap {training.best_gap:.4f} at step {training.best_step}")
    return folder / POLICY_FILE


def usable_device(name: str | None) -> str:
    """The device that is trained on; on a CPU, PyTorch is told to use one thread.

    Raises
    ------
    InputError
        If there is no such device here.
    """
    name = name or ("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdigit()):
        raise InputError(f"{name!r} is neither cpu nor cuda", source="--device")
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "cuda" and int(number or 0) >= found:
        raise InputError(f"PyTorch finds no device {name!r} here: use cpu", source="--device")
    if kind == "cpu":
        torch.set_num_threads(1)  # on a busy machine two threads are many times slower than one
    return name


@contextmanager
def _claimed(folder: Path, settings: TrainingSettings, *, resume: bool) -> Iterator[int | None]:
    """Keep a folder for this run; yields the step that is resumed at, None for a fresh run."""
    _look(folder, settings, resume=resume)
    output_folder(folder)
    try:
        check_output(folder / POLICY_FILE, suffixes=(".onnx",))
    except InputError as error:
        raise error.in_source(str(folder)) from None
    with locks.exclusive(folder / ".train.lock", "another uara train writes here: choose another folder"):
        yield _look(folder, settings, resume=resume)


def _look(folder: Path, settings: TrainingSettings, *, resume: bool) -> int | None:
    if resume:
        return checkpoint.read(folder, settings.model_dump(mode="json")).step
    if (folder / checkpoint.NAME).exists():
        raise InputError("holds a run already: resume it, or choose another folder", source=str(folder))
    for name in (POLICY_FILE, LOG_FILE):
        if (folder / name).exists():
            raise InputError(
                "would be replaced: remove it, or choose another folder", source=str(folder / name)
            )
    return None
