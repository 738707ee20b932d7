"""A first answer: an instance, three solvers, who is served by whom (``marimo edit FILE``, or ``python FILE``)."""

import marimo

app = marimo.App(width="medium")


@app.cell
def _():
    import marimo as mo

    import uara

    instance = uara.load("instances/e8_m90.json")
    mo.vstack([mo.md("# A first answer\nEight servers, ninety phones."), instance])
    return instance, mo, uara


@app.cell
def _(instance, uara):
    answers = {name: uara.solve(instance, name, seed=0) for name in ("max-sinr", "tma-masac", "price")}
    best = answers["price"]
    assert best.gap < 1e-3
    return answers, best


@app.cell
def _(answers, best, mo):
    least = best.evaluation.controllable_ms
    rows = [
        {
            "solver": name,
            "primal gap %": round(100 * (answer.evaluation.controllable_ms / least - 1), 3),
            "mean latency ms": round(answer.evaluation.latency_ms["mean"], 1),
        }
        for name, answer in answers.items()
    ]
    mo.vstack([mo.md(f"`price` is proven to {100 * best.gap:.3f} % of the optimum."), mo.ui.table(rows)])
    return


@app.cell
def _(best, mo):
    mo.vstack([mo.md("Who is served by whom:"), best.to_frame()])
    return


if __name__ == "__main__":
    app.run()
