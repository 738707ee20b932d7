from __future__ import annotations

from hetedge_cases import make_hetedge

from uara.hetedge.generate import generate
from uara.problem import describe


def test_a_drawn_instance_in_words() -> None:
    text = "\n".join(describe(generate(requests=9, channel="path-loss", bandwidth_mhz=2.0)))
    assert "hetedge_k9: 9 requests (path-loss)" in text
    assert "uplink: 2 MHz shared" in text
    assert "tinyllama-1.1b on NVIDIA RTX 3080" in text
    assert "llama-7b on NVIDIA RTX 4500 Ada" in text
    assert "made by: uara hetedge generate" in text


def test_without_tasks_and_without_a_draft_node() -> None:
    lines = describe(
        make_hetedge(3, 1, drafts=False),
    )
    assert any("requests: unnamed" in line for line in lines)
    assert any("requests bring their drafts" in line for line in lines)
    assert not any(line.startswith("task profile") for line in lines)
