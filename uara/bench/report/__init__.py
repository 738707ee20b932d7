"""The report: one HTML file that needs no network, for a referee to read and a phone to show."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uara.base import files
from uara.base.errors import UaraError, printable
from uara.base.extras import needs
from uara.bench.result_file import HTML_MARK, refuse_foreign
from uara.bench.results import Results

if TYPE_CHECKING:
    from uara.bench.report.drawing import Picture


def check_libraries() -> None:
    """:class:`uara.MissingExtra` if a report could not be written."""
    needs("jinja2", extra="bench")
    needs("matplotlib.figure", extra="bench")


def render(results: Results) -> str:
    """The report as HTML text."""
    check_libraries()
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    import uara
    from uara.bench.report.overview import overview
    from uara.bench.report.proofs import proofs
    from uara.bench.report.style import colour, dash

    environment = Environment(
        loader=PackageLoader("uara.bench.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: _lines(value) if type(value) is str else value,
    )
    # pictures are made here, with every word in them escaped
    environment.filters["picture"] = lambda picture: Markup(_inline(picture))
    environment.filters["colour"] = colour
    environment.filters["dash"] = lambda place: " ".join(f"{length:g}" for length in dash(place)) or "none"
    folder = resources.files("uara.bench.report")
    parts: dict[str, Any] = {
        "style": Markup((folder / "report.css").read_text(encoding="utf-8")),
        "script": Markup((folder / "report.js").read_text(encoding="utf-8")),
        "version": uara.__version__,
        "proofs": Markup(proofs(results)),
    }
    return environment.get_template("report.html.j2").render(**parts, **overview(results))


def _inline(picture: Picture) -> str:
    """A picture as part of the page; what keeps it from being drawn where it cannot be."""
    from markupsafe import escape

    try:
        return picture.inline()
    except UaraError as error:
        return f"<p>Not drawn: {escape(printable(str(error)))}</p>"


def _lines(text: str) -> str:
    """Text as it may stand in the page, its lines kept."""
    return "\n".join(map(printable, text.split("\n")))


def write_report(results: Results, path: str | Path) -> None:
    """Write the report of some results to one HTML file, whole or not at all.

    Raises
    ------
    InputError
        If the file is no ``.html``, the results themselves, or holds something else than a report.
    """
    files.check_output(
        Path(path), suffixes=(".html", ".htm"), inputs=[Path(results.source)] if results.source else []
    )
    refuse_foreign(Path(path), HTML_MARK)
    files.write_bytes(Path(path), render(results).encode())
