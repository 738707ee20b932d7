from __future__ import annotations

from types import SimpleNamespace

import pytest

from uara.bench.kinds import Kind, kind_of, with_parameters
from uara.errors import InputError

from ..cases import make_instance


def test_an_unknown_kind_has_no_hooks() -> None:
    assert kind_of("something else") == Kind()
    assert kind_of("something else").features(object()) == {}


def test_changed_constants_are_named_and_checked() -> None:
    instance = make_instance(4, 2)
    varied = with_parameters(instance, {"energy_weight_ms_per_j": 80.0})
    assert varied.name == "synthetic@energy_weight_ms_per_j=80"
    assert varied.parameters.energy_weight_ms_per_j == 80.0
    assert instance.parameters.energy_weight_ms_per_j != 80.0
    assert with_parameters(instance, {}) is instance
    with pytest.raises(InputError, match=r"parameters\.w"):
        with_parameters(instance, {"w": 1.0})
    with pytest.raises(InputError, match="no constants to change"):
        with_parameters(SimpleNamespace(kind="other", name="n"), {"w": 1.0})
