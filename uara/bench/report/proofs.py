"""Proofs inside the report: the checker of ``uara/data/checker``, and stored answers that it can be let loose on."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from uara import solution
from uara.base.errors import printable
from uara.base.files import pretty_json
from uara.bench.results import Results
from uara.pages import check_page
from uara.pages.check_page import Stored

if TYPE_CHECKING:
    import pandas as pd

MOST_BYTES_EACH, MOST_BYTES = 150_000, 1_500_000
"""Largest answer with its instance, and most of all answers together, that a report holds."""

_WORDS = (
    "Your browser computes objective and bound again, in exact arithmetic; nothing is sent anywhere, and nothing "
    "that this report says is believed. The proof of the smallest gap of each instance is here."
)
_STYLE = """
.one-page #proofs { display: none; }
#proofs ul.stored { max-height: 24rem; overflow: auto; padding: 0; list-style: none; }
#proofs ul.stored li { display: flex; flex-wrap: wrap; align-items: center; gap: .2rem 1rem; margin: .3rem; }
#proofs button[data-check] { font: inherit; min-height: 2.75rem; cursor: pointer; }
"""


class Proof(NamedTuple):
    """The best proven answer to an instance."""

    instance: Stored
    solution: Stored
    solver: str
    gap: float


def proofs(results: Results) -> str:
    """The section "Check a proof" as HTML; empty where no run left a certificate of P1."""
    kept, left = proofs_of(results)
    if not kept and not left:
        return ""
    pieces = [
        f'<section id="proofs">\n<style>{check_page.part("checker.css")}{_STYLE}</style>\n<h2>Check a proof</h2>',
        f"<p>{_WORDS}{f' {left} larger ones are not inside: drop their files below.' if left else ''}</p>",
        _list(kept) if kept else "",
        check_page.part("form.html") + "</section>",
        *(each.element() for proof in kept for each in (proof.instance, proof.solution)),
        check_page.scripts(),
    ]
    return "\n".join(pieces)


def _list(kept: list[Proof]) -> str:
    items = "\n".join(map(_item, sorted(kept, key=lambda proof: proof.instance.name)))
    return f'<ul class="stored" tabindex="0">\n{items}\n</ul>'


def _item(proof: Proof) -> str:
    name, solver = (escape(printable(text)) for text in (proof.instance.name, proof.solver))
    files = f"{proof.instance.identifier} {proof.solution.identifier}"
    marks = f'type="button" data-check="{files}" aria-label="check the proof of {name}"'
    words = f"{name}, by {solver}: a gap of {proof.gap:.2e} is claimed"
    return f"<li><button {marks}>check this proof</button> <span>{words}</span></li>"


def proofs_of(results: Results) -> tuple[list[Proof], int]:
    """The answers with the smallest certified gap to each instance of P1, and how many are too large to be held.

    The size is that of the instance's file and of decision and certificate as the results keep them; the smallest
    come first.
    """
    runs = results.runs
    proven = runs[(runs["status"] == "ok") & runs["certificate"].notna() & runs["decision"].notna()]
    gaps = (proven["objective_ms"] - proven["certified_bound_ms"]) / proven["controllable_ms"]
    proven = proven.assign(own=gaps)[gaps.notna()].sort_values("own", kind="stable")
    best = proven.groupby("instance", sort=True).head(1).set_index("instance")
    facts = results.instances.groupby("instance").last()
    facts = facts[(facts["kind"] == "p1") & facts["content"].notna()]
    facts = facts[["content", "digest"]].rename(columns={"digest": "digest_kept"})
    both = best.join(facts, how="inner")
    both["size"] = sum(both[name].str.len() for name in ("content", "decision", "certificate"))
    both = both.sort_values("size", kind="stable")
    small = both[(both["size"] <= MOST_BYTES_EACH) & (both["size"].cumsum() <= MOST_BYTES)]
    return [_proof(run, str(name), place) for place, (name, run) in enumerate(small.iterrows())], len(
        both
    ) - len(small)


def _proof(run: pd.Series, name: str, place: int) -> Proof:
    content = pretty_json(_solution_of(run, name)).encode()
    instance = Stored(f"proof-instance-{place}", name, run["content"].encode())
    answer = Stored(f"proof-solution-{place}", f"{run['label']} on {name}", content)
    return Proof(instance, answer, str(run["label"]), max(0.0, float(run["own"])))


def _solution_of(run: pd.Series, name: str) -> solution.SolutionFile:
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
        instance=solution.InstanceReference(name=name, digest=run["digest_kept"]),
        solver=str(run["solver"]),
        options=Results.decoded(run["options"]) or {},
        seed=int(run["seed"]),
        claims=claims,
        decision=Results.decoded(run["decision"]),
        certificate=Results.decoded(run["certificate"]),
    )
