from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uara import available_solvers

Command = Callable[..., Any]


def test_every_solver_is_listed_with_its_options(uara: Command) -> None:
    out = uara("solvers").out
    for method in available_solvers().values():
        assert method.name in out
        for option in method.traits.options.model_fields:
            assert option in out


def test_json_says_what_a_solver_takes(uara: Command) -> None:
    data = {row["solver"]: row for row in uara("solvers", "--json").data}
    assert data.keys() == available_solvers().keys()
    tma = data["tma"]
    assert (tma["problem"], tma["available"], tma["reason"], tma["package"]) == ("p1", True, None, "uara")
    assert tma["warm_start"]
    assert not data["random"]["warm_start"]
    options = {item["name"]: item for item in tma["options"]}
    assert options["moves"]["type"] == "pairs|pairs+vacancies"
    assert options["moves"]["default"] == "pairs+vacancies"
    assert options["capacity"] == {
        "name": "capacity",
        "type": "int|none",
        "default": None,
        "description": "Most devices that a server accepts; none by default.",
    }
    for row in data.values():
        assert row["summary"], row["solver"]
        assert all(option["description"] for option in row["options"]), row["solver"]


def test_one_solver_alone(uara: Command) -> None:
    assert [row["solver"] for row in uara("solvers", "tma", "--json").data] == ["tma"]
    assert "max-sinr" not in uara("solvers", "tma").out
    assert "Takes a start" in uara("solvers", "tma").out
    assert "Takes a start" not in uara("solvers", "random").out
    outcome = uara("solvers", "nobody")
    assert outcome.code == 2
    assert "there is no solver 'nobody'" in outcome.err


def test_what_a_solver_says_it_takes_it_takes(uara: Command, instance_file: Any) -> None:
    for row in uara("solvers", "--json").data:
        if (
            row["problem"] != "p1"
            or not row["available"]
            or row["solver"] not in ("random", "tma", "max-sinr")
        ):
            continue
        words = [
            f"{item['name']}={item['default']}" for item in row["options"] if item["default"] is not None
        ]
        outcome = uara("solve", instance_file, "--solver", f"{row['solver']}:{','.join(words)}", "--json")
        assert outcome.code == 0, outcome.err
