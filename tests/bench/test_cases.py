from __future__ import annotations

from pathlib import Path

import pytest

from uara.base.errors import InputError
from uara.bench.cases import find_cases, refuse_namesake
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
