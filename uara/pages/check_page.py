"""The page that checks proofs: one HTML file without network, with the checker of ``uara/data/checker`` inside."""

from __future__ import annotations

import base64
import json
from html import escape
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np

from uara.base import files
from uara.base.errors import InputError, printable
from uara.problem import Problem

CORE = (
    *("json", "sha256", "dyadic", "transcendental", "shapes", "side_file"),
    *("instance", "quantities", "objective"),
    *("least_set", "least_set_rows", "prices", "device_prices", "evaluation", "check"),
)
"""The checker's files in the order in which they are put together."""


class Stored(NamedTuple):
    """A file inside a page."""

    identifier: str
    """Of the element that holds it."""
    name: str
    content: bytes

    def element(self) -> str:
        """The element, whose text is the content in base64: byte for byte, whatever it holds."""
        text = base64.b64encode(self.content).decode()
        name = escape(printable(self.name))
        return f'<script type="text/plain" id="{self.identifier}" data-name="{name}">{text}</script>'


def part(name: str) -> str:
    """The text of a file of the checker."""
    return (resources.files("uara") / "data" / "checker" / name).read_text(encoding="utf-8")


def checker() -> str:
    """The checker as one script: ``uaraChecker.check(instance bytes, solution bytes, tell)`` returns its verdict."""
    code = "\n".join(part(f"{name}.js") for name in CORE)
    names = "check, checkWith, unpack, digest, sha256, Items, leastCost, MAX_BYTES"
    return f'const uaraChecker = (() => {{\n"use strict";\n{code}\nreturn {{ {names} }};\n}})();'


def scripts() -> str:
    """The two script elements of a page with the form."""
    return f'<script id="uara-checker">{checker()}</script>\n<script>{part("page.js")}</script>'


def page(title: str = "Check a proof", instance: Stored | None = None, solution: Stored | None = None) -> str:
    """The page as HTML text; with an instance and a solution inside, it checks them when it is opened."""
    import uara

    stored = [each.element() for each in (instance, solution) if each]
    filled = {
        "TITLE": escape(printable(title)),
        "STYLE": part("page.css") + part("checker.css"),
        "FORM": part("form.html"),
        "VERSION": escape(uara.__version__),
        "DATA": "\n".join(stored),
        "SCRIPTS": scripts(),
    }
    pieces = part("check.html").split("@")
    return "".join(filled.get(piece, piece) for piece in pieces)


def check(path: Path, inputs: list[Path]) -> None:
    """Refuse a page that cannot be written, before any work; :class:`InputError` says why."""
    files.check_output(path, suffixes=(".html", ".htm"), inputs=inputs)


def write(
    path: Path, problem: Problem | None = None, instance: Path | None = None, solution: Path | None = None
) -> None:
    """Write the page: empty, or with an answer inside.

    Parameters
    ----------
    problem
        The instance as it was read.
    instance, solution
        The files that the page is to hold.

    Raises
    ------
    InputError
        If the instance is of another kind than P1, or the page cannot be written.
    """
    if problem is None or instance is None or solution is None:
        files.write_bytes(path, page().encode())
        return
    if problem.kind != "p1":
        raise InputError(f"the page proves kind 'p1' alone, not {problem.kind!r}", source=str(instance))
    title = f"Is this answer to {problem.name} proven?"
    held = Stored("given-instance", instance.name, whole_file(problem, instance))
    answer = Stored("given-solution", solution.name, files.read_bytes(solution))
    files.write_bytes(path, page(title, held, answer).encode())


def whole_file(problem: Problem, path: Path) -> bytes:
    """The instance file as it stands; with the arrays of its side file in their places, if it has one."""
    content = files.read_bytes(path)
    if "side_file" not in files.parse_json(content):
        return content
    plain = problem.to_plain()  # type: ignore[attr-defined]
    return json.dumps(plain, default=lambda value: np.asarray(value).tolist()).encode()
