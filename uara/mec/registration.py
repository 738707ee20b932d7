"""The slotted world's id in Gymnasium: ``gymnasium.make("uara/Mec-v0")`` and ``gymnasium.make_vec``."""

from __future__ import annotations

ID = "uara/Mec-v0"


def register() -> None:
    """Register the id, once."""
    from gymnasium.envs import registration

    if ID not in registration.registry:
        registration.register(
            id=ID, entry_point="uara.mec.envs:MecEnv", vector_entry_point="uara.mec.vector:MecVectorEnv"
        )
