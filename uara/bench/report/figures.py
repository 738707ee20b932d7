"""Every picture of the report as a file of its own, for a paper."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from uara.base import files
from uara.base.errors import InputError, UaraWarning
from uara.bench.report import check_libraries
from uara.bench.report.drawing import Picture
from uara.bench.report.pages import pages
from uara.bench.report.section import Facts
from uara.bench.report.sections import DRAWN, sections
from uara.bench.results import Results

FORMATS = ("pdf", "svg", "pgf", "png")
TEX = "xelatex"
"""What Matplotlib measures the words of a PGF figure with."""


def pictures(results: Results) -> Iterator[Picture]:
    """The pictures of the report, in its order."""
    facts = Facts.of(results)
    for section in sections(facts, DRAWN):
        yield from section.pictures
    for page in pages(facts):
        yield page["chart"]
        yield from page["pictures"].values()


def write_figures(results: Results, folder: Path, form: str = "pdf", only: str = "*") -> Iterator[Path]:
    """Write the pictures whose names match a glob into a folder, as ``NAME.FORM``; yields each file written.

    Raises
    ------
    InputError
        For a form that is none of :data:`FORMATS` or cannot be written here, a file that must not be written, or a
        glob that matches nothing.
    """
    check_libraries()
    if form not in FORMATS:
        raise InputError(f"{form!r} is not one of {', '.join(FORMATS)}", source="--format")
    if form == "pgf" and shutil.which(TEX) is None:
        raise InputError(f"PGF needs LaTeX: install {TEX}, or write pdf", source="--format")
    files.output_folder(folder)
    from matplotlib.backends.backend_pgf import LatexError

    written = 0
    for picture in pictures(results):
        if not fnmatchcase(picture.name, only):
            continue
        if f".{form}" not in picture.suffixes:
            warnings.warn(f"{picture.name}: not drawn as {form}", UaraWarning, stacklevel=2)
        else:
            path = folder / f"{picture.name}.{form}"
            files.check_output(path, suffixes=(f".{form}",), inputs=[Path(results.source)])
            try:
                picture.save(path)
            except (LatexError, ValueError) as error:
                if form != "pgf":
                    raise
                raise InputError(f"{TEX} cannot set its words: {error}", source=str(path)) from None
            written += 1
            yield path
    if not written:
        raise InputError(f"{only!r} matches no figure", source="--only")
