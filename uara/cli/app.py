"""The ``uara`` command: finds the command's module, and turns errors into one line and an exit code."""

from __future__ import annotations

import atexit
import gc
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NoReturn

import typer

from uara.errors import UaraError, UaraWarning, one_line

COMMANDS = {
    "solve": "Solve an instance with one or several solvers and rank the answers.",
    "evaluate": "Score a stored solution.",
    "export": "Write an instance as a MILP or MINLP for others' solvers.",
    "best-known": "Regenerate or check the table of best-known answers.",
    "verify": "Check a stored solution and its proof with nothing but NumPy.",
    "generate": "Make an instance from Sionna channels and a task profile.",
    "show": "Describe an instance in words, and draw its map.",
    "bench": "Run a suite of benchmarks, rank the solvers, compare, publish.",
    "check-solver": "Test whether a solver keeps the contract that plug-ins sign.",
    "solvers": "List the solvers and their options.",
    "schema": "Print the JSON Schema of an artefact.",
    "doctor": "Say what is installed, what is missing, and the remedy.",
    "profile": "Measure a task profile on a real pair of models.",
    "train": "Train the learned allocator as a configuration file says.",
    "simulate": "Run solvers as controllers over a trace, slot by slot.",
    "psd": "Parallel speculative decoding: run it, draw its figures.",
    "hetedge": "Batched, pipelined speculative decoding: make instances, draw the figures.",
}
"""Every command with its line in ``uara --help``. Its module, ``uara.cli.NAME``, holds a function
``command``, or a Typer group ``app``."""

_HELP = "User association and resource allocation for parallel speculative decoding at the edge."


def build(chosen: str | None) -> typer.Typer:
    """The application, with the module of the chosen command alone imported: ``--help`` stays fast."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help=_HELP,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_version)
    for name, line in COMMANDS.items():
        if name != chosen:
            app.command(name, short_help=line)(lambda: None)
            continue
        module = import_module(f"uara.cli.{name.replace('-', '_')}")
        if hasattr(module, "command"):
            app.command(name, short_help=line)(module.command)
        else:
            app.add_typer(module.app, name=name, short_help=line, no_args_is_help=True)
    return app


def _version(
    context: typer.Context, version: bool = typer.Option(False, "--version", help="Print the version.")
) -> None:
    if version:
        import uara

        typer.echo(uara.__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


_EXTRA = {"bench": "bench", "check-solver": "bench", "train": "learn", "psd": "psd", "profile": "psd"}
"""The extra that a command is for, where more than one brings the library that it misses."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a :class:`UaraError` ends it with one line on standard error."""
    warnings.showwarning = _warning_line(warnings.showwarning)
    atexit.register(gc.freeze)  # a last collection over all that was imported would take up to a second
    words = list(sys.argv[1:] if arguments is None else arguments)
    chosen = next((word for word in words if not word.startswith("-")), None)
    try:
        build(chosen)(words, prog_name="uara")
    except UaraError as error:
        _end(error)
    except ImportError as error:
        from uara.extras import explained

        _end(explained(error, _EXTRA.get(chosen or "")) or error)
    except KeyboardInterrupt:
        print("uara: interrupted", file=sys.stderr)
        sys.exit(130)


def _end(error: Exception) -> NoReturn:
    if not isinstance(error, UaraError):
        raise error
    print(f"uara: {one_line(error)}", file=sys.stderr)
    sys.exit(error.exit_code)


def _warning_line(otherwise: Callable[..., None]) -> Callable[..., None]:
    """How warnings are shown: the toolkit's own as one line, like its errors."""

    def show(message: Warning | str, category: type[Warning], *where: Any, **rest: Any) -> None:
        if isinstance(message, UaraWarning):
            print(f"uara: {one_line(message)}", file=sys.stderr)
        else:
            otherwise(message, category, *where, **rest)

    return show
