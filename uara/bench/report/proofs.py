"""Proofs inside the report: the checker of ``uara/data/checker``, and stored answers that it can be let loose on."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from uara import check_page, solution
from uara.base.errors import printable
from uara.base.files import pretty_json
from uara.bench.results import Results
from uara.check_page import Stored

if TYPE_CHECKING:
    import pandas as pd

MOST_BYTES_EACH, MOST_BYTES = 150_000, 1_500_000
"""Largest answer with its instance, and most of all answers together, that a report holds."""

_WORDS = (
    "Your browser computes objective and bound again, in exact arithmetic; nothing is sent anywhere, and nothing "
    "that this report says is believed. The proof of the smallest gap of each instance is here."
)
_STYLE = (
    ".one-page #proofs { display: none; } "
    "#proofs button[data-check] { font: inherit; min-height: 2.75rem; cursor: pointer; }"
)


class Proof(NamedTuple):
    """The best proven answer to an instance."""

    instance: Stored
    solution: Stored
    solver: str
    gap: float

    @property
    def size(self) -> int:
        """Bytes of both files."""
        return len(self.instance.content) + len(self.solution.content)


def proofs(results: Results) -> str:
    """The section "Check a proof" as HTML; empty where no run left a certificate of P1."""
    found = sorted(proofs_of(results), key=lambda proof: proof.size)
    if not found:
        return ""
    kept: list[Proof] = []
    for proof in found:
        if proof.size <= MOST_BYTES_EACH and sum(other.size for other in kept) + proof.size <= MOST_BYTES:
            kept.append(proof)
    left = len(found) - len(kept)
    pieces = [
        f'<section id="proofs">\n<style>{check_page.part("checker.css")}{_STYLE}</style>\n<h2>Check a proof</h2>',
        f"<p>{_WORDS}{f' {left} larger ones are not inside: drop their files below.' if left else ''}</p>",
        _table(kept) if kept else "",
        check_page.part("form.html") + "</section>",
        *(each.element() for proof in kept for each in (proof.instance, proof.solution)),
        check_page.scripts(),
    ]
    return "\n".join(pieces)


def _table(kept: list[Proof]) -> str:
    rows = "\n".join(map(_row, sorted(kept, key=lambda proof: proof.instance.name)))
    titles = ("instance", "solver", "gap said to be proven", "")
    heads = "".join(f'<th scope="col">{title}</th>' for title in titles)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table>"
    return f'<div class="scroll" tabindex="0">{table}</div>'


def _row(proof: Proof) -> str:
    name, solver = (escape(printable(text)) for text in (proof.instance.name, proof.solver))
    files = f"{proof.instance.identifier} {proof.solution.identifier}"
    button = (
        f'<button type="button" data-check="{files}">check this proof<span hidden> of {name}</span></button>'
    )
    return f"<tr><td>{name}</td><td>{solver}</td><td>{proof.gap:.2e}</td><td>{button}</td></tr>"


def proofs_of(results: Results) -> list[Proof]:
    """The answer with the smallest certified gap to each instance of P1 that the results keep."""
    runs = results.runs
    proven = runs[(runs["status"] == "ok") & runs["certificate"].notna() & runs["decision"].notna()]
    proven = proven.assign(
        own=(proven["objective_ms"] - proven["certified_bound_ms"]) / proven["controllable_ms"]
    )
    proven = proven[proven["own"].notna()].sort_values("own", kind="stable")
    kept = results.instances.groupby("instance").last()
    found = []
    for number, (name, own) in enumerate(proven.groupby("instance", sort=True)):
        facts = kept.loc[name] if name in kept.index else None
        if facts is None or facts["kind"] != "p1" or not isinstance(facts["content"], str):
            continue
        best = own.iloc[0]
        content = pretty_json(_solution_of(best, str(name), facts["digest"])).encode()
        instance = Stored(f"proof-instance-{number}", str(name), facts["content"].encode())
        answer = Stored(f"proof-solution-{number}", f"{best['label']} on {name}", content)
        found.append(Proof(instance, answer, str(best["label"]), max(0.0, float(best["own"]))))
    return found


def _solution_of(run: pd.Series, name: str, digest: str) -> solution.SolutionFile:
    """A run's answer as the solution file that ``uara solve`` would have written."""

    def real(column: str) -> float | None:
        value: Any = run[column]
        return None if value != value or value is None else float(value)

    claims = solution.Claims(
        objective_ms=real("objective_ms"),
        lower_bound_ms=real("bound_ms"),
        certified_lower_bound_ms=real("certified_bound_ms"),
        status=run["proven"] or "",
        ended=run["ended"] or "",
        runtime_s=real("runtime_s"),
    )
    return solution.SolutionFile(
        schema_version=1,
        kind="solution",
        problem="p1",
        instance=solution.InstanceReference(name=name, digest=digest),
        solver=str(run["solver"]),
        options=Results.decoded(run["options"]) or {},
        seed=int(run["seed"]),
        claims=claims,
        decision=Results.decoded(run["decision"]),
        certificate=Results.decoded(run["certificate"]),
    )
