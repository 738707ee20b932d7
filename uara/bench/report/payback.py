"""After how many instances training has paid for itself."""

from __future__ import annotations

from uara.base.cells import Column, Table, number, percent, significant, words
from uara.bench import ranking
from uara.bench.report.section import Facts, Section


def payback(facts: Facts) -> Section | None:
    """Where training pays; nothing where no solver was trained."""
    columns = {
        "learned": (Column("learned solver", numeric=False), words),
        "against": (Column("against", numeric=False), words),
        "training_s": (Column("training s"), number(0)),
        "saved_s": (Column("saved s per instance", "a failure counts ten times its limit"), significant(3)),
        "instances": (Column("pays back after instances"), number(0)),
        "excess_difference": (
            Column(
                "primal gap difference %",
                "above 0: the learned solver's answers are worse; a failure is infinitely worse",
            ),
            percent(3),
        ),
    }
    records = ranking.payback(facts.runs).to_dict("records")
    if not records:
        return None
    rows = [[make(row[key]) for key, (_, make) in columns.items()] for row in records]
    table = Table([column for column, _ in columns.values()], rows)
    return Section("payback", "When training pays", "Training", {"table": table})
