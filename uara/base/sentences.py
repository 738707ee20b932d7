"""Numbers and names in the sentences that describe an instance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike


def spread(values: ArrayLike, unit: str) -> str:
    """Least, middle and largest of some values, ``1 / 2 / 9 ms``; one number where they are all the same."""
    low, middle, high = np.percentile(np.asarray(values), [0, 50, 100])
    text = f"{low:.4g}" if low == high else f"{low:.4g} / {middle:.4g} / {high:.4g}"
    return f"{text} {unit}".rstrip()


def counted(names: Iterable[str] | None) -> str:
    """How often each name comes, ``3 x chat, 2 x code``; ``unnamed`` where there are none."""
    return ", ".join(f"{count} x {name}" for name, count in sorted(Counter(names or ()).items())) or "unnamed"
