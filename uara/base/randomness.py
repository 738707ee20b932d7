"""One root seed, named streams: what one part draws never shifts what another part sees."""

from __future__ import annotations

import hashlib

import numpy as np

from uara.base.errors import InputError


def stream(seed: int, *name: str | int) -> np.random.Generator:
    """The generator of this name under a root seed.

    Streams of different names are statistically independent, and adding one leaves the others as
    they were. PCG64 is named explicitly: NumPy may change its default generator.
    """
    return np.random.Generator(np.random.PCG64(_sequence(seed, name)))


def derived_seed(seed: int, *name: str | int) -> int:
    """A 32-bit seed of this name, for libraries that take an integer instead of a generator."""
    return int(_sequence(seed, name).generate_state(1)[0])


def check_seed(seed: int) -> None:
    """Refuse a seed below 0; raises ``InputError``."""
    if seed < 0:
        raise InputError(f"the seed must not be negative: {seed}")


def _sequence(seed: int, name: tuple[str | int, ...]) -> np.random.SeedSequence:
    check_seed(seed)
    digest = hashlib.sha256("\x1f".join(map(str, name)).encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
    return np.random.SeedSequence(seed, spawn_key=words)
