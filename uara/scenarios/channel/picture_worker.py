"""Worker side of :mod:`uara.scenarios.channel.picture`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uara.base.files import validate
from uara.scenarios.channel.picture import COLOUR_MAP, DEVICE_COLOUR, GAIN_DB, SERVER_COLOUR
from uara.scenarios.channel.raytrace import RayTracing
from uara.scenarios.channel.raytrace_worker import Scene

_CELL_M = 3.0
_RAYS_PER_SERVER = 500_000
# Camera over the south-west corner, in sides of the box from its centre.
_CAMERA = (-0.66, -0.92, 1.04)


def render(
    data: dict[str, Any], arrays: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, NDArray[np.uint8]]]:
    """Job: the picture (height, width, 3), sRGB."""
    scene = Scene(validate(data["settings"], RayTracing))
    import drjit
    import mitsuba as mi

    drjit.set_thread_count(os.cpu_count() or 1)
    scene.place(arrays["server_position_m"], arrays["device_position_m"])
    for names, colour, radius_m in (
        (scene.scene.transmitters, SERVER_COLOUR, 4.5),
        (scene.scene.receivers, DEVICE_COLOUR, 2.2),
    ):
        for device in names.values():
            device.color = colour
            device.display_radius = radius_m
    box, side_m = scene.box(), scene.settings.box_m
    centre = np.array([(box.x_min_m + box.x_max_m) / 2, (box.y_min_m + box.y_max_m) / 2])
    ground_m = float(np.median(arrays["device_position_m"][:, 2]))
    coverage = scene.rt.RadioMapSolver()(
        scene.scene,
        center=mi.Point3f(*centre.tolist(), ground_m),
        orientation=mi.Point3f(0, 0, 0),
        size=mi.Point2f(box.x_max_m - box.x_min_m, box.y_max_m - box.y_min_m),
        cell_size=mi.Point2f(_CELL_M, _CELL_M),
        samples_per_tx=_RAYS_PER_SERVER,
        max_depth=scene.settings.max_depth,
        refraction=False,
        diffraction=True,
    )
    above = [*centre.tolist(), ground_m]
    camera = scene.rt.Camera(
        position=[at + side_m * offset for at, offset in zip(above, _CAMERA, strict=True)]
    )
    camera.look_at(mi.Point3f(*above))
    width = int(data["width_pixels"])
    picture = scene.scene.render(
        camera=camera, radio_map=coverage, rm_metric="path_gain", rm_vmin=GAIN_DB[0], rm_vmax=GAIN_DB[1],
        rm_cmap=COLOUR_MAP, num_samples=int(data["samples_per_pixel"]), resolution=(width, width * 2 // 3),
        show_orientations=False, return_bitmap=True,
    )  # fmt: skip
    bitmap = np.array(picture.convert(mi.Bitmap.PixelFormat.RGBA, mi.Struct.Type.UInt8, srgb_gamma=True))
    opacity = bitmap[:, :, 3:] / 255.0
    return {}, {"image": (bitmap[:, :, :3] * opacity + 255 * (1 - opacity)).astype(np.uint8)}
