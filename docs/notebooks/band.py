"""What more band or faster servers would do, with proofs (``marimo edit FILE``, or ``python FILE``)."""

import marimo

app = marimo.App(width="medium")


@app.cell
def _():
    import marimo as mo

    import uara

    instance = uara.load("instances/e4_m30.json")
    mo.md(
        "# What if?\nThe optimum lies between objective and bound, so changes are certain where the intervals part."
    )
    return instance, mo, uara


@app.cell
def _(instance, mo, uara):
    def interval(band: float, speed: float) -> dict[str, float]:
        servers = instance.servers.replace(
            bandwidth_hz=instance.servers.bandwidth_hz * band,
            compute_flop_per_s=instance.servers.compute_flop_per_s * speed,
        )
        result = uara.solve(instance.replace(servers=servers), "price", seed=0)
        least, most = result.certified_bound_ms, result.evaluation.objective_ms
        assert least <= most
        return {"band": band, "compute": speed, "at least ms": round(least, 3), "at most ms": round(most, 3)}

    rows = [interval(band, 1.0) for band in (0.5, 1.0, 2.0, 4.0)] + [
        interval(1.0, speed) for speed in (0.5, 2.0)
    ]
    mo.ui.table(rows)
    return (rows,)


@app.cell
def _(mo, rows):
    slow, fast = rows[-2], rows[-1]
    assert fast["at most ms"] < slow["at least ms"]
    mo.md(
        "Faster servers help for certain: both intervals are disjoint. More band need not: the noise fills it too."
    )
    return


if __name__ == "__main__":
    app.run()
