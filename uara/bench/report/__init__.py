"""The report: one HTML file that needs no network, for a referee to read and a phone to show."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from uara import files
from uara.bench.results import Results
from uara.extras import needs


def render(results: Results) -> str:
    """The report as HTML text."""
    needs("jinja2", extra="bench")
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    import uara
    from uara.bench.report.sections import build
    from uara.bench.report.svg import colour, dash

    environment = Environment(
        loader=PackageLoader("uara.bench.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = Markup  # pictures are made here, with every word in them escaped
    environment.filters |= {"colour": colour, "dash": dash}
    folder = resources.files("uara.bench.report")
    parts: dict[str, Any] = {
        "style": Markup((folder / "report.css").read_text()),
        "script": Markup((folder / "report.js").read_text()),
        "version": uara.__version__,
    }
    return environment.get_template("report.html.j2").render(**parts, **build(results))


def write_report(results: Results, path: str | Path) -> None:
    """Write the report of some results to one HTML file, whole or not at all."""
    files.write_bytes(Path(path), render(results).encode())
