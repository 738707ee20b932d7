"""The trial solvers that misbehave are those of the harness's tests."""

from ..bench.conftest import _trial_solvers as _trial_solvers
