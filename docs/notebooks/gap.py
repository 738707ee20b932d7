"""Where the gap of a rule comes from: association or allocation (``marimo edit FILE``, or ``python FILE``)."""

import marimo

app = marimo.App(width="medium")


@app.cell
def _():
    import marimo as mo

    import uara

    instance = uara.load("instances/e8_m90.json")
    best = uara.solve(instance, "price", seed=0).evaluation.controllable_ms
    mo.md("# Where a rule loses\nThe same association with equal shares, square-root shares and exact ones.")
    return best, instance, mo, uara


@app.cell
def _(best, instance, mo, uara):
    rows = []
    for rule in ("max-sinr", "tma"):
        association = uara.solve(instance, rule, seed=0).decision.association
        for shares in ("uniform", "sqrt", "optimal"):
            value = uara.evaluate(instance, uara.allocate(instance, association, shares)).controllable_ms
            rows.append(
                {"association": rule, "shares": shares, "primal gap %": round(100 * (value / best - 1), 3)}
            )
    by_rule = {(row["association"], row["shares"]): row["primal gap %"] for row in rows}
    assert by_rule["tma", "optimal"] <= by_rule["tma", "uniform"]
    assert by_rule["max-sinr", "optimal"] > 1, "association decides, whatever the shares"
    mo.ui.table(rows)
    return


if __name__ == "__main__":
    app.run()
