"""What is installed, what is missing, and the remedy: the checks behind ``uara doctor``."""

from __future__ import annotations

import importlib.metadata
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from uara.base import extras
from uara.base.errors import ChannelError, UaraError, reason_of
from uara.p1.smallest import wide_instance
from uara.registry import available_solvers, blaming
from uara.scenarios.channel import isolation, llvm
from uara.solver import solve

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
    "convex": "the solver convex",
    "models": "uara export, minlp, hetedge-milp",
}
"""What the extras are for, in the order in which they are reported; any further ones of the package follow."""
_NOT_FOR_USERS = {"test", "docs"}
_TRACING = "ray tracing"


def examine() -> list[Check]:
    """Run every check; takes some seconds, because the ray tracer's compiler is really tried."""
    checks = [_python(), *_distributions(None, "uara"), _temporary_folder(), _compiled_code()]
    for extra in _extras():
        checks += _distributions(extra, EXTRAS.get(extra, extra))
    if _installed("sionna-rt"):
        below = [_guarded("libatomic", _libatomic), _guarded("libLLVM", _libllvm)]
        checks += below
        if all(check.state == "ok" for check in below):
            checks.append(_guarded("a traced path", _traced_path))
    return _merged(checks)


def warm_up(about_to: Callable[[str], None] = lambda name: None) -> list[str]:
    """Prepare every installed solver that can be used here, so that its kernels are compiled and kept.

    Parameters
    ----------
    about_to
        Called with each solver's name.

    Returns
    -------
    list of str
        The solvers that were prepared; one that cannot be is left out.
    """
    done = []
    for name, method in available_solvers().items():
        if method.reason is None and method.traits.prepare:
            about_to(name)
            with suppress(UaraError), blaming(name, "cannot be prepared"):
                method.traits.prepare()
                if (
                    method.traits.tracker
                ):  # it re-solves networks of any size, and large ones by other kernels
                    solve(wide_instance(), name)
                done.append(name)
    return done


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


def _temporary_folder() -> Check:
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        remedy = "let TMPDIR name a folder that can be written, with room in it"
        return Check("temporary folder", "broken", error.strerror or str(error), "bench, generating", remedy)
    return Check("temporary folder", "ok", tempfile.gettempdir(), "bench, generating")


def _compiled_code() -> Check:
    """Whether a kernel compiles, is kept, and comes back."""
    name, needed_for = "compiled code", "solving"
    try:
        from uara.base import kernels

        folder, reasons = kernels.try_out()
    except Exception as error:  # the compiler, or what it stands on, is broken
        remedy = "pip install --force-reinstall numba llvmlite"
        return Check(name, "broken", reason_of(error), needed_for, remedy)
    if folder is None:
        detail = f"cannot be kept, so that each run takes half a minute longer ({'; '.join(reasons)})"
        return Check(name, "missing", detail, needed_for, kernels.REMEDY)
    before = f" (not in {'; '.join(reasons)})" if reasons else ""
    return Check(name, "ok", f"kept in {folder}{before}", needed_for)


def _extras() -> list[str]:
    declared = extras.extras()
    known = [extra for extra in EXTRAS if extra in declared]
    return known + [extra for extra in declared if extra not in EXTRAS and extra not in _NOT_FOR_USERS]


def _installed(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _distributions(extra: str | None, needed_for: str) -> list[Check]:
    remedy = "pip install --upgrade " + ("uara" if extra is None else f"'uara[{extra}]'")
    checks = []
    for requirement in extras.requirements(extra):
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
    data, _ = isolation.call("uara.scenarios.channel.raytrace_worker:self_test", {}, environment=environment)
    return f"{data['gain_db']:.1f} dB, compiled with LLVM {data['llvm']}"
