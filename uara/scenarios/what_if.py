"""What would change: variants of an instance, solved beside it and compared, with what the bounds prove of each."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from uara import solution
from uara.base import pictures
from uara.base.cells import Cell, Column, Table, number, words
from uara.base.errors import InputError, in_file, printable
from uara.base.files import check_output, file_name, output_folder
from uara.p1.instance import Instance
from uara.scenarios.changes import Change, parse
from uara.solver import Result, counts, solve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BASE = "as it is"
MOST_VARIANTS = 1000
OTHER_WEIGHTS = "other weights"
_COLOURS = {"proven better": "C2", "better": "C2", "proven worse": "C3", "worse": "C3"}


@dataclass(frozen=True)
class Variant:
    """An instance with some changes."""

    name: str
    instance: Instance


@dataclass(frozen=True)
class WhatIf:
    """An instance and its variants, each with its answer; the first is the instance as it is."""

    variants: Sequence[Variant]
    results: Sequence[Result]

    def verdict(self, place: int) -> str:
        """What is known of a variant against the instance as it is.

        ``proven better`` or ``proven worse`` where the bound of one lies beyond the objective of the other, so that no
        other answer could turn it round. Objectives of other weights are not compared.
        """
        base, other = self.results[0], self.results[place]
        if place == 0:
            return ""
        if base.instance.parameters != other.instance.parameters:  # type: ignore[attr-defined]
            return OTHER_WEIGHTS
        if not (counts(base.evaluation) and counts(other.evaluation)):
            return "no answer"
        if _certified_ms(base) > other.evaluation.objective_ms:
            return "proven better"
        if _certified_ms(other) > base.evaluation.objective_ms:
            return "proven worse"
        change_ms = self.change_ms(place) or 0.0
        return "the same" if change_ms == 0 else "better" if change_ms < 0 else "worse"

    def change_ms(self, place: int) -> float | None:
        """By how much the objective of a variant is larger; None where it is another objective."""
        base, other = self.results[0], self.results[place]
        if base.instance.parameters != other.instance.parameters:  # type: ignore[attr-defined]
            return None
        return other.evaluation.objective_ms - base.evaluation.objective_ms

    def moved(self, place: int) -> int:
        """How many devices another server serves than in the instance as it is."""
        names = [
            np.array(result.instance.servers.id)[result.decision.association]  # type: ignore[attr-defined]
            for result in (self.results[0], self.results[place])
        ]
        return int(np.count_nonzero(names[0] != names[1]))

    def table(self) -> Table:
        """A row for each variant: the objective, how it changes, what is proven, latency, energy, devices that move."""
        heads = [
            Column("variant", numeric=False),
            Column("status", numeric=False, place=2),
            Column("controllable ms", place=1),
            Column("change ms"),
            Column("verdict", numeric=False),
            Column("gap %", place=3),
            Column("mean latency ms", place=1),
            Column("95th percentile ms", place=4),
            Column("energy J", place=2),
            Column("moved devices", place=3),
            Column("runtime s", place=5),
        ]
        rows = [self._row(place) for place in range(len(self.variants))]
        return Table(heads, rows, f"{self.variants[0].instance.name}, by {self.results[0].solver}")

    def _row(self, place: int) -> list[Cell]:
        result = self.results[place]
        score = result.evaluation
        return [
            words(self.variants[place].name),
            words(result.status if result.ended == "completed" else f"{result.status}, {result.ended}"),
            number(1)(score.controllable_ms),
            number(1)(None if place == 0 else self.change_ms(place)),
            words(self.verdict(place)),
            number(4)(None if result.gap is None else 100 * result.gap),
            number(1)(score.latency_ms["mean"]),
            number(1)(score.latency_ms["p95"]),
            number(1)(score.energy_j),
            number(0)(self.moved(place)),
            number(2)(result.runtime_s),
        ]

    def to_plain(self) -> list[dict[str, Any]]:
        """Plain data for JSON, a variant each."""
        return [
            {
                "variant": variant.name,
                "verdict": self.verdict(place),
                "change_ms": self.change_ms(place),
                "moved_devices": self.moved(place),
                **result.to_plain(),
            }
            for place, (variant, result) in enumerate(zip(self.variants, self.results, strict=True))
        ]

    def plot(self, path: str | Path | None = None, *, ax: Axes | None = None) -> Axes:
        """Draw mean latency against energy of every variant, and by how much each changes the objective.

        Parameters
        ----------
        path
            A .png, .svg or .pdf file. Without one a notebook shows the picture.
        ax
            Axes to draw latency against energy alone into.

        Returns
        -------
        Axes
            Of latency against energy.
        """
        size = (11.0, max(4.0, 1.5 + 0.3 * len(self.variants)))
        title = printable(self.variants[0].instance.name)
        with pictures.panels(path, ax, size, title=title, ncols=2) as (trade, *others):
            self._draw_trade(trade)
            for bars in others:
                self._draw_changes(bars)
        return trade

    def _draw_trade(self, axes: Axes) -> None:
        for place, result in enumerate(self.results):
            score = result.evaluation
            point = (score.energy_j, score.latency_ms["mean"])
            mark, size = ("*", 11) if place == 0 else ("o", 6)
            label = printable(f"{place} {self.variants[place].name}")
            axes.plot(*point, mark, ms=size, color=self._colour(place), label=label, alpha=0.8)
            axes.annotate(str(place), point, (5, 4), textcoords="offset points", fontsize=8)
        axes.set(xlabel="energy of all devices [J]", ylabel="mean latency [ms]")
        axes.locator_params(axis="x", nbins=4)
        axes.ticklabel_format(useOffset=False)
        axes.margins(0.15, 0.12)
        axes.grid(alpha=0.3)

    def _draw_changes(self, axes: Axes) -> None:
        places = range(1, len(self.variants))
        values = [self.change_ms(place) or 0.0 for place in places]
        bars = axes.barh(places, values, color=[self._colour(place) for place in places])
        changes = [self.change_ms(place) for place in places]
        texts = ["" if each is None else f"{each:+,.1f}" for each in changes]
        axes.bar_label(
            bars, [f"{t} {self.verdict(k)}".strip() for k, t in zip(places, texts, strict=True)],
            padding=4, fontsize=8,
        )  # fmt: skip
        names = [printable(f"{place} {self.variants[place].name}") for place in places]
        axes.set_yticks(places, names, fontsize=8)
        axes.invert_yaxis()
        axes.axvline(0, color="k", lw=0.8)
        axes.margins(x=0.45)
        axes.set_xlabel("change of the objective [ms]")

    def _colour(self, place: int) -> str:
        return "k" if place == 0 else _COLOURS.get(self.verdict(place), "0.5")

    def save(self, folder: Path) -> list[Path]:
        """Write each variant as an instance file and its answer as a solution file, which ``uara verify`` checks."""
        output_folder(folder)
        written = []
        for (instance_path, answer_path), variant, result in zip(
            files_of(self.variants, folder), self.variants, self.results, strict=True
        ):
            variant.instance.save(instance_path)
            solution.save(result, answer_path)
            written += [instance_path, answer_path]
        return written


def files_of(variants: Sequence[Variant], folder: Path) -> list[tuple[Path, Path]]:
    """Instance file and solution file of each variant in a folder.

    Raises
    ------
    InputError
        If a name cannot be the name of a file.
    """
    names = []
    for place, variant in enumerate(variants):
        short = "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in variant.name)
        names.append(file_name(f"{place:03d}_{short}"[:120], source="variant"))
    return [(folder / f"{name}.json", folder / f"{name}_answer.json") for name in names]


def check_folder(variants: Sequence[Variant], folder: Path, source: Path) -> None:
    """Make the folder, and refuse it where :meth:`WhatIf.save` would lose something or leave a mixture.

    Raises
    ------
    InputError
        If a file of it is the source or something else, or the folder holds variants that are not among these.
    """
    output_folder(folder)
    for paths in files_of(variants, folder):
        for path, kind in zip(paths, ("p1", "solution"), strict=True):
            check_output(path, suffixes=(".json",), inputs=[source], kind=kind)
    made = {path for paths in files_of(variants, folder) for path in paths}
    left = sorted(set(folder.glob("[0-9][0-9][0-9]_*.json")) - made)
    if left:
        rest = f" and {len(left) - 1} more" if len(left) > 1 else ""
        problem = f"holds {left[0].name}{rest} of other variants: remove them, or name another folder"
        raise InputError(problem, source=str(folder))


def _certified_ms(result: Result) -> float:
    return -np.inf if result.certified_bound_ms is None else result.certified_bound_ms


def variants(
    instance: Instance, changes: Iterable[Change | tuple[str, str]], *, together: bool = False
) -> list[Variant]:
    """The instance as it is, and its variants.

    Parameters
    ----------
    changes
        Changes, or pairs of words that :func:`uara.scenarios.changes.parse` takes.
    together
        Whether a variant has a change of every option, in all combinations, and not one change alone.

    Raises
    ------
    InputError
        If a change cannot be made, or there are more than a thousand variants.
    """
    found: list[Change] = []
    for each in changes:
        found += [each] if isinstance(each, Change) else parse(*each)
    combined: Iterable[Sequence[Change]] = ([each] for each in found)
    if together:
        combined = itertools.product(*_groups(found))
    made = [Variant(BASE, instance)]
    for chosen in combined:
        changed = instance
        for each in chosen:
            with in_file(each.name):
                changed = each.apply(changed)
        name = ", ".join(each.name for each in chosen)
        settings = {**instance.provenance.settings, "what_if": name}
        provenance = instance.provenance.model_copy(update={"settings": settings})
        title = f"{instance.name}, {name}"[:200]
        made.append(Variant(name, changed.replace(name=title, provenance=provenance)))
        if len(made) > MOST_VARIANTS + 1:
            raise InputError(f"more than {MOST_VARIANTS} variants", source="what-if")
    return made


def _groups(changes: Sequence[Change]) -> list[list[Change]]:
    """Changes that exclude each other, together; servers that come or go exclude none."""
    groups: dict[str, list[Change]] = {}
    for place, each in enumerate(changes):
        groups.setdefault(f"{place}" if each.option.endswith("-server") else each.option, []).append(each)
    return list(groups.values())


def what_if(
    instance: Instance,
    changes: Iterable[Change | tuple[str, str]],
    solver: str | Callable[..., Any] = "auto",
    *,
    options: Mapping[str, Any] | None = None,
    together: bool = False,
    seed: int = 0,
    time_limit_s: float | None = None,
    on_variant: Callable[[Variant], object] | None = None,
) -> WhatIf:
    """Solve an instance and variants of it, and compare.

    Parameters
    ----------
    changes, together
        See :func:`variants`: ``[("band", "2x"), ("w", "20:100:20"), ("add-server", "10,-40,rtx-3090")]``.
    solver, options, seed, time_limit_s
        As for :func:`uara.solve`, for each variant.
    on_variant
        Told of each variant before it is solved.

    Raises
    ------
    InputError
        If a change cannot be made; nothing has been solved then.
    """
    made = variants(instance, changes, together=together)
    results = []
    for each in made:
        if on_variant:
            on_variant(each)
        how: dict[str, Any] = {"options": options, "seed": seed, "time_limit_s": time_limit_s}
        results.append(solve(each.instance, solver, **how))
    return WhatIf(made, results)
