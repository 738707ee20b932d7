"""Configurations of small training runs."""

from __future__ import annotations

import json
from pathlib import Path

from mec.pools import make_pool
from mec.worlds import profile_file

POOL = {"devices": 40, "servers": 6, "traced_drops": 6, "umi_drops": 0}


def configure(folder: Path, **changes: object) -> Path:
    """A configuration whose pool is synthetic and whose run takes seconds."""
    settings = {
        "seed": 3, "steps": 8, "warmup_steps": 2, "updates_per_step": 1, "validate_every": 4,
        "checkpoint_every": 2, "sizes": [[12, 3]], "held_out_sizes": [[9, 2]], "parallel_worlds": 2,
        "slots_per_episode": 3, "batch_devices": 48, **changes,
    }  # fmt: skip
    make_pool().save(folder / "pool.npz")
    path = folder / "small.toml"
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    lines += ["[pool]", *(f"{key} = {value}" for key, value in POOL.items())]
    lines += ["[learner]", "width = 16", "[worlds]", f"profile = {json.dumps(profile_file(str(folder)))}"]
    path.write_text("\n".join(lines))
    return path
