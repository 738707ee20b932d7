"""Run a function in a process of its own, so that its death is an error of ours.

The compiler below the ray tracer can abort, and Sionna keeps global state (seeds, devices, threads).
A job is ``module:function``; it takes plain data and named arrays and returns the same.
"""

from __future__ import annotations

import io
import math
import pickle
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from uara.base.errors import ChannelError
from uara.base.extras import needs
from uara.base.files import Record
from uara.base.randomness import check_seed
from uara.scenarios.channel import llvm

if TYPE_CHECKING:
    from uara.isolation.line import Line

Arrays = dict[str, NDArray[Any]]
Reply = tuple[dict[str, Any], Arrays]
Job = Callable[[dict[str, Any], Arrays], Reply]

_DOCTOR = "`uara doctor` names what is missing"
_PIECE_BYTES = 2**20
_LOG_BYTES = 10**6


class Piece(Record):
    """Some of the reply's arrays, as the next bytes of an ``.npz`` in base64."""

    content: str


class Finished(Record):
    """What a job returned beside arrays."""

    data: dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A job with its arguments, as work for a process of its own."""

    job: str
    data: dict[str, Any]
    arrays: Arrays

    def run(self, line: Line) -> dict[str, Any]:
        """Do the job, and send the arrays of its reply in pieces."""
        line.content()  # there is none: what follows is the answer
        module, _, function = self.job.partition(":")
        data, arrays = getattr(import_module(module), function)(self.data, self.arrays)
        stored = io.BytesIO()
        np.savez(stored, **arrays)
        for start in range(0, stored.tell(), _PIECE_BYTES):
            piece = stored.getbuffer()[start : start + _PIECE_BYTES]
            line.send("point", content=b64encode(piece).decode())
        return {"data": data}


def call(
    job: str,
    data: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
) -> Reply:
    """Run ``module:function`` in a single-threaded process of its own and return its reply.

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
    needs("psutil", extra="sionna")
    from uara.isolation.supervise import Allowance, Assignment, supervise
    from uara.isolation.template import Home

    stored = io.BytesIO()
    work = pickle.dumps(Call(job, dict(data), dict(arrays or {})))
    asked = Assignment(Home(__name__, environment), work, Finished, point=Piece)
    limits = Allowance(math.inf, math.inf, setup_limit_s=math.inf, log_bytes=_LOG_BYTES)
    outcome = supervise(asked, limits, hear=lambda _, piece: stored.write(b64decode(piece.content)))
    if not isinstance(outcome.answer, Finished):
        raise outcome.error or ChannelError(_post_mortem(job, outcome.reason, outcome.log))
    stored.seek(0)
    with np.load(stored, allow_pickle=False) as loaded:
        return outcome.answer.data, {key: loaded[key] for key in loaded.files}


def simulate(
    job: str,
    settings: Record,
    data: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]] | None = None,
    *,
    traced: bool = False,
) -> Reply:
    """Run the job of a channel model.

    Parameters
    ----------
    settings, data, arrays
        The model's settings; a ``seed`` and further numbers; named arrays.
    traced
        Whether the process needs what Sionna RT does.

    Raises
    ------
    InputError
        For a seed below 0.
    UaraError, ChannelError
        As :func:`call`, and where the ray tracer lacks something.
    """
    check_seed(data["seed"])
    environment = llvm.tracing_environment() if traced else None
    return call(job, {"settings": settings.model_dump(), **data}, arrays, environment=environment)


def _post_mortem(job: str, reason: str, log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    # The compiler's own complaint, where there is one, says more than the last line.
    telling = ([line for line in lines if "LLVM ERROR" in line] or lines[-1:])[:1]
    last = "".join(f": {line[:300]}" for line in telling if line not in reason)
    return f"the worker process of {job.partition(':')[0]} failed: {reason}{last} ({_DOCTOR})"
