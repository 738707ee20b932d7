"""Hook of the site's build: pages from outside ``docs/``, and links that hold there as they do in the repository.

The documents are written to be read in the repository. README, ARCHITECTURE and others become pages; a link to such a
file leads to its page, one to a picture takes the picture along, and one to a source file stays as its name.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from uara.pages import play_page

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "instances/README.md": "instances.md",
}
"""Documents of the repository, and the pages that they become."""
PICTURES = (".png", ".svg", ".jpg")
LINK = re.compile(r"(!?)\[((?:[^\[\]]|!?\[[^\]]*\](?:\([^)]*\))?)*)\]\(([^()\s]+)\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that stand outside ``docs/``, and the pictures that documents show."""
    for source, page in OUTSIDE.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    for source in OUTSIDE:
        for mark, _, target in LINK.findall((ROOT / source).read_text(encoding="utf-8")):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
            if mark and path.endswith(PICTURES) and not path.startswith("docs/"):
                files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    files.append(File.generated(config, "play.html", content=play_page.page()))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Have a page's links lead to where their targets are on the site."""
    here = page.file.src_uri
    source = next((each for each, made in OUTSIDE.items() if made == here), f"docs/{here}")
    known = {file.src_uri for file in files}
    return relinked(markdown, source, here, known)


def relinked(markdown: str, source: str, here: str, known: set[str]) -> str:
    """A document with the links that hold on the site.

    Parameters
    ----------
    source, here
        Where it stands in the repository, and on the site.
    known
        What is on the site.
    """

    def link(found: re.Match[str]) -> str:
        mark, text, target = found.groups()
        text = LINK.sub(link, text)
        path, _, anchor = target.partition("#")
        if "://" in target or not path or target.startswith("mailto:"):
            return f"{mark}[{text}]({target})"
        aim = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        place = OUTSIDE.get(aim) or OUTSIDE.get(posixpath.join(aim, "README.md"), aim.removeprefix("docs/"))
        if place not in known and posixpath.join(place, "README.md") in known:
            place = posixpath.join(place, "README.md")
        if place not in known:
            return text
        there = posixpath.relpath(place, posixpath.dirname(here) or ".")
        return f"{mark}[{text}]({there}{'#' + anchor if anchor else ''})"

    return "".join(
        part if part.startswith("```") else LINK.sub(link, part)
        for part in re.split(r"(^```.*?^```$)", markdown, flags=re.DOTALL | re.MULTILINE)
    )
