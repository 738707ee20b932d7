"""Errors of the decoding engine."""

from __future__ import annotations

from uara.base.errors import UaraError


class ModelUnavailable(UaraError):
    """A model's weights, or a package's prompts, are not on this machine; says how to get them."""

    exit_code = 6

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        self.problem = problem
        super().__init__(f"{name}: {problem}")

    def __reduce__(self) -> tuple[object, ...]:
        return ModelUnavailable, (self.name, self.problem)
