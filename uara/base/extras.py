"""The optional parts: what each needs, and one place that imports of them."""

from __future__ import annotations

import importlib.metadata
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from uara.base.errors import BrokenExtra, MissingExtra, UaraError, reason_of

if TYPE_CHECKING:
    from packaging.requirements import Requirement


def needs(module: str, *, extra: str) -> Any:
    """Import a module that an optional part brings.

    Raises
    ------
    MissingExtra
        If its package is not there.
    BrokenExtra
        If it is there and cannot be imported.
    """
    try:
        import_module(module.partition(".")[0])
        return import_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a library built for another one raises what it likes
        raise _verdict(module, extra, error) from error


def is_absent(module: str) -> bool:
    """Whether the package of a module is not installed at all."""
    try:
        return find_spec(module.partition(".")[0]) is None
    except ImportError:
        return True
    except ValueError:  # loaded without a spec
        return False


def explained(error: ImportError, likely: str | None = None) -> UaraError | None:
    """What an import that failed means for a user; None where the module is no extra's.

    Parameters
    ----------
    likely
        The extra to name, where several bring the package.
    """
    package = (error.name or "").partition(".")[0]
    bringing = [
        extra for extra in extras() if package in {_module(each.name) for each in requirements(extra)}
    ]
    if not bringing:
        return None
    return _verdict(package, likely if likely in bringing else bringing[0], error)


def _verdict(module: str, extra: str, error: BaseException) -> UaraError:
    package = module.partition(".")[0]
    not_found = isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == package
    if not_found or is_absent(package):
        return MissingExtra(package, extra)
    return BrokenExtra(package, extra, reason_of(error))


def _module(distribution: str) -> str:
    return distribution.lower().replace("-", "_")


def extras() -> list[str]:
    """The names of the optional parts, as the installed package declares them."""
    return importlib.metadata.metadata("uara").get_all("Provides-Extra") or []


def requirements(extra: str | None) -> list[Requirement]:
    """What uara (``None``) or one of its extras declares for this machine, without what it takes over."""
    from packaging.requirements import Requirement

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
