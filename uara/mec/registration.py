"""The slotted world's id in Gymnasium: ``gymnasium.make("uara/Mec-v0")`` and ``gymnasium.make_vec``."""

from __future__ import annotations

ID = "uara/Mec-v0"


def register() -> None:
    """Register the id; Gymnasium calls this by its group of entry points ``gymnasium.envs`` when it is imported."""
    from gymnasium.envs.registration import register as add

    add(
        id=ID,
        entry_point="uara.mec.envs:MecEnv",
        vector_entry_point="uara.mec.vector:MecVectorEnv",
        disable_env_checker=False,
    )
