"""Numbers to so many significant digits, many at a time and exactly as ``format`` rounds them."""

from __future__ import annotations

import numpy as np

from uara.base.quantities import Floats

_LARGEST_POWER = 22
"""Powers of ten up to this one are exact doubles, so that one division by them rounds once."""
_TIE = 1e-6
"""A fraction as near to one half as this is left to ``format``."""


def rounded(values: Floats, digits: int = 7) -> Floats:
    """Values to this many significant digits: what single precision carries, and short in a file.

    Notes
    -----
    A value is scaled to an integer of so many digits, and that integer divided by a power of ten: where both are
    exact doubles, the quotient is the double that is nearest to the decimal, which is what ``float`` reads from
    the text. Everything else (ties, zeros, powers beyond :data:`_LARGEST_POWER`) goes through the text itself.
    """
    flat = np.asarray(values, dtype=float).ravel()
    with np.errstate(all="ignore"):
        shift = digits - 1 - np.floor(np.log10(np.abs(flat)))
        power = 10.0 ** np.clip(np.where(np.isfinite(shift), np.abs(shift), 0.0), 0, _LARGEST_POWER)
        scaled = np.where(shift >= 0, flat * power, flat / power)
        whole = np.rint(scaled)
        result = np.where(shift >= 0, whole / power, whole * power)
        size = np.abs(whole)
        sure = (np.abs(shift) <= _LARGEST_POWER) & (size >= 10.0 ** (digits - 1)) & (size < 10.0**digits)
        sure &= np.abs(np.abs(scaled - np.trunc(scaled)) - 0.5) > _TIE
        sure &= np.abs(flat) >= np.finfo(float).tiny
    for place in np.flatnonzero(~sure):
        result[place] = float(f"{flat[place]:.{digits}g}")
    return np.asarray(result.reshape(np.shape(values)))
