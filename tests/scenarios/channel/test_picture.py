from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from uara.base.errors import InputError
from uara.base.provenance import Provenance
from uara.p1.instance import Instance
from uara.scenarios.channel import isolation, llvm, picture
from uara.scenarios.recipe import generate

traced = pytest.mark.skipif(importlib.util.find_spec("sionna") is None, reason="needs the extra sionna")


@pytest.fixture
def plain() -> Instance:
    return generate(channel="path-loss", servers=2, devices=3)


def as_if_traced(instance: Instance, **settings: object) -> Instance:
    source = Provenance(channel_model="sionna-rt", scene="etoile", settings=settings)  # type: ignore[arg-type]
    return instance.replace(provenance=source)


def test_only_a_traced_instance_has_a_scene(plain: Instance, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"was not ray-traced.*uara show --plot"):
        picture.render(plain, tmp_path / "x.png")


def test_only_pictures_are_written(plain: Instance, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x\.pdf: pictures end in \.png, \.jpg, \.webp"):
        picture.render(as_if_traced(plain), tmp_path / "x.pdf")


def test_bad_settings_in_the_provenance_are_named(plain: Instance, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\$\.provenance\.settings\.box_m"):
        picture.render(as_if_traced(plain, box_m=-1.0), tmp_path / "x.png")


def test_recorded_settings_and_positions_reach_the_renderer(
    plain: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def call(
        job: str, data: dict[str, object], arrays: dict[str, np.ndarray], **_: object
    ) -> isolation.Reply:
        calls.append((job, data, arrays))
        return {}, {"image": np.full((80, 120, 3), 200, dtype=np.uint8)}

    monkeypatch.setattr(isolation, "call", call)
    monkeypatch.setattr(llvm, "tracing_environment", dict)
    instance = as_if_traced(plain, box_m=300.0, max_depth=2, payload="tokens", server_load_per_slot=0.3)
    picture.render(instance, tmp_path / "x.png", width_pixels=120)
    (job, data, arrays), *rest = calls
    assert job == "uara.scenarios.channel.picture_worker:render"
    assert data["settings"]["box_m"] == 300.0  # type: ignore[index]
    assert data["settings"]["scene"] == "etoile"  # type: ignore[index]
    np.testing.assert_array_equal(arrays["server_position_m"], instance.servers.position_m)
    assert rest == []
    assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"
    assert [file.name for file in tmp_path.iterdir()] == ["x.png"]


@traced
@pytest.mark.slow
def test_a_rendered_scene_shows_houses_and_coverage(tmp_path: Path) -> None:
    from matplotlib.image import imread

    instance = generate(servers=3, devices=10, rays_per_server=500, max_depth=1)
    picture.render(instance, tmp_path / "x.png", width_pixels=300, samples_per_pixel=4)
    image = imread(tmp_path / "x.png")[:200, :300, :3]
    green = (image[..., 1] > image[..., 0] + 0.15) & (image[..., 1] > 0.4)
    grey = np.ptp(image, axis=-1) < 0.05
    assert 0.1 < green.mean() < 0.8
    assert grey.mean() > 0.1
