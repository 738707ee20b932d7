"""What the report draws: pictures that stand in a page and in files, each with a name."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from uara.base import pictures
from uara.bench.report import style
from uara.bench.report.inline import page_svg
from uara.problem import plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Picture(Protocol):
    """A picture of the report."""

    @property
    def name(self) -> str:
        """What its file is called."""

    @property
    def suffixes(self) -> Sequence[str]:
        """Formats that it can be saved in."""

    def inline(self) -> str:
        """The picture as an element of a page."""

    def save(self, path: Path) -> None:
        """Write it to a file of any format that its suffix says."""


@dataclass(frozen=True)
class Drawing:
    """A picture by Matplotlib; it is drawn when it is needed."""

    name: str
    title: str
    """What a screen reader says of it."""
    draw: Callable[[], Figure]

    @property
    def suffixes(self) -> Sequence[str]:
        """Those of every figure, and PGF."""
        return (*pictures.SUFFIXES, ".pgf")

    def inline(self) -> str:
        """SVG that scales, and follows the page's colours."""
        with style.drawing():
            return page_svg(self.draw(), self.title, self.name)

    def save(self, path: Path) -> None:
        """Write it with a legend, which the page has beside it."""
        with style.drawing():
            figure = self.draw()
            for axes in figure.axes:
                if len(axes.get_legend_handles_labels()[1]) > 1 and axes.get_legend() is None:
                    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
            if path.suffix == ".pgf":
                escape_for_tex(figure)
            undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix)
            settings = {"metadata": undated} if undated else {}
            pictures.save(figure, path, dpi=200, bbox_inches="tight", **settings)


_TEX = str.maketrans({
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", **{each: f"\\{each}" for each in "&#{}$"}
})  # fmt: skip
"""What TeX would take for commands; Matplotlib itself takes care of the underscore, the circumflex and per cent."""


def escape_for_tex(figure: Figure) -> None:
    """Have names in a figure stand for themselves where TeX sets them."""
    from matplotlib.text import Text

    ticks: set[Text] = set()
    for axis in (each for axes in figure.axes for each in (axes.xaxis, axes.yaxis)):
        named = [label.get_text() for label in axis.get_ticklabels()]
        escaped = [name.translate(_TEX) for name in named]
        if escaped != named:
            axis.set_ticks(axis.get_ticklocs(), labels=escaped)
        ticks.update(axis.get_ticklabels())
    for text in figure.findobj(Text):
        if text not in ticks:
            text.set_text(text.get_text().translate(_TEX))


@dataclass(frozen=True)
class Plotted:
    """What a problem kind itself plots of an answer; such a picture has its own colours, so that it is an image."""

    name: str
    problem: Any
    decision: Any

    @property
    def suffixes(self) -> Sequence[str]:
        """What the plots of problem kinds can be."""
        return pictures.SUFFIXES

    def inline(self) -> str:
        """An image that is kept inside the page."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "answer.svg"
            plot(self.problem, path, self.decision)
            content = base64.b64encode(path.read_bytes()).decode()
        return f'<img alt="the answer" src="data:image/svg+xml;base64,{content}">'

    def save(self, path: Path) -> None:
        """Write what the kind plots, in one of the formats that kinds know."""
        plot(self.problem, path, self.decision)
