"""Figures as elements of a page: small, in the page's colours and fonts, with series that a legend can hide."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from uara.base.errors import printable
from uara.base.pictures import Mark, marked
from uara.bench.report.style import EDGE, FONT_PT, PALETTE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {
    **{hexadecimal: f"var(--c{place})" for place, hexadecimal in enumerate(PALETTE)},
    "#000000": "var(--ink)",
    "#ffffff": "var(--paper)",
    EDGE: "var(--edge)",
}
"""Colours of figures that the page has its own of."""
_KEPT = (
    *("fill", "fill-opacity", "stroke", "stroke-dasharray", "stroke-opacity", "stroke-width"),
    *("text-anchor", "font-size", "opacity"),
)
"""Properties that are shown; joins and caps of lines are as good as the browser's."""
_PLACED = ("d", "x", "y", "width", "height", "transform", "clip-path")
_NUMBER = re.compile(r"-?\d+\.\d+")
_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"


def page_svg(figure: Figure, title: str, name: str) -> str:
    """A figure as an SVG element.

    Parameters
    ----------
    title
        What a screen reader says.
    name
        Distinguishes the figure from the others of the page.
    """
    from matplotlib import rc_context

    marks = {}
    for place, (part, found) in enumerate(marked(figure)):
        marks[f"mark{place}"] = found
        part.set_gid(f"mark{place}")
    content = io.BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(content, format="svg", transparent=True, metadata={"Date": None})
    drawn = ElementTree.fromstring(content.getvalue())
    attributes = {"viewBox": _rounded(drawn.attrib["viewBox"]), "font-size": f"{FONT_PT:g}", "role": "img"}
    root = Element("svg", {**attributes, "xmlns": "http://www.w3.org/2000/svg"})
    ElementTree.SubElement(root, "title").text = printable(title)
    root.extend(shown for child in drawn for shown in _shown(child, marks))
    return ElementTree.tostring(root, encoding="unicode")


def _shown(element: Element, marks: Mapping[str, Mark]) -> list[Element]:
    """An element as the page has it: nothing where nobody sees it, its children where it is but their frame."""
    tag = element.tag.removeprefix(_SVG)
    attributes = _attributes(tag, element)
    if tag.rpartition("}")[2] in ("metadata", "style") or attributes is None:
        return []
    mark = marks.get(element.get("id", ""), Mark()) if tag == "g" else Mark()
    if mark.series:
        attributes["data-series"] = printable(mark.series)
    found = Element(tag, attributes)
    found.text = printable(element.text) if tag == "text" and element.text else None
    found.extend(shown for child in element for shown in _shown(child, marks))
    if tag not in ("g", "defs"):
        return [found]
    for point, note in zip(_points(found), mark.notes, strict=False):
        ElementTree.SubElement(point, "title").text = printable(note)
    frame = tag == "g" and not found.attrib
    return list(found) if frame or not len(found) else [found]


def _points(group: Element) -> list[Element]:
    """The points of a marked part: its markers, or else its paths."""
    return list(group.iter("use")) or list(group.iter("path"))


def _attributes(tag: str, element: Element) -> dict[str, str] | None:
    """Attributes of an element, those of its style among them; None where there is nothing to see."""
    found: dict[str, str] = {}
    for name in _PLACED:
        value = element.get(name)
        if value is not None and not value.startswith("rotate(-0 "):
            found[name] = _rounded(value)
    if tag in ("path", "clipPath") and "id" in element.attrib:
        found["id"] = element.attrib["id"]
    if _LINK in element.attrib:
        found["href"] = element.attrib[_LINK]
    style = dict(part.split(": ", 1) for part in element.get("style", "").split("; ") if ": " in part)
    shown = {name: _COLOURS.get(value, value) for name, value in style.items() if name in _KEPT}
    if shown.get("fill") == "none" and "stroke" not in shown:
        return None
    if tag == "text":
        size = float(shown.pop("font-size", f"{FONT_PT}").removesuffix("px"))
        shown |= {} if size == FONT_PT else {"font-size": f"{size:g}"}
        if shown.get("fill") == "var(--ink)":
            del shown["fill"]  # the style sheet's colour of words
    own = ";".join(f"{name}:{value}" for name, value in shown.items() if value.startswith("var("))
    plain = {name: value for name, value in shown.items() if not value.startswith("var(")}
    return found | plain | ({"style": own} if own else {})


def _rounded(text: str) -> str:
    """Numbers with one decimal; paths without needless blanks, their straight lines along an axis in short."""
    short = _NUMBER.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), text)
    if not short.startswith("M"):
        return short
    parts, at = [], ["", ""]
    for command, numbers in re.findall(r"([A-Za-z])([^A-Za-z]*)", short):
        to = numbers.split()
        if command == "L" and to[0] == at[0]:
            parts.append("V" + to[1])
        elif command == "L" and to[1] == at[1]:
            parts.append("H" + to[0])
        else:
            parts.append(command + " ".join(to))
        at = to[-2:] or at
    return "".join(parts)
