from __future__ import annotations

from types import SimpleNamespace

import pytest

from uara.base.errors import InputError
from uara.bench.cases import cut, with_parameters

from ..cases import make_instance


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


def test_instances_are_cut_to_the_sizes_that_their_kind_knows() -> None:
    drop = make_instance(12, 4)
    part = cut(drop, {"servers": 2, "devices": 5}, "$.subsets")
    assert part.name == "synthetic[e2,m5]"
    assert (len(part.servers), len(part.devices)) == (2, 5)
    assert cut(drop, {}, "$.subsets") is drop


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ({"servers": 2}, r"^\$\.subsets: not the sizes of an instance of kind p1.*devices"),
        ({"servers": 2, "devices": 5, "walls": 1}, r"^\$\.subsets: not the sizes.*walls"),
        ({"servers": 2.5, "devices": 5}, r"^\$\.subsets\.servers: must be a positive whole number"),
        ({"servers": 2, "devices": 0}, r"^\$\.subsets\.devices: must be a positive whole number"),
        ({"servers": 9, "devices": 5}, "synthetic: has 4 servers, not 9"),
    ],
)
def test_sizes_that_mean_nothing_are_refused(size: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        cut(make_instance(12, 4), size, "$.subsets")


def test_kinds_that_cannot_be_cut_say_so() -> None:
    with pytest.raises(InputError, match="'other' is not one of"):
        cut(SimpleNamespace(kind="other", name="n"), {"servers": 1}, "$.subsets")
