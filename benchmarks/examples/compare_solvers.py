"""Comparing solvers from Python: a script in cells, run as a test."""

# %% [markdown]
# # Comparing solvers from Python
#
# Run it as a script, or cell by cell in an editor or notebook that knows `# %%`.

# %%
from pathlib import Path

import numpy as np

import uara
import uara.bench
from uara import Allocation, Context, Instance, allocate

instances = Path(__file__).resolve().parents[2] / "instances"

# %% [markdown]
# One instance, two solvers: `uara.solve` returns a `Result`, and `uara.bench.frame` makes a table of several.

# %%
instance = uara.load(instances / "e4_m30.json")
results = [uara.solve(instance, name, seed=1) for name in ("random", "max-sinr", "tma")]
table = uara.bench.frame(results)
print(table[["solver", "status", "controllable_ms", "latency_mean_ms", "runtime_s"]].to_string(index=False))


# %% [markdown]
# A solver is any function of an instance and a context. This one asks for nothing but the signal and the
# speed, weighed by an exponent.


# %%
def weighed(instance: Instance, context: Context) -> Allocation:
    """The usable server with the largest product of speed and a root of the gain."""
    channel, speed = instance.channel, instance.servers.compute_flop_per_s
    value = np.log(speed[channel.pair_server]) + 0.1 * np.log(channel.power_gain)
    best = [
        channel.pair_server[a + np.argmax(value[a:b])]
        for a, b in zip(channel.pair_start[:-1], channel.pair_start[1:], strict=True)
    ]
    return allocate(instance, np.array(best))


# %% [markdown]
# Several instances: each run has a process of its own, with its limits enforced, and is scored outside it.
# With `output="comparison.parquet"` nothing is run twice.

# %%
found = uara.bench.rank(
    [instances / name for name in ("e4_m30.json", "e4_m90.json", "e8_m30.json")],
    ["random", "tma", ("tma", {"moves": "pairs"}), weighed],
    seeds=(0, 1),
    time_limit_s=10,
    jobs=2,
)
ranking = found.ranking()
print(ranking[["rank", "label", "excess", "latency_mean_ms", "runtime_s", "solved"]].to_string(index=False))

# %% [markdown]
# `runs` has a row a run, `points` a row a point of a run's trajectory: plain pandas from here on.

# %%
latency = found.runs.pivot_table(index="instance", columns="label", values="latency_mean_ms")
print(latency.round(1).to_string())
assert latency["tma"].le(latency["random"]).all()
