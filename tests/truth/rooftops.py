"""Independent twin of the street test: heights by barycentric coordinates over the scene's triangles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from uara.scenarios.channel.raytrace import RayTracing
from uara.scenarios.channel.raytrace_worker import Scene


def heights(
    data: dict[str, Any], arrays: dict[str, NDArray[Any]]
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Job: the highest triangle of a scene over each point (n, 2), and what the channel's own rays see there."""
    import drjit as dr
    import mitsuba as mi

    scene = Scene(RayTracing(scene=data["scene"]))
    seen, _ = scene.surface(*arrays["xy_m"].T)
    highest = np.full(len(arrays["xy_m"]), -np.inf)
    for shape in scene.scene.mi_scene.shapes():
        mesh = mi.traverse(shape)
        corners = np.array(dr.unravel(mi.Point3f, mesh["vertex_positions"])).T.astype(float)
        faces = np.array(dr.unravel(mi.Point3u, mesh["faces"])).T
        for index, (x, y) in enumerate(arrays["xy_m"]):
            highest[index] = max(highest[index], highest_over(corners[faces], x, y))
    return {}, {"height_m": highest, "seen_m": seen}


def highest_over(triangles: NDArray[np.float64], x: float, y: float) -> float:
    """Height of the highest of some triangles (n, 3 corners, 3) over a point of the plane; -inf if none is."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    level = np.abs(area) > 1e-9
    a, b, c, area = a[level], b[level], c[level], area[level]
    v = ((x - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (y - a[:, 1])) / area
    w = ((b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (x - a[:, 0]) * (b[:, 1] - a[:, 1])) / area
    inside = (v >= 0) & (w >= 0) & (v + w <= 1)
    height = a[:, 2] + v * (b[:, 2] - a[:, 2]) + w * (c[:, 2] - a[:, 2])
    return float(height[inside].max(initial=-np.inf))
