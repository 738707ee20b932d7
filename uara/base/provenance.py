"""Where an instance comes from."""

from __future__ import annotations

from uara.base.files import Record


class Provenance(Record):
    """Where an instance comes from, so that it can be made again and disagreed with."""

    command: str = ""
    """The command that made the file."""
    seed: int | None = None
    """Root seed of everything drawn."""
    channel_model: str = ""
    """sionna-rt, sionna-umi, synthetic, ..."""
    scene: str = ""
    """Ray-traced scene, if any."""
    task_profile: str = ""
    """Name of the task profile."""
    task_profile_sha256: str = ""
    """Hash of the task profile."""
    acceptance: str = ""
    """How the acceptance rates came about: measured, assumed, or taken over from another pair."""
    versions: dict[str, str] = {}
    """Versions of the libraries that had a part in the numbers."""
    settings: dict[str, str | float | int | bool | None] = {}
    """Everything else that was chosen."""
    credits: list[str] = []
    """Whom the data must be credited to."""

    @property
    def origin(self) -> str:
        """Channel model and scene, in brackets behind a blank; empty where neither is known."""
        known = ", ".join(part for part in (self.channel_model, self.scene) if part)
        return f" ({known})" if known else ""

    def lines(self) -> list[str]:
        """What a reader wants to know of it, in words."""
        found = []
        if self.task_profile:
            found.append(f"task profile: {self.task_profile} (acceptance {self.acceptance or 'not stated'})")
        if self.command:
            found.append(f"made by: {self.command}")
        return [*found, *(f"credit: {credit}" for credit in self.credits)]
