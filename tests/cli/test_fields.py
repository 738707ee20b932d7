from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
import typer
from pydantic import Field
from typer.testing import CliRunner

from uara.base.errors import InputError
from uara.base.files import Record
from uara.cli.fields import options_from, taken
from uara.hetedge.generate import HetEdgeRecipe
from uara.scenarios.channel.mobility import Walk
from uara.scenarios.recipe import FLAGS, Recipe


class Cake(Record):
    """A record of a test."""

    layers: Annotated[int, Field(ge=1)] = 3
    """How many layers."""
    icing: Literal["sugar", "cream"] = "cream"
    """What is on top."""
    weight_kg: float | None = None
    """How heavy."""
    secret: str = "vanilla"


@pytest.fixture
def bake() -> Any:
    """Call the command; returns what it was given, or the words of its help or its error."""
    app, given = typer.Typer(), {}

    @app.command()
    @options_from(Cake, flags={"weight_kg": "weight"}, without={"secret"})
    def command(output: Annotated[str, typer.Option("-o")], sweet: bool = True, **fields: Any) -> None:
        given.update(output=output, sweet=sweet, **fields)

    def call(*words: str) -> Any:
        given.clear()
        result = CliRunner().invoke(app, list(words), env={"COLUMNS": "200", "TERM": "dumb"})
        return dict(given) if given else result.output

    return call


def test_fields_are_options_with_their_defaults(bake: Any) -> None:
    assert bake("-o", "a") == {"output": "a", "sweet": True, "layers": 3, "icing": "cream", "weight_kg": None}


def test_values_are_read_as_the_fields_types(bake: Any) -> None:
    found = bake("-o", "a", "--layers", "5", "--icing", "sugar", "--weight", "1.5", "--no-sweet")
    assert found == {"output": "a", "sweet": False, "layers": 5, "icing": "sugar", "weight_kg": 1.5}
    assert "--layers" in bake("-o", "a", "--layers", "many")


def test_help_is_the_fields(bake: Any) -> None:
    shown = bake("--help")
    for words in ("How many layers", "sugar, cream. What is on top", "How heavy"):
        assert words in shown
    assert "secret" not in shown


@pytest.mark.parametrize(
    ("command", "records"), [("generate", [Recipe, Walk]), ("hetedge generate", [HetEdgeRecipe])]
)
def test_every_field_of_a_recipe_is_an_option(command: str, records: list[type[Record]]) -> None:
    from uara.cli.app import build

    group: Any = typer.main.get_command(build(command.split()[0]))
    for word in command.split():
        group = group.commands[word]
    options = {each.name: each for each in group.params}
    for record in records:
        for name, field in record.model_fields.items():
            assert options[name].opts == [f"--{FLAGS.get(name, name.replace('_', '-'))}"]
            assert options[name].help
            if name != "slots":
                assert options[name].default == field.default


def test_a_command_without_an_output_takes_fields_too_and_they_make_a_record() -> None:
    app, given = typer.Typer(), []

    @app.command()
    @options_from(Cake, without={"secret"})
    def command(sweet: bool = True, **fields: Any) -> None:
        given.append(taken(fields, Cake))

    assert CliRunner().invoke(app, ["--layers", "2", "--icing", "sugar"]).exit_code == 0
    assert given == [Cake(layers=2, icing="sugar")]
    with pytest.raises(InputError, match="layers"):
        taken({"layers": 0}, Cake)
