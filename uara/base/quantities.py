"""Types of numbers: arrays, and the ranges of quantities that files and options hold."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

MS_PER_S = 1e3
SMALLEST, LARGEST = 1e-30, 1e30
"""Beyond these no quantity is meant, and products of a few of them would leave double precision."""
Positive = Annotated[float, Field(ge=SMALLEST, le=LARGEST)]
NonNegative = Annotated[float, Field(ge=0, le=LARGEST)]
Finite = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Fraction = Annotated[float, Field(ge=SMALLEST, le=1)]
Index = Annotated[int, Field(ge=0, le=2**31 - 1)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Point = Annotated[list[Finite], Field(min_length=3, max_length=3)]
