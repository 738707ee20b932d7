"""What is installed, what is missing, and the remedy: the checks behind ``uara doctor``."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from packaging.requirements import Requirement

from uara.channel import isolation, llvm
from uara.errors import ChannelError, UaraError

State = Literal["ok", "missing", "broken"]


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes
    ----------
    name
        What was looked for.
    state
        ``ok``; ``missing``, when an optional part is not installed; ``broken``, when it is but cannot work.
    detail
        Version, path, or what is wrong.
    needed_for
        What does not work without it.
    remedy
        What to do; empty when all is well.
    """

    name: str
    state: State
    detail: str
    needed_for: str
    remedy: str = ""


EXTRAS = {
    "plot": "plots",
    "sionna": "generating",
    "psd": "task profiles",
    "scip": "SCIP",
}
"""What the extras are for, in the order in which they are reported; any further ones of the package follow."""
_NOT_FOR_USERS = {"test"}
_TRACING = "ray tracing"


def examine() -> list[Check]:
    """Run every check; takes some seconds, because the ray tracer's compiler is really tried."""
    checks = [_python(), *_distributions(None, "uara")]
    for extra in _extras():
        checks += _distributions(extra, EXTRAS.get(extra, extra))
    if _installed("sionna-rt"):
        below = [_guarded("libatomic", _libatomic), _guarded("libLLVM", _libllvm)]
        checks += below
        if all(check.state == "ok" for check in below):
            checks.append(_guarded("a traced path", _traced_path))
    return _merged(checks)


def _merged(checks: list[Check]) -> list[Check]:
    """One finding a part, however many extras need it."""
    merged: dict[str, Check] = {}
    for check in checks:
        known = merged.get(check.name)
        if known is None or known.state == "ok" != check.state:
            merged[check.name] = check
        elif known.state == check.state:
            merged[check.name] = replace(known, needed_for=f"{known.needed_for}, {check.needed_for}")
    return list(merged.values())


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", "ok", version, "uara")


def _extras() -> list[str]:
    declared = importlib.metadata.metadata("uara").get_all("Provides-Extra") or []
    known = [extra for extra in EXTRAS if extra in declared]
    return known + [extra for extra in declared if extra not in EXTRAS and extra not in _NOT_FOR_USERS]


def _installed(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def requirements(extra: str | None) -> list[Requirement]:
    """What uara (``None``) or one of its extras declares for this machine, without what it takes over."""
    chosen = {"extra": extra or ""}
    found = []
    for line in importlib.metadata.requires("uara") or []:
        requirement = Requirement(line)
        marker = requirement.marker
        if requirement.name == "uara" or (extra and (marker is None or marker.evaluate({"extra": ""}))):
            continue
        if marker is None or marker.evaluate(chosen):
            found.append(requirement)
    return found


def _distributions(extra: str | None, needed_for: str) -> list[Check]:
    remedy = "pip install --upgrade " + ("uara" if extra is None else f"'uara[{extra}]'")
    checks = []
    for requirement in requirements(extra):
        version = _installed(requirement.name)
        if version is None:
            state: State = "missing" if extra else "broken"
            checks.append(Check(requirement.name, state, "not installed", needed_for, remedy))
        elif not requirement.specifier.contains(version, prereleases=True):
            detail = f"{version}, but {requirement.specifier} is needed"
            checks.append(Check(requirement.name, "broken", detail, needed_for, remedy))
        else:
            checks.append(Check(requirement.name, "ok", version, needed_for))
    return checks


def _guarded(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, "ok", check(), _TRACING)
    except UaraError as error:
        text = str(error)
        remedy = llvm.LIBATOMIC_REMEDY if text.endswith(llvm.LIBATOMIC_REMEDY) else llvm.REMEDY
        return Check(name, "broken", text.removesuffix(remedy).rstrip(": "), _TRACING, remedy)


def _libatomic() -> str:
    problem = llvm.missing_libatomic()
    if problem:
        raise ChannelError(problem)
    return "libatomic.so.1"


def _libllvm() -> str:
    library = llvm.find_libllvm()
    if library is None:
        return "left to Dr.Jit on this system"
    return f"LLVM {library.major or 'of unknown version'}, {library.origin}: {library.path}"


def _traced_path() -> str:
    environment = llvm.tracing_environment()
    data, _ = isolation.call("uara.channel.raytrace_worker:self_test", {}, environment=environment)
    return f"{data['gain_db']:.1f} dB, compiled with LLVM {data['llvm']}"
