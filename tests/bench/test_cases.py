from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from uara.base.errors import InputError
from uara.bench.cases import cut, find_cases, refuse_namesake, with_parameters
from uara.bench.suite import Suite

from ..cases import make_instance

SUITE = 'name = "s"\n[[solvers]]\nsolver = "tma"\n'


def suite(folder: Path, *entries: str) -> Suite:
    path = folder / "s.toml"
    path.write_text(SUITE + "".join(f"[[instances]]\n{entry}\n" for entry in entries))
    return Suite.load(path)


def test_the_same_data_are_one_instance_in_all_their_groups(tmp_path: Path) -> None:
    make_instance(4, 2, name="a").save(tmp_path / "a.json")
    loaded = suite(tmp_path, 'files = "a.json"\ngroups = ["x"]', 'files = "*.json"\ngroups = ["y", "x"]')
    (case,) = find_cases(loaded, tmp_path)
    assert (case.name, case.groups) == ("a", ["x", "y"])
    assert case.features["devices"] == 4


def test_files_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for count in (10, 9):
        make_instance(count, 2, name=f"m{count}").save(tmp_path / f"m{count}.json")
    cases = find_cases(suite(tmp_path, 'files = "m*.json"'), tmp_path)
    assert [case.name for case in cases] == ["m9", "m10"]


def test_a_glob_that_matches_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file matches") as caught:
        find_cases(suite(tmp_path, 'files = "none*.json"'), tmp_path)
    assert caught.value.path == "$.instances[0].files"


def test_two_instances_of_one_name_are_refused() -> None:
    known: dict[str, str] = {}
    refuse_namesake(known, make_instance(4, 2, name="a"), source="here")
    refuse_namesake(known, make_instance(4, 2, name="a"), source="here")
    with pytest.raises(InputError, match="two different instances are called a"):
        refuse_namesake(known, make_instance(5, 2, name="a"), source="here")


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
