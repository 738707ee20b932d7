"""Keep ARCHITECTURE.md true: its tables of modules, of rooms and of equations are read from the source.

``python docs/architecture.py`` prints what differs, ``python docs/architecture.py --write`` renews the tables.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "ARCHITECTURE.md"

EQUATIONS = (
    ("P1, the objective", "uara/p1/model.py", r"objective_ms=sum\(totals.*# I of P1"),
    ("(1), acceptance of a draft token", "uara/psd/sampling.py", r"def judge\("),
    ("(3) one server a device", "uara/p1/model.py", r'Violation\("\(3\) one usable server'),
    ("(4) band, (7) compute budgets", "uara/p1/model.py", r'"\(4\) bandwidth", allocation.bandwidth'),
    ("(5) uplink rate", "uara/p1/coefficients.py", r"band \* np.log1p"),
    ("(6) delay on the device", "uara/p1/model.py", r'"local_compute":'),
    ("(6) delay at the server, its queue", "uara/p1/model.py", r'"queue":'),
    ("(6) delay at the server, its work", "uara/p1/model.py", r'"server_compute":'),
    ("(8) energy of computing", "uara/p1/model.py", r"computing_j = instance"),
    ("(8) energy of sending", "uara/p1/model.py", r"def _sending_j"),
    ("(9) the actor's loss", "solvers/masac/learner.py", r"def actor_loss"),
    ("V_j(S), cost of a server", "uara/p1/server_cost.py", r"^def server_cost"),
    ("psi, least band cost at a price", "uara/p1/certificate.py", r"^def least_band_cost"),
    ("bound of 2E prices", "uara/p1/certificate.py", r"^def priced"),
    ("bound of a tree of 2E prices", "uara/p1/branches.py", r"def prove"),
    ("bound of device prices", "uara/p1/device_prices.py", r"def prove"),
    ("least reduced cost of a server's set", "uara/p1/least_set.py", r"^def least_cost"),
    ("Algorithm 1", "solvers/search/matching.py", r"^def tma"),
    ("one PSD round", "uara/psd/rounds.py", r"^def psd_round"),
    ("one PSD round on real models", "uara/psd/engine.py", r"def _parallel"),
    ("one PSD round in time", "uara/psd/timeline.py", r"^def _psd"),
    ("tokens of a PSD round, in the long run", "uara/psd/closed_form.py", r"^def psd_tokens_per_round"),
    ("rate of a request of the batched system", "uara/hetedge/uplink.py", r"^def rates_bit_per_s"),
    ("time of a pass, the roofline", "uara/hetedge/latency.py", r"^def pass_ms"),
    ("F_j, the recurrence over batches", "solvers/hetedge/kernel.py", r"# F_j\(T_g"),
)
"""What a reader of the papers looks for: where it stands."""


@dataclass(frozen=True)
class Module:
    """One source file."""

    path: Path
    name: str
    summary: str
    imports: frozenset[str]

    @property
    def room(self) -> str:
        """Its folder; the files of ``uara/`` itself are rooms of their own."""
        place = self.path.relative_to(ROOT).parent.as_posix()
        return place if place != "uara" else f"uara/{self.path.stem}"


def modules() -> list[Module]:
    """All source files, with what they import of the toolkit anywhere outside TYPE_CHECKING."""
    found = {}
    for top, package in (("uara", "uara"), ("solvers", "uara.solvers")):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT / top).with_suffix("").parts
            found[".".join((package, *parts)).removesuffix(".__init__")] = path
    return [_module(name, path, found) for name, path in found.items()]


def _module(name: str, path: Path, known: dict[str, Path]) -> Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = [name, *name.split(".")] if path.stem == "__init__" else name.split(".")[:-1]
    base = name.split(".") if path.stem == "__init__" else own
    imports = set()
    for node in _running(tree):
        if isinstance(node, ast.Import):
            imports |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = base[: len(base) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                imports.add(whole if whole in known else module)
    summary = (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ")
    return Module(path, name, summary, frozenset(each for each in imports if each in known and each != name))


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from _running(child)


def rooms(found: list[Module]) -> dict[str, set[str]]:
    """Room by room, the rooms that it imports from; ``uara/__init__.py`` is the door of all."""
    where = {each.name: each.room for each in found}
    arrows: dict[str, set[str]] = {}
    for each in found:
        if each.name in ("uara", "uara.solvers"):
            continue
        mine = arrows.setdefault(each.room, set())
        mine |= {where[name] for name in each.imports if name not in ("uara", "uara.solvers")} - {each.room}
    return arrows


def floors(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Rooms in order: each imports from lower floors alone. Raises ``graphlib.CycleError`` on a circle."""
    sorter = TopologicalSorter(arrows)
    sorter.prepare()
    result = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        result.append(ready)
        sorter.done(*ready)
    return result


def table_of_rooms(found: list[Module]) -> str:
    """Floor by floor, from the roof down."""
    lines = ["| floor | rooms |", "|---|---|"]
    levels = floors(rooms(found))
    for number, level in reversed(list(enumerate(levels))):
        lines.append(f"| {number} | {', '.join(f'`{room}`' for room in level)} |")
    return "\n".join(lines)


def table_of_modules(found: list[Module]) -> str:
    """Every module and what it is about."""
    lines = ["| module | what it is about |", "|---|---|"]
    for each in found:
        if each.path.stem != "__init__":
            lines.append(f"| `{each.path.relative_to(ROOT).as_posix()}` | {each.summary.replace('|', '/')} |")
    return "\n".join(lines)


def table_of_equations() -> str:
    """Each equation with the line where it is computed."""
    lines = ["| equation | line |", "|---|---|"]
    for title, file, pattern in EQUATIONS:
        text = (ROOT / file).read_text(encoding="utf-8")
        places = [number for number, line in enumerate(text.splitlines(), 1) if re.search(pattern, line)]
        if len(places) != 1:
            raise ValueError(f"{title}: {pattern!r} stands {len(places)} times in {file}")
        lines.append(f"| {title} | [{file}:{places[0]}]({file}#L{places[0]}) |")
    return "\n".join(lines)


def renewed(page: str) -> str:
    """The page with its tables as the source has them."""
    found = modules()
    tables = {
        "equations": table_of_equations(),
        "rooms": table_of_rooms(found),
        "modules": table_of_modules(found),
    }
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        page = before + begin + table + end + rest.partition(end)[2]
    return page


def main() -> None:
    """Compare or renew."""
    old = PAGE.read_text(encoding="utf-8")
    new = renewed(old)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(new, encoding="utf-8")
    elif new != old:
        raise SystemExit("ARCHITECTURE.md differs from the source: python docs/architecture.py --write")


if __name__ == "__main__":
    main()
