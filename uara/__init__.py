"""uara: pose, solve, prove and compare user association and resource allocation (problem P1).

The public names are loaded when they are first used, so that ``import uara`` stays fast.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import extend_path
from typing import TYPE_CHECKING, Any

# ``solvers/`` is installed as ``uara.solvers``. When Python is started in the project's own folder,
# the ``uara/`` found there comes first and has no ``solvers/``: look at the installed copy too.
__path__ = extend_path(__path__, __name__)
__version__ = "0.1.0"

_PUBLIC = {
    "Allocation": "uara.p1.decision",
    "Answer": "uara.solver",
    "BrokenExtra": "uara.base.errors",
    "Certificate": "uara.p1.certificate",
    "Channel": "uara.p1.instance",
    "Context": "uara.solver",
    "Devices": "uara.p1.instance",
    "Evaluation": "uara.p1.model",
    "InputError": "uara.base.errors",
    "Instance": "uara.p1.instance",
    "MissingExtra": "uara.base.errors",
    "Options": "uara.registry",
    "Parameters": "uara.p1.schema",
    "Provenance": "uara.p1.schema",
    "Recipe": "uara.scenarios.recipe",
    "Result": "uara.solver",
    "Servers": "uara.p1.instance",
    "SolverError": "uara.base.errors",
    "Tracker": "uara.tracker",
    "UaraError": "uara.base.errors",
    "UaraWarning": "uara.base.errors",
    "allocate": "uara.p1.allocation",
    "as_solver": "uara.registry",
    "available_solvers": "uara.registry",
    "evaluate": "uara.problem",
    "generate": "uara.scenarios.recipe",
    "load": "uara.problem",
    "lower_bound": "uara.problem",
    "plot": "uara.problem",
    "solve": "uara.solver",
    "what_if": "uara.scenarios.what_if",
}

__all__ = sorted(["__version__", *_PUBLIC])

if TYPE_CHECKING:
    from uara.base.errors import BrokenExtra as BrokenExtra
    from uara.base.errors import InputError as InputError
    from uara.base.errors import MissingExtra as MissingExtra
    from uara.base.errors import SolverError as SolverError
    from uara.base.errors import UaraError as UaraError
    from uara.base.errors import UaraWarning as UaraWarning
    from uara.base.provenance import Provenance as Provenance
    from uara.p1.allocation import allocate as allocate
    from uara.p1.certificate import Certificate as Certificate
    from uara.p1.decision import Allocation as Allocation
    from uara.p1.instance import Channel as Channel
    from uara.p1.instance import Devices as Devices
    from uara.p1.instance import Instance as Instance
    from uara.p1.instance import Servers as Servers
    from uara.p1.model import Evaluation as Evaluation
    from uara.p1.schema import Parameters as Parameters
    from uara.problem import evaluate as evaluate
    from uara.problem import load as load
    from uara.problem import lower_bound as lower_bound
    from uara.problem import plot as plot
    from uara.registry import Options as Options
    from uara.registry import as_solver as as_solver
    from uara.registry import available_solvers as available_solvers
    from uara.scenarios.recipe import Recipe as Recipe
    from uara.scenarios.recipe import generate as generate
    from uara.scenarios.what_if import what_if as what_if
    from uara.solver import Answer as Answer
    from uara.solver import Context as Context
    from uara.solver import Result as Result
    from uara.solver import solve as solve
    from uara.tracker import Tracker as Tracker


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'uara' has no attribute {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
