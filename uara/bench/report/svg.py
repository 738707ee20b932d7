"""Small pictures as SVG text that scales, follows the page's colours, and needs no library to show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape as html_escape

from uara.base.errors import printable

WIDTH, HEIGHT = 640.0, 360.0
LEFT, RIGHT, TOP, BOTTOM = 66.0, 12.0, 10.0, 44.0
DASHES = ("", "6 3", "2 3", "9 3 2 3")
COLOURS = 10
"""Colours that the page's style sheet defines, as ``--c0`` and so on; later series repeat them, dashed."""


def escape(words: str) -> str:
    """Words as text or attribute of the page."""
    return html_escape(printable(words))


def colour(place: int) -> str:
    """Colour of a series."""
    return f"var(--c{place % COLOURS})"


def dash(place: int) -> str:
    """Dash pattern of a series, so that the eleventh differs from the first."""
    return DASHES[place // COLOURS % len(DASHES)]


@dataclass(frozen=True)
class Scale:
    """From values to coordinates, linear or logarithmic."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Coordinate of a value, kept within the picture."""
        part = (self._at(value) - self._at(self.low)) / (self._at(self.high) - self._at(self.low))
        return self.start + min(1.02, max(-0.02, part)) * (self.end - self.start)

    def shows(self, value: float) -> bool:
        """Whether a value lies inside the picture."""
        return self.low <= value <= self.high

    def _at(self, value: float) -> float:
        return math.log10(max(value, 1e-300)) if self.log else value

    def ticks(self) -> list[float]:
        """Round values inside the scale."""
        if self.log and self.high / self.low > 5:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            digits = (1, 2, 5) if len(decades) <= 4 else (1,)
            found = [digit * 10.0**power for power in decades for digit in digits]
            inside = [tick for tick in found if self.shows(tick)]
            return inside[:: max(1, math.ceil(len(inside) / 9))]
        step = _round_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        return [step * k for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= raw * (1 - 1e-9))


def scale_for(
    values: Iterable[float], start: float, end: float, *, log: bool = False, zero: bool = False
) -> Scale:
    """A scale that shows all finite values (positive ones where logarithmic), with some air around them."""
    shown = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
    low, high = min(shown, default=1.0), max(shown, default=10.0)
    if log:
        if high <= low * 1.01:
            low, high = low / 2, high * 2
        return Scale(low / 1.15, high * 1.15, start, end, log=True)
    if zero:
        low = min(low, 0.0)
    if high - low <= 1e-12 * max(abs(high), 1e-12):
        low, high = low - 0.5 * abs(low or 1.0), high + 0.5 * abs(high or 1.0)
    air = 0.04 * (high - low)
    return Scale(low if zero and low == 0 else low - air, high + air, start, end)


@dataclass
class Series:
    """A line or a cloud of points."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    place: int = 0
    """Which colour and dash."""
    step: bool = False
    line: bool = True
    dots: bool = True
    dashed: bool = False
    notes: Sequence[str] = field(default=())
    """What a pointer over each dot says."""


def plot(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str,
    y_label: str,
    x_log: bool = False,
    y_log: bool = False,
    y_zero: bool = False,
    y_limits: tuple[float, float] | None = None,
) -> str:
    """A chart with axes; every series carries its label in ``data-series`` so that the page can hide it."""
    x_scale = scale_for([v for one in series for v in one.x], LEFT, WIDTH - RIGHT, log=x_log)
    values = [v for one in series for v in (*one.y, *one.low, *one.high)]
    if y_limits:
        values = [min(max(v, y_limits[0]), y_limits[1]) for v in values if math.isfinite(v)] + list(y_limits)
    y_scale = scale_for(values, HEIGHT - BOTTOM, TOP, log=y_log, zero=y_zero)
    body = _axes(x_scale, y_scale, x_label, y_label)
    body += [_draw(one, x_scale, y_scale) for one in series]
    return picture(body, title)


def picture(body: Sequence[str], title: str, width: float = WIDTH, height: float = HEIGHT) -> str:
    """An SVG element with an accessible title."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title>{''.join(body)}</svg>"
    )


