from __future__ import annotations

import io
import math
from enum import Enum
from typing import Any, Literal

import numpy as np
import pytest
from cases import make_instance, random_association
from pydantic import Field
from rich.console import Console

from uara import Allocation, Answer, allocate, as_solver, available_solvers, evaluate, solve
from uara.answers.display import (
    answer_table,
    label,
    options_of,
    output_console,
    progress_line,
    ranked,
    ranking_table,
    score_table,
    solvers_table,
    type_name,
)
from uara.base.files import Record, pretty_json
from uara.base.inks import show
from uara.registry import Method, method_of
from uara.solver import Progress, Result

INSTANCE = make_instance(8, 3, seed=1)


def text_of(table: Any, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width)
    show(table, console)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def run(seed: int = 0, rule: Any = "optimal", bound: float | None = None, name: str = "some") -> Result:
    def some(instance: Any, context: Any) -> Answer:
        return Answer(allocate(INSTANCE, random_association(INSTANCE, seed), rule), bound_ms=bound)

    some.__name__ = name
    return solve(INSTANCE, some)


def infeasible() -> Result:
    return solve(INSTANCE, lambda i, c: Allocation(random_association(INSTANCE), np.ones(8), np.ones(8)))


def test_feasible_answers_come_first_then_the_cheapest() -> None:
    results = [infeasible(), run(1, "uniform"), run(1), infeasible(), run(2)]
    order = ranked(results)
    assert [result.evaluation.feasible for result in order] == [True] * 3 + [False] * 2
    costs = [result.evaluation.objective_ms for result in order[:3]]
    assert costs == sorted(costs)


def test_the_table_ranks_and_shows_what_is_known() -> None:
    result = run()
    lines = text_of(ranking_table([infeasible(), result])).splitlines()
    rows = [line for line in lines if "feasible" in line]
    assert "infeasible" not in rows[0]
    assert "infeasible" in rows[1]
    assert f"{result.evaluation.controllable_ms:,.1f}" in rows[0]
    assert "bound" not in "".join(lines)


def test_bounds_and_gaps_appear_where_there_are_any() -> None:
    objective, part = run().evaluation.objective_ms, run().evaluation.controllable_ms
    text = text_of(ranking_table([run(bound=objective - 0.01 * part), run(3)]))
    assert "bound" in text
    assert "1.0000" in text
    assert " - " in text


def test_how_a_run_ended_is_said_unless_it_is_complete() -> None:
    def interrupted(instance: Any, context: Any) -> Allocation:
        raise KeyboardInterrupt

    start = allocate(INSTANCE, random_association(INSTANCE))
    assert "interrupted" in text_of(ranking_table([solve(INSTANCE, interrupted, start=start)]))
    assert "completed" not in text_of(ranking_table([run()]))


@pytest.mark.parametrize("name", ["[red]x", "[/bold]", "[", "]", "[[", "a\\", ":smile:", "[link=x]y"])
def test_names_are_shown_as_they_are(name: str) -> None:
    instance = INSTANCE.replace(name=name)

    def solver(given: Any, context: Any) -> Allocation:
        return allocate(instance, random_association(instance))

    solver.__name__ = name
    text = text_of(ranking_table([solve(instance, solver)]))
    assert text.count(name) == 2
    assert name in text_of(solvers_table([method_of(solver)]))


def test_only_options_that_were_changed_are_in_the_label() -> None:
    assert label(solve(INSTANCE, "tma")) == "tma"
    changed = solve(INSTANCE, "tma", options={"moves": "pairs", "allocation": "optimal"})
    assert label(changed) == "tma moves=pairs"


def test_a_score_shows_every_term_and_every_violation() -> None:
    allocation = Allocation(random_association(INSTANCE), np.ones(8), np.full(8, 1e-3))
    score = evaluate(INSTANCE, allocation)
    text = text_of(score_table(score))
    for name in [*score.terms_ms, "mean", "p95", "energy", "controllable"]:
        assert name.replace("_", " ") in text
    assert text.count("violated: ") == len(score.violations) > 0
    assert "feasible" in text
    assert "no" in text


def test_a_score_of_nothing_usable_is_shown_too() -> None:
    score = evaluate(INSTANCE, Allocation(np.full(8, 9), np.zeros(8), np.zeros(8)))
    assert text_of(score_table(score)).count("violated: ") == 24


def test_the_list_of_solvers_gives_options_types_and_reasons() -> None:
    methods = [*available_solvers().values(), Method("lost", None, reason="needs [gpu]")]
    text = text_of(solvers_table(methods), 300)
    for method in methods:
        assert method.name in text
        for option in options_of(method):
            assert option["name"] in text
    assert "not available: needs [gpu]" in text
    assert "pairs|pairs+vacancies" in text


class Kind(Enum):
    FAST = "fast"


class Options(Record):
    count: int = 3
    """How many."""
    share: float | None = None
    rule: Literal["a", "b"] = "b"
    names: list[str] = Field(default_factory=lambda: ["x"])
    kind: Kind = Kind.FAST
    needed: int


def test_options_as_plain_data() -> None:
    method = method_of(as_solver(options=Options)(lambda instance, context: None), "x")
    assert options_of(method)[0] == {"name": "count", "type": "int", "default": 3, "description": "How many."}
    assert [item["type"] for item in options_of(method)][:3] == ["int", "float|none", "a|b"]
    assert [item["default"] for item in options_of(method)] == [3, None, "b", ["x"], "fast", None]
    pretty_json(options_of(method))


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (int, "int"),
        (float | None, "float|none"),
        (Literal["a", "b"], "a|b"),
        (Literal["a"] | None, "a|none"),
        (type(None), "none"),
    ],
)
def test_types_are_written_as_their_values_are(annotation: Any, name: str) -> None:
    assert type_name(annotation) == name


def test_every_option_of_every_solver_has_a_readable_type() -> None:
    for method in available_solvers().values():
        for option in options_of(method):
            assert option["type"], f"{method.name}: {option['name']}"
            assert "typing" not in option["type"]
            assert "<" not in option["type"], f"{method.name}: {option}"


def test_progress_is_silent_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    with progress_line(Console(file=stream), "tma") as follow:
        assert follow is None
    assert stream.getvalue() == ""


def test_progress_is_a_line_on_a_terminal() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=200)
    with progress_line(console, "[tma]") as follow:
        assert follow is not None
        follow(Progress(0.5, np.inf, np.inf, -np.inf, np.inf))
        follow(Progress(1.5, 9e6, 1234.5, 1.0, 0.25, "[round]", {"cuts": 3}))
        console.print("")
    assert "[tma]" in stream.getvalue()


def test_tables_are_wide_where_there_is_no_terminal() -> None:
    assert output_console().width == 140


def test_a_table_of_an_answer_has_its_units_in_the_head_and_no_markup() -> None:
    columns = {
        "device": ["[red]a", "b"],
        "rate_bit_per_s": [2.5e6, 12345678.0],
        "mean_latency_ms": [1.0, math.inf],
        "work_flop": [0.0, 3e12],
    }
    text = text_of(answer_table("devices", columns))
    for words in ("[red]a", "Mbit/s", "2.5", "12.35", "latency", "ms", "inf", "TFLOP", "3"):
        assert words in text
    assert "bit_per_s" not in text
