"""Certificates of every kind with random contents, in good form: whatever they hold, they must prove nothing false."""

from __future__ import annotations

from typing import Any

import numpy as np

from uara import Instance, solve

Plain = dict[str, Any]


def row(pi: Any, nu: Any, band: int = 0) -> Plain:
    return {"device_price": np.asarray(pi).tolist(), "count_price": np.asarray(nu).tolist(), "band": band}


def device_prices(nodes: list[Plain], rows: list[Any], bands: list[Any], target: float) -> Plain:
    return {
        "kind": "device-prices",
        "version": 1,
        "target_ms": target,
        "nodes": nodes,
        "rows": rows,
        "band_prices": bands,
    }


def random_tree(instance: Instance, rng: np.random.Generator, size: float, target: float) -> Plain:
    """A tree of device prices of any shape, with prices of about the right size."""
    devices, servers = len(instance.devices), len(instance.servers)

    def grow(left: int) -> list[Plain]:
        drop = [[int(rng.integers(devices)), int(rng.integers(servers))] for _ in range(rng.integers(0, 4))]
        node: Plain = {"row": int(rng.integers(3)), "drop": drop, "split": None}
        kind = rng.integers(3) if left else -1
        if kind == 0:
            return [node | {"split": "again"}, *grow(left - 1)]
        if kind == 1:
            some = np.flatnonzero(rng.random(servers) < 0.5).tolist()
            split: Any = {"device": int(rng.integers(devices)), "servers": some}
        elif kind == 2:
            split = {"server": int(rng.integers(servers)), "most": int(rng.integers(devices + 1))}
        else:
            return [node]
        first = int(rng.integers(left))
        return [node | {"split": split}, *grow(first), *grow(left - 1 - first)]

    rows = [
        row(
            size / devices * rng.uniform(0, 2, devices),
            rng.choice([0.0, 0.1, 1.0]) * size / devices * rng.normal(0, 1, servers),
            int(rng.integers(2)),
        )
        for _ in range(3)
    ]
    bands = [
        [(10 ** rng.uniform(-3, 3, rng.integers(1, 4))).tolist() for _ in range(servers)] for _ in range(2)
    ]
    return device_prices(grow(int(rng.integers(0, 7))), rows, bands, target)


def random_branches(instance: Instance, rng: np.random.Generator, target: float) -> Plain:
    """A tree of 2E prices of any shape; ``target`` with the constant part."""
    devices, servers = len(instance.devices), len(instance.servers)
    device: list[int] = []

    def grow(left: int) -> None:
        device.append(int(rng.integers(devices)) if left else -1)
        if left:
            first = int(rng.integers(left))
            grow(first)
            grow(left - 1 - first)

    grow(int(rng.integers(0, 5)))
    tables = [(10 ** rng.uniform(low, high, (2, servers))).tolist() for low, high in ((-6, 0), (-3, 3))]
    return {
        "kind": "branches",
        "target_ms": target,
        "prices": rng.integers(0, 2, len(device)).tolist(),
        "device": device,
        "server": [int(rng.integers(servers)) if i >= 0 else -1 for i in device],
        "compute_price": tables[0],
        "bandwidth_price": tables[1],
    }


def damaged(instance: Instance, rng: np.random.Generator, answer: Plain) -> Plain:
    """An honest certificate with another target, prices changed here and there, and every pair dropped."""
    certificate = answer
    if certificate["kind"] == "device-prices":
        certificate["target_ms"] *= float(rng.choice([1.0, 1.01, 2.0]))
        for one in certificate["rows"]:
            i = int(rng.integers(len(one["device_price"])))
            one["device_price"][i] *= float(rng.choice([-1.0, 0.0, 0.9, 1.1, 10.0]))
        pairs = zip(instance.channel.pair_device, instance.channel.pair_server, strict=True)
        certificate["nodes"][int(rng.integers(len(certificate["nodes"])))]["drop"] = [
            [int(i), int(j)] for i, j in pairs
        ]
    else:
        name = str(rng.choice(["compute_price", "bandwidth_price"]))
        j = int(rng.integers(len(certificate[name])))
        certificate[name][j] *= float(rng.choice([0.0, 0.5, 1.5, 1e100, 1e300]))
    return certificate


def random_certificate(instance: Instance, rng: np.random.Generator, truth: Any) -> Plain:
    """One of the above; ``truth`` is the score of the best answer, which sets the size of prices and targets."""
    lift = float(rng.uniform(0, 3))
    size = truth.controllable_ms * 10 ** float(rng.choice([0.0, 0.0, -1.0, 1.0]))
    kind = int(rng.integers(4))
    if kind == 0:
        return random_branches(instance, rng, truth.constant_ms + lift * truth.controllable_ms)
    if kind == 1:
        gap = float(rng.choice([0.5, 1e-7]))
        certificate = solve(instance, "exact", options={"gap": gap}).certificate
        assert certificate is not None
        return damaged(instance, rng, certificate.to_plain())
    return random_tree(instance, rng, size, lift * truth.controllable_ms)
