"""A certificate of request prices: what it proves about every plan of an instance, whatever its order of service.

Let a group be one batch, or two that alternate, that starts with i requests served, all prompts there, the draft
node free at 0 and the verify node at ``tail``, the least time from any batch's last draft to the end of its last pass
(0 for i = 0). With its ends and the time at which it leaves the draft node free,

    c = |A| end_A + |B| end_B + (K - i - |A| - |B|) draft_free,

and every plan costs at least K t0 + the sum of c over its groups, t0 the earliest that any prompt can have arrived
(``docs/hetedge.md``). So for ANY prices pi_k, one a request, and ANY potentials u_0, ..., u_K

    total latency >= K t0 + sum_k pi_k + u_0 - u_K + least sum of e_i over the positions of a chain 0 = i < ... < K
    e_i = min(0, least over groups at i of  c - (pi of its requests) - (u_i - u_(i + |A| + |B|)))

where a chain's steps are those of groups. Prompts and outputs are rounded down to the levels that the certificate
names, any of them, which only lowers c.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from uara.base.errors import InputError
from uara.base.files import Record, VersionOne, validate
from uara.base.quantities import Finite, Floats
from uara.base.scores import FEASIBILITY_TOLERANCE
from uara.hetedge.batch_kinds import (
    ROUNDS,
    Kinds,
    Requests,
    kinds_of,
    lengths_of,
    ranked_by,
    rooms,
    tables_of,
)
from uara.hetedge.instance import HetEdge
from uara.hetedge.latency import phases
from uara.hetedge.least_slack import Asked, Found, Stretch, alone_slacks, pair_slacks
from uara.hetedge.uplink import airtime_ms

Tokens = Annotated[int, Field(ge=0, le=2**31 - 1)]
_ROUNDING = 2.0**-36
"""Of all prices and potentials together, for each group: more than doubles lose in a thousand rounds."""


class RequestPricesRecord(Record):
    """The certificate as files hold it."""

    kind: Literal["request-prices"]
    version: VersionOne
    request_price_ms: list[Finite]
    """(K,) pi_k, in the instance's order of requests."""
    potential_ms: list[Finite]
    """(K + 1,) u_i, by the number of requests served."""
    disjoint: bool
    """Whether the two batches of a pair count as having no request in common; without, less is proved, sooner."""
    prompt_levels: list[Tokens]
    """Tokens to which prompts are rounded down."""
    output_levels: list[Tokens]
    """Tokens to which outputs are rounded down."""


@dataclass(frozen=True, eq=False)
class RequestPrices:
    """The certificate; :class:`RequestPricesRecord` says what its parts mean."""

    record: RequestPricesRecord

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> RequestPrices:
        """From the data of :meth:`to_plain`; raises :class:`InputError` if it is something else."""
        return cls(validate(plain, RequestPricesRecord, path="$.certificate"))

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return self.record.model_dump(mode="json")

    def prove(self, instance: HetEdge) -> float:
        """The lower bound on the total latency, in ms; minus infinity where it proves nothing.

        Raises
        ------
        InputError
            If it is for another number of requests.
        """
        record, requests = self.record, len(instance.requests)
        if len(record.request_price_ms) != requests or len(record.potential_ms) != requests + 1:
            raise InputError(
                f"must hold {requests} prices and {requests + 1} potentials", source="certificate"
            )
        price, potential = np.array(record.request_price_ms), np.array(record.potential_ms)
        levels = record.prompt_levels, record.output_levels
        tables = tables_of(instance, *levels)
        ranked, _ = ranked_by(tables, price)
        kinds = kinds_of(tables, ranked, disjoint=record.disjoint)
        *_, found = shortfalls(instance, ranked, kinds, potential, disjoint=record.disjoint)
        most_rounds = float(kinds.cost[:, ROUNDS].max(initial=0.0))
        magnitude = float(np.abs(price).sum() + 2 * np.abs(potential).max())
        slack = found.slack - _ROUNDING * (1 + most_rounds / 1000) * magnitude
        short_ms = least_chain(slack, 2 * min(instance.parameters.largest_batch, requests))
        terms = [*price.tolist(), potential[0], -potential[-1], short_ms, requests * earliest_ms(instance)]
        bound_ms = math.fsum(terms) if all(map(math.isfinite, terms)) else -math.inf
        return bound_ms - 2.0**-50 * abs(bound_ms)


def least_chain(slack: Floats, longest: int) -> float:
    """The least sum over the positions of a chain from 0 to the end, with steps of at most ``longest``."""
    least = np.zeros(len(slack) + 1)
    for i in range(len(slack) - 1, -1, -1):
        least[i] = slack[i] + least[i + 1 : i + 1 + longest].min()
    return float(least[0])


def earliest_ms(instance: HetEdge) -> float:
    """No prompt arrives earlier: the shortest upload with the whole band, and the tolerance that plans are allowed."""
    sending = airtime_ms(instance) / (1 + 2 * FEASIBILITY_TOLERANCE)
    return float(np.min(instance.ready_ms + sending) * (1 - 1e-12))


def shortfalls(
    instance: HetEdge, ranked: Requests, kinds: Kinds, potential: Floats, *, disjoint: bool
) -> Iterator[Found]:
    """The cheapest group at every position that has a slack below 0, size by size: the last one is final."""
    requests, widest = len(ranked.price), len(kinds.start) - 1
    asked = Asked(ranked.price, potential, disjoint, *rooms(instance))
    none = np.full(requests, -1)
    found = Found(np.zeros(requests), none.copy(), none.copy())
    for stretch in (Stretch(0, 0, 0.0), Stretch(1, requests - 1, least_tail_ms(instance))):
        alone_slacks(kinds, asked, stretch, found)
        for size_a in range(widest, 0, -1):
            for size_b in range(widest, 0, -1):
                pair_slacks(kinds, asked, stretch, size_a, size_b, found)
            yield found


def least_tail_ms(instance: HetEdge) -> float:
    """Least time from the last draft of any batch to the end of its last pass: one request, the least of all levels."""
    tokens = instance.requests.prompt_tokens, instance.requests.output_tokens
    times = phases(instance.system, 1, float(tokens[0].min()), float(tokens[1].min()), lengths_of(instance))
    return float(np.min(times.send + np.minimum(times.first_verify, times.verify)))


def lower_bound(instance: HetEdge, certificate: Any) -> float:
    """The lower bound on the total latency, in ms, that a certificate proves.

    The certificate is asked for its plain data alone, since a solver may hand over an object with a bound of
    its own.

    Raises
    ------
    InputError
        If it is malformed, or for another number of requests.
    """
    return RequestPrices.from_plain(certificate.to_plain()).prove(instance)
