"""What the template of runs imports; solvers themselves are imported in the run, on its own account."""

from __future__ import annotations

import inspect

from uara.bench.execution.child import installed
from uara.isolation.template import Home

HOME = Home(__name__)
"""Where runs come from."""

installed()


def later() -> None:
    """What most runs need."""
    import scipy.optimize  # noqa: F401

    from uara.problem import warm_up_all

    warm_up_all()
    inspect.getmodule(later.__code__)  # finds all modules' files, as a solver's options will ask for
