"""A policy that corrects a rule, on an instance: its weights under one association or several, pair by pair.

What is seen of a pair hangs on its own server's members alone, so that each server is a world of its own, and one at
each association another. The network only pools over members, and sees no other pair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from uara.base.quantities import Floats, Indices
from uara.p1.coefficients import Coefficients

from .wishes import Listed, Own, own_of, seen

AT_ONCE = 50_000
"""Pairs that are looked at together: more would not stay in the processor's cache."""


class Sight:
    """An instance as such a policy sees it.

    Parameters
    ----------
    corrections
        Of the guessed price (:data:`.features.CORRECTIONS`).
    run
        The policy's network: features, usable pairs and first log-weights, each (B, M, 1, ...), to (B, M, 1, 2).
    """

    def __init__(
        self, numbers: Coefficients, corrections: int, run: Callable[..., NDArray[np.float32]]
    ) -> None:
        self._numbers, self._corrections, self._run = numbers, corrections, run
        few = len(numbers.server) <= AT_ONCE
        self._kept = self._computed(np.arange(len(numbers.server))) if few else None

    def wishes(self) -> Floats:
        """(K,) Log of the band that each pair would choose alone."""
        every = self._kept or self._computed(np.arange(len(self._numbers.server)))
        return np.asarray(every.wish)

    def log_weights(self, served: Indices) -> Floats:
        """(S, K, 2) Log-weights of Y and of Z of all pairs under each of S associations.

        Parameters
        ----------
        served
            (S, M) The pairs that are served: the policy's weights; the others have the rule's, for a newcomer.
        """
        numbers, worlds = self._numbers, len(served)
        chosen = np.zeros((worlds, len(numbers.server)), dtype=bool)
        np.put_along_axis(chosen, served, True, axis=1)
        by_server = chosen[:, numbers.by_server]
        count = np.tile(np.diff(numbers.server_start), worlds)
        found = np.empty((worlds, len(numbers.server), 2))
        answer = self._answered(np.tile(numbers.by_server, worlds), count, by_server.ravel())
        found[:, numbers.by_server] = answer.reshape(found.shape)
        return found

    def at_members(self, served: Indices) -> Floats:
        """(S, M, 2) The same of the served pairs alone."""
        numbers = self._numbers
        world = numbers.server[served] + numbers.servers * np.arange(len(served))[:, None]
        order = np.argsort(world, axis=None, kind="stable")
        count = np.bincount(world.ravel(), minlength=numbers.servers * len(served))
        found = np.empty((served.size, 2))
        found[order] = self._answered(served.ravel()[order], count, np.ones(served.size, dtype=bool))
        return found.reshape(*served.shape, 2)

    def _answered(self, pairs: Indices, count: Indices, chosen: NDArray[np.bool_]) -> Floats:
        """(n, 2) For pairs listed world by world, so many in each, of which some are served."""
        found = np.empty((len(pairs), 2))
        for worlds, inside in _stretches(count):
            at = np.repeat(np.arange(worlds.stop - worlds.start), count[worlds])
            served = np.flatnonzero(chosen[inside])
            crowd = Listed(served, at, worlds.stop - worlds.start)
            look = seen(self._own(pairs[inside]), crowd, self._corrections, np)
            answer = look.offset
            if len(served):
                answer[served] += look.reach * self._network(look.features, at[served])
            found[inside] = answer
        return found

    def _network(self, features: Floats, world: Indices) -> Floats:
        """(n, 2) Means of members that are listed world by world."""
        count = np.bincount(world)
        row = np.cumsum(count > 0) - 1
        full = count[count > 0]
        slot = np.arange(len(world)) - np.repeat(np.cumsum(full) - full, full)
        shape = len(full), int(full.max()), 1
        looked, usable = np.zeros((*shape, features.shape[1])), np.zeros(shape)
        at = row[world], slot, 0
        looked[at], usable[at] = features, 1.0
        return np.asarray(self._run(looked, usable, np.zeros((*shape, 2)))[at], dtype=float)

    def _own(self, pairs: Indices) -> Own:
        if self._kept is None:
            return self._computed(pairs)
        return Own(*(each[pairs] for each in self._kept))

    def _computed(self, pairs: Indices) -> Own:
        numbers = self._numbers
        return own_of(
            numbers.uplink_ms[pairs],
            numbers.band_cost_ms[pairs],
            numbers.local_ms[pairs],
            numbers.work[pairs],
            np.full(len(pairs), numbers.sync_weight_per_ms),
            np,
        )


def _stretches(count: Indices) -> Iterator[tuple[slice, slice]]:
    """Worlds of about :data:`AT_ONCE` pairs together, and their pairs, from how many each world has."""
    end = np.cumsum(count)
    first = 0
    while first < len(count):
        before = end[first] - count[first]
        last = max(first + 1, int(np.searchsorted(end, before + AT_ONCE, side="right")))
        if end[last - 1] > before:
            yield slice(first, last), slice(int(before), int(end[last - 1]))
        first = last
