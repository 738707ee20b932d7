"""The ``uara`` command: its sub-commands, each in a module that is imported when it is chosen."""

from __future__ import annotations

import builtins
from importlib import import_module
from keyword import iskeyword

import typer

COMMANDS = {
    "solve": "Solve instances with one or several solvers and rank the answers.",
    "what-if": "Solve variants of an instance and show what changes.",
    "evaluate": "Score a stored solution.",
    "import": "Make an instance of your own tables: devices, servers, gains or positions.",
    "export": "Write an instance as tables, or as a MILP or MINLP for others' solvers.",
    "best-known": "Regenerate or check the table of best-known answers.",
    "verify": "Check a stored solution and its proof in exact arithmetic.",
    "generate": "Make an instance from Sionna channels and a task profile.",
    "show": "Describe an instance in words, and draw its map.",
    "play": "Write a page on which phones and servers move, solved and proven in the browser.",
    "bench": "Run a suite of benchmarks, rank the solvers, compare, publish.",
    "check-solver": "Test whether a solver keeps the contract that plug-ins sign.",
    "list": "List the instances, traces and task profiles that come with the toolkit.",
    "solvers": "List the solvers and their options.",
    "schema": "Print the JSON Schema of an artefact.",
    "doctor": "Say what is installed, what is missing, and the remedy.",
    "profile": "Measure a task profile on a real pair of models.",
    "train": "Train the learned allocator as a configuration file says.",
    "simulate": "Run solvers as controllers over a trace, slot by slot.",
    "psd": "Parallel speculative decoding: run it, draw its figures.",
    "hetedge": "Batched, pipelined speculative decoding: make instances, draw the figures.",
}
"""Every command with its line in ``uara --help``. Its module in ``uara.cli`` holds a function
``command``, or a Typer group ``app``."""

_HELP = "User association and resource allocation for parallel speculative decoding at the edge."


def build(chosen: str | None) -> typer.Typer:
    """The application, with the module of the chosen command alone imported: ``--help`` stays fast."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        help=_HELP,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_version)
    for name, line in COMMANDS.items():
        if name != chosen:
            app.command(name, short_help=line)(lambda: None)
            continue
        module = import_module(f"uara.cli.{module_name(name)}")
        if hasattr(module, "command"):
            app.command(name, short_help=line)(module.command)
        else:
            app.add_typer(module.app, name=name, short_help=line, no_args_is_help=True)
    return app


def module_name(command: str) -> str:
    """The module of a command: its name as Python can write it, and that hides no function of Python's own."""
    name = command.replace("-", "_")
    return f"{name}_" if iskeyword(name) or hasattr(builtins, name) else name


def _version(
    context: typer.Context, version: bool = typer.Option(False, "--version", help="Print the version.")
) -> None:
    if version:
        import uara

        typer.echo(uara.__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
