"""The page to play with: a map whose phones and servers move, with the answer, its bound, and the proof checked."""

from __future__ import annotations

from html import escape
from importlib import resources
from pathlib import Path

from uara.base import files
from uara.pages import check_page

PARTS = ("network", "model", "search", "bound", "answer", "page")
"""The scripts, in the order in which they are put together; the checker of proofs comes before them."""


def _part(name: str) -> str:
    return (resources.files("uara") / "data" / "play" / name).read_text(encoding="utf-8")


def page() -> str:
    """The page as HTML text: one file, no network."""
    import uara

    code = "\n".join(_part(f"{name}.js") for name in PARTS)
    filled = {
        "STYLE": check_page.part("page.css") + _part("play.css"),
        "VERSION": escape(uara.__version__),
        "SCRIPTS": f"<script>{check_page.checker()}</script>\n<script>{code}</script>",
    }
    return "".join(filled.get(piece, piece) for piece in _part("play.html").split("@"))


def write(path: Path) -> None:
    """Write the page; :class:`InputError` if it cannot be written."""
    files.check_output(path, suffixes=(".html", ".htm"))
    files.write_bytes(path, page().encode())
