"""Certificates of any kind: parsed by their kind, and asked for their bound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from uara.base import files, tables
from uara.base.errors import InputError
from uara.p1 import check_certificate
from uara.p1.branches import BranchCertificate
from uara.p1.certificate import Certificate, Proof
from uara.p1.device_prices import DevicePrices
from uara.p1.instance import Instance


def lower_bound(instance: Instance, certificate: Proof) -> float:
    """The lower bound on P1's objective, in ms, that a certificate of any kind proves.

    It is minus infinity where the numbers leave double precision: what is not finite proves nothing. The
    certificate is asked for its plain data alone, since a solver may hand over an object with a bound of its own.

    Raises
    ------
    InputError
        If the certificate is malformed, or for another number of servers.
    """
    return parse_certificate(certificate.to_plain()).prove(instance)


def parse_certificate(plain: dict[str, Any]) -> Proof:
    """A certificate from plain data, told apart by ``kind``; raises :class:`InputError` on anything else."""
    kinds: dict[Any, Any] = {"branches": BranchCertificate, "device-prices": DevicePrices}
    proof: Proof = kinds.get(plain.get("kind"), Certificate).from_plain(plain)
    return proof


def check_files(instance: Path, solution: Path) -> check_certificate.Verdict:
    """Check a solution file against an instance file in exact arithmetic.

    Raises
    ------
    InputError
        If a file is malformed, or the solution is of another instance.
    """
    try:
        data = check_certificate.parse(files.read_bytes(instance), "instance")
        tables.fill_from_side_file(data, instance, ("servers", "devices", "channel"))
        for table in ("servers", "devices", "channel"):
            for name, column in data[table].items():
                data[table][name] = column.tolist() if isinstance(column, np.ndarray) else column
        answer = check_certificate.parse(files.read_bytes(solution), "solution")
        return check_certificate.check_data(data, answer)
    except check_certificate.Refused as error:
        raise InputError(str(error), source=str(solution)) from None