def text(x: float, y: float, words: str, *, anchor: str = "middle", extra: str = "") -> str:
    """A piece of text; what it says is escaped."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {extra}>{escape(words)}</text>'


def tick_label(value: float) -> str:
    """A short number."""
    if value == 0:
        return "0"
    if abs(value) >= 1e6 or abs(value) < 1e-3:
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:,.10g}" if abs(value) >= 1 else f"{value:.4g}"


def _axes(x_scale: Scale, y_scale: Scale, x_label: str, y_label: str) -> list[str]:
    bottom = HEIGHT - BOTTOM
    body = [f'<g class="axes"><path d="M{LEFT},{TOP}V{bottom}H{WIDTH - RIGHT}" class="frame"/>']
    for tick in x_scale.ticks():
        x = x_scale(tick)
        body.append(f'<path d="M{x:.1f},{TOP}V{bottom}" class="grid"/>')
        body.append(text(x, bottom + 15, tick_label(tick)))
    for tick in y_scale.ticks():
        y = y_scale(tick)
        body.append(f'<path d="M{LEFT},{y:.1f}H{WIDTH - RIGHT}" class="grid"/>')
        body.append(text(LEFT - 5, y + 4, tick_label(tick), anchor="end"))
    body.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_label, extra='class="label"'))
    middle = (TOP + bottom) / 2
    body.append(
        text(0, 0, y_label, extra=f'class="label" transform="translate(13,{middle:.1f}) rotate(-90)"')
    )
    return [*body, "</g>"]


def _draw(one: Series, x_scale: Scale, y_scale: Scale) -> str:
    shown = [
        (x_scale(x), y_scale(y), place)
        for place, (x, y) in enumerate(zip(one.x, one.y, strict=True))
        if math.isfinite(x) and math.isfinite(y)
    ]
    parts = []
    if one.line and shown:
        commands = [f"M{shown[0][0]:.1f},{shown[0][1]:.1f}"]
        for x, y, _ in shown[1:]:
            commands.append(f"H{x:.1f}V{y:.1f}" if one.step else f"L{x:.1f},{y:.1f}")
        pattern = "3 3" if one.dashed else dash(one.place)
        parts.append(f'<path d="{"".join(commands)}" class="line" stroke-dasharray="{pattern}"/>')
    for x, y, place in shown if one.dots else ():
        if not y_scale.shows(one.y[place]):
            continue
        if one.low and math.isfinite(one.low[place]) and math.isfinite(one.high[place]):
            top, foot = y_scale(one.high[place]), y_scale(one.low[place])
            parts.append(
                f'<path d="M{x:.1f},{top:.1f}V{foot:.1f}m-3,0h6M{x - 3:.1f},{top:.1f}h6" class="bar"/>'
            )
        note = one.notes[place] if one.notes else f"{one.label}: {one.x[place]:.6g}, {one.y[place]:.6g}"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"><title>{escape(note)}</title></circle>')
    label = escape(one.label)
    return f'<g data-series="{label}" style="--own:{colour(one.place)}">{"".join(parts)}</g>'


def stacked_bars(
    rows: Sequence[tuple[str, Sequence[float]]], parts: Sequence[str], *, title: str, unit: str
) -> str:
    """A horizontal bar a row, in parts."""
    height = 24.0 * len(rows) + 40
    left, right = 190.0, WIDTH - 20
    longest = max((sum(v for v in values if math.isfinite(v)) for _, values in rows), default=1.0) or 1.0
    scale = Scale(0, longest * 1.05, left, right)
    body = []
    for tick in scale.ticks():
        body.append(f'<path d="M{scale(tick):.1f},4V{height - 34}" class="grid"/>')
        body.append(text(scale(tick), height - 20, tick_label(tick)))
    body.append(text((left + right) / 2, height - 4, unit, extra='class="label"'))
    for place, (label, values) in enumerate(rows):
        y, x = 6 + 24.0 * place, left
        body.append(text(left - 6, y + 12, shortened(label), anchor="end"))
        for part, value in enumerate(values):
            if math.isfinite(value) and value > 0:
                wide = scale(value) - scale(0)
                note = escape(f"{label}, {parts[part]}: {value:.4g} {unit}")
                body.append(
                    f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="16" style="--own:{colour(part)}">'
                    f"<title>{note}</title></rect>"
                )
                x += wide
    return picture(body, title, height=height)


def shortened(words: str, longest: int = 30) -> str:
    """The beginning of a text that is longer."""
    return words if len(words) <= longest else words[: longest - 1] + "…"
