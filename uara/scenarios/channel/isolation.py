"""Run a function in a process of its own, so that its death is an error of ours.

The compiler below the ray tracer can abort, and Sionna keeps global state (seeds, devices, threads).
A job is ``module:function``; it takes plain data and named arrays and returns the same.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uara.base.errors import BrokenExtra, ChannelError, InputError, MissingExtra, UaraError

Arrays = dict[str, NDArray[Any]]
Reply = tuple[dict[str, Any], Arrays]
Job = Callable[[dict[str, Any], Arrays], Reply]

_DOCTOR = "`uara doctor` names what is missing"


def call(
    job: str,
    data: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
) -> Reply:
    """Run ``module:function`` in a fresh single-threaded interpreter and return its reply.

    Parameters
    ----------
    job
        Import path of a :data:`Job`.
    data, arrays
        Its arguments: JSON-able data, and named arrays.
    environment
        Environment of the process; the caller's own by default.

    Raises
    ------
    UaraError
        Whichever the job raised.
    ChannelError
        If the process died or failed otherwise; carries the end of its error output.
    """
    surroundings = dict(os.environ if environment is None else environment)
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        surroundings[variable] = "1"
    surroundings["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    try:
        temporary = tempfile.TemporaryDirectory(prefix="uara-")
    except OSError as error:
        raise ChannelError(f"no folder for temporary files ({error.strerror}): let TMPDIR name one") from None
    with temporary as name:
        folder = Path(name)
        (folder / "data.json").write_text(json.dumps(dict(data)), encoding="utf-8")
        np.savez(folder / "arrays.npz", **dict(arrays or {}))  # type: ignore[arg-type]
        process = subprocess.run(
            [sys.executable, "-m", "uara.scenarios.channel.isolation", job, name],
            env=surroundings, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace",
        )  # fmt: skip
        return _reply(folder, job, process)


def _reply(folder: Path, job: str, process: subprocess.CompletedProcess[str]) -> Reply:
    failure = folder / "failure.json"
    if failure.exists():
        raise _rebuilt(json.loads(failure.read_text(encoding="utf-8")))
    if process.returncode != 0 or not (folder / "reply.json").exists():
        raise ChannelError(_post_mortem(job, process))
    with np.load(folder / "reply.npz", allow_pickle=False) as stored:
        arrays = {key: stored[key] for key in stored.files}
    return json.loads((folder / "reply.json").read_text(encoding="utf-8")), arrays


def _post_mortem(job: str, process: subprocess.CompletedProcess[str]) -> str:
    code = process.returncode
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    lines = [line for line in process.stderr.splitlines() if line.strip()]
    # The compiler's own complaint, where there is one, says more than the traceback's last line.
    telling = [line for line in lines if "LLVM ERROR" in line] or lines[-1:]
    last = f": {telling[0].strip()[:300]}" if telling else ""
    return f"the worker process of {job.partition(':')[0]} {how}{last} ({_DOCTOR})"


def _rebuilt(failure: dict[str, Any]) -> UaraError:
    kind, arguments = failure["kind"], failure["arguments"]
    if kind == "InputError":
        problem, source, path = arguments
        return InputError(problem, source=source, path=path)
    kinds: dict[str, type[UaraError]] = {"MissingExtra": MissingExtra, "BrokenExtra": BrokenExtra}
    return kinds.get(kind, ChannelError)(*arguments)


def _described(error: UaraError) -> dict[str, Any]:
    if isinstance(error, InputError):
        return {"kind": "InputError", "arguments": [error.problem, error.source, error.path]}
    if isinstance(error, MissingExtra):
        return {"kind": "MissingExtra", "arguments": [error.package, error.extra]}
    if isinstance(error, BrokenExtra):
        return {"kind": "BrokenExtra", "arguments": [error.package, error.extra, error.reason]}
    return {"kind": "ChannelError", "arguments": [str(error)]}


def main(job: str, name: str) -> None:
    """Worker side of :func:`call`."""
    folder = Path(name)
    module, _, function = job.partition(":")
    data = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
        arrays = {key: stored[key] for key in stored.files}
    try:
        run: Job = getattr(importlib.import_module(module), function)
        reply, reply_arrays = run(data, arrays)
    except UaraError as error:
        (folder / "failure.json").write_text(json.dumps(_described(error)), encoding="utf-8")
        return
    np.savez(folder / "reply.npz", **reply_arrays)  # type: ignore[arg-type]
    (folder / "reply.json").write_text(json.dumps(reply), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
