"""What a referee must know of the machine and the software that made a result."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from uara.registry import installed

VERSIONS_OF = (
    "uara",
    "numpy",
    "scipy",
    "numba",
    "highspy",
    "pyomo",
    "cvxpy",
    "clarabel",
    "pyscipopt",
    "torch",
    "onnxruntime",
)
"""Distributions whose versions are recorded, where they are installed."""


@cache
def describe() -> dict[str, Any]:
    """This machine and its software, as columns of a result."""
    return {
        "host": platform.node(),
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_mb": _memory_mb(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "commit": commit(),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Versions of the libraries that have a part in the numbers."""
    found = {}
    for name in VERSIONS_OF:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def plugin_version(solver: str | Callable[..., Any]) -> dict[str, str]:
    """Name and version of the distribution that a solver comes from; empty for one from a loose file."""
    if isinstance(solver, str) and ":" not in solver:
        found = installed()[solver].dist if solver in installed() else None
        return {} if found is None else {found.name: found.version}
    module = solver.partition(":")[0] if isinstance(solver, str) else getattr(solver, "__module__", None)
    names = _distributions().get((module or "").partition(".")[0], [])
    return {name: metadata.version(name) for name in names}


@cache
def _distributions() -> dict[str, list[str]]:
    return {module: list(names) for module, names in metadata.packages_distributions().items()}


def commit() -> str:
    """Commit of the toolkit's working tree, marked where files differ from it; empty where no repository holds it."""
    file = Path(__file__).resolve()
    try:
        _git(
            file.parent, "ls-files", "--error-unmatch", "--", str(file)
        )  # not merely a folder within somebody's
        head = _git(file.parent, "rev-parse", "--short=12", "HEAD")
        changed = _git(
            file.parent, "status", "--porcelain", "--untracked-files=no", "--", ":/uara", ":/solvers"
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return head + (" with changes" if changed else "")


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=10,
        check=True,
    ).stdout.strip()


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_mb() -> int:
    import psutil

    return int(psutil.virtual_memory().total / 1e6)
