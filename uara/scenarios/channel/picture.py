"""A rendered picture of a ray-traced instance: buildings, servers, devices, coverage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from uara.base import files, pictures
from uara.base.errors import InputError
from uara.base.extras import needs
from uara.p1.instance import Instance
from uara.scenarios.channel import isolation, llvm
from uara.scenarios.channel.raytrace import MAPPED, RayTracing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAPPED_CREDIT = "Map data © OpenStreetMap contributors (ODbL)\nScene and rays: Sionna RT"
OWN_CREDIT = "Rays: Sionna RT"
"""Under a scene whose buildings do not come from OpenStreetMap."""
KINDS = ("png", "jpg", "webp")
COLOUR_MAP = "viridis"
GAIN_DB = (-120.0, -60.0)
"""Range of the colours of the coverage map."""
SERVER_COLOUR = (0.84, 0.15, 0.16)
DEVICE_COLOUR = (1.0, 1.0, 1.0)

_STRIP_PIXELS = 64
_WORKER = "uara.scenarios.channel.picture_worker:render"


def render(
    instance: Instance, path: str | Path, *, width_pixels: int = 1200, samples_per_pixel: int = 32
) -> None:
    """Render the scene of a ray-traced instance to a PNG, JPEG or WebP file with legend and credit.

    Coverage is the path gain of each cell's best server, 1.5 m above the ground.

    Raises
    ------
    InputError
        If the instance was not ray-traced, or the file is of another kind or cannot be written.
    MissingExtra, ChannelError
        As :func:`uara.scenarios.channel.raytrace.draw`.
    """
    kind = Path(path).suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise InputError(f"pictures end in .{', .'.join(KINDS)}", source=str(path))
    image = _image(instance, width_pixels, samples_per_pixel)
    credit = MAPPED_CREDIT if instance.provenance.scene in MAPPED else OWN_CREDIT
    pictures.save(_framed(image, credit), Path(path))


def _framed(image: NDArray[np.uint8], credit: str) -> Figure:
    """The image over a strip with the legend, the colours' meaning and the credit."""
    needs("matplotlib.figure", extra="plot")
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    height, width = image.shape[:2]
    whole = height + _STRIP_PIXELS
    figure = Figure(figsize=(width / 100, whole / 100), dpi=100)
    axes = figure.add_axes((0, _STRIP_PIXELS / whole, 1, height / whole))
    axes.imshow(image, interpolation="nearest", aspect="auto")
    axes.set_axis_off()
    dot: dict[str, Any] = {"marker": "o", "linestyle": "none", "markersize": 9}
    marks = [
        Line2D([], [], color=SERVER_COLOUR, label="edge server", **dot),
        Line2D([], [], color=DEVICE_COLOUR, markeredgecolor="0.4", label="mobile device", **dot),
    ]
    figure.legend(handles=marks, loc="lower left", ncols=2, frameon=False, bbox_to_anchor=(0.0, 0.0))
    bar = figure.add_axes((0.36, 0.68 * _STRIP_PIXELS / whole, 0.3, 0.16 * _STRIP_PIXELS / whole))
    colours = mpl.cm.ScalarMappable(mpl.colors.Normalize(*GAIN_DB), COLOUR_MAP)
    figure.colorbar(colours, cax=bar, orientation="horizontal")
    bar.set_xlabel("path gain of the best server [dB]", labelpad=1)
    figure.text(
        0.992, 0.35 * _STRIP_PIXELS / whole, credit, ha="right", va="center", fontsize=7.5, color="0.25"
    )
    return figure


def _image(instance: Instance, width_pixels: int, samples_per_pixel: int) -> NDArray[np.uint8]:
    source = instance.provenance
    servers, devices = instance.servers.position_m, instance.devices.position_m
    if source.channel_model != "sionna-rt" or servers is None or devices is None:
        raise InputError(
            f"{instance.name} was not ray-traced, so there is no scene to render; "
            "`uara show --plot` draws a map of any instance"
        )
    recorded = {key: value for key, value in source.settings.items() if key in RayTracing.model_fields}
    settings = files.validate({**recorded, "scene": source.scene}, RayTracing, path="$.provenance.settings")
    data: dict[str, Any] = {
        "settings": settings.model_dump(),
        "width_pixels": width_pixels,
        "samples_per_pixel": samples_per_pixel,
    }
    positions = {"server_position_m": servers, "device_position_m": devices}
    _, arrays = isolation.call(_WORKER, data, positions, environment=llvm.tracing_environment())
    return arrays["image"]
