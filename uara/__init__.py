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
    "Allocation": "uara.model",
    "Answer": "uara.solver",
    "BrokenExtra": "uara.errors",
    "Certificate": "uara.certificate",
    "Channel": "uara.instance",
    "Context": "uara.solver",
    "Devices": "uara.instance",
    "Evaluation": "uara.model",
    "InputError": "uara.errors",
    "Instance": "uara.instance",
    "MissingExtra": "uara.errors",
    "Parameters": "uara.schema",
    "Provenance": "uara.schema",
    "Recipe": "uara.recipe",
    "Result": "uara.solver",
    "Servers": "uara.instance",
    "SolverError": "uara.errors",
    "UaraError": "uara.errors",
    "UaraWarning": "uara.errors",
    "allocate": "uara.allocation",
    "as_solver": "uara.registry",
    "available_solvers": "uara.registry",
    "evaluate": "uara.model",
    "generate": "uara.recipe",
    "load": "uara.problem",
    "lower_bound": "uara.certificate",
    "solve": "uara.solver",
}

__all__ = sorted(["__version__", *_PUBLIC])

if TYPE_CHECKING:
    from uara.allocation import allocate as allocate
    from uara.certificate import Certificate as Certificate
    from uara.certificate import lower_bound as lower_bound
    from uara.errors import BrokenExtra as BrokenExtra
    from uara.errors import InputError as InputError
    from uara.errors import MissingExtra as MissingExtra
    from uara.errors import SolverError as SolverError
    from uara.errors import UaraError as UaraError
    from uara.errors import UaraWarning as UaraWarning
    from uara.instance import Channel as Channel
    from uara.instance import Devices as Devices
    from uara.instance import Instance as Instance
    from uara.instance import Servers as Servers
    from uara.model import Allocation as Allocation
    from uara.model import Evaluation as Evaluation
    from uara.model import evaluate as evaluate
    from uara.problem import load as load
    from uara.recipe import Recipe as Recipe
    from uara.recipe import generate as generate
    from uara.registry import as_solver as as_solver
    from uara.registry import available_solvers as available_solvers
    from uara.schema import Parameters as Parameters
    from uara.schema import Provenance as Provenance
    from uara.solver import Answer as Answer
    from uara.solver import Context as Context
    from uara.solver import Result as Result
    from uara.solver import solve as solve


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'uara' has no attribute {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
