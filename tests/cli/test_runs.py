from __future__ import annotations

import pytest

from uara import InputError, SolverError
from uara.cli.runs import SolverSpec, attach_options, parse_solver

TMA = "uara.solvers.search.matching:tma"


@pytest.mark.parametrize(
    ("word", "name", "values"),
    [
        ("tma", "tma", {}),
        ("tma:", "tma", {}),
        ("tma:moves=pairs", "tma", {"moves": "pairs"}),
        ("tma:moves=pairs,capacity=3", "tma", {"moves": "pairs", "capacity": "3"}),
        ("tma: moves = pairs ,", "tma", {"moves": "pairs"}),
        (f"{TMA}", TMA, {}),
        (f"{TMA}:", TMA, {}),
        (f"{TMA}:moves=pairs,capacity=3", TMA, {"moves": "pairs", "capacity": "3"}),
        ("max-sinr:allocation=a=b", "max-sinr", {"allocation": "a=b"}),
    ],
)
def test_words_name_a_solver_and_its_options(word: str, name: str, values: dict[str, str]) -> None:
    spec = parse_solver(word)
    assert (spec.name, spec.values) == (name, values)


@pytest.mark.parametrize("word", ["", ":", "nobody", "tma=3", "tma:moves", "tma:=pairs", "TMA"])
def test_words_that_name_nothing_are_refused(word: str) -> None:
    with pytest.raises(InputError):
        parse_solver(word)


@pytest.mark.parametrize("word", ["json:nobody", "no_such_module:f", "json:dumps.nobody:a=1"])
def test_words_that_name_no_function_are_refused(word: str) -> None:
    with pytest.raises(SolverError, match="cannot be imported"):
        parse_solver(word)


def test_text_becomes_typed_options() -> None:
    options = SolverSpec("tma", {"capacity": "3", "moves": "pairs"}).options
    assert options.model_dump() == {"allocation": "optimal", "moves": "pairs", "capacity": 3}


@pytest.mark.parametrize(
    "values", [{"capacity": "x"}, {"capacity": "0"}, {"moves": "all"}, {"colour": "red"}]
)
def test_text_that_is_no_option_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(InputError, match="options of tma: allocation, moves, capacity"):
        _ = SolverSpec("tma", values).options


def test_options_reach_the_solvers_that_know_them() -> None:
    specs = [SolverSpec("tma"), SolverSpec("random"), SolverSpec("tma", {"capacity": "9"})]
    attach_options(specs, ["capacity=5", "allocation=sqrt"])
    assert [spec.values for spec in specs] == [
        {"capacity": "5", "allocation": "sqrt"},
        {"allocation": "sqrt"},
        {"capacity": "9", "allocation": "sqrt"},
    ]


def test_options_that_nobody_knows_are_refused() -> None:
    with pytest.raises(InputError, match=r"none of the solvers \(random, tma\) has an option 'colour'"):
        attach_options([SolverSpec("random"), SolverSpec("tma")], ["colour=red"])
    with pytest.raises(InputError, match="not of the form key=value"):
        attach_options([SolverSpec("random")], ["allocation"])


def test_options_are_checked_before_anything_runs() -> None:
    with pytest.raises(InputError, match="solver tma: allocation"):
        attach_options([SolverSpec("random"), SolverSpec("tma", {"allocation": "best"})], [])
