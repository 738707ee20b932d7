from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

import uara
from uara import allocate
from uara.bench.report.pages import plotted
from uara.bench.report.pictures import pictures
from uara.problem import kind_of

from ...cases import make_instance, random_association


def test_a_line_for_each_device_and_a_bar_for_each_server() -> None:
    instance = make_instance(20, 4)
    allocation = allocate(instance, random_association(instance))
    found = pictures(instance, allocation)
    drawn = ElementTree.fromstring(found["Map: devices, servers, association"])
    assert len([each for each in drawn.iter() if each.attrib.get("class") == "link"]) == 20
    assert len([each for each in drawn.iter() if each.attrib.get("class") == "server"]) == 4
    bars = [
        each
        for each in ElementTree.fromstring(found["Load of each server"]).iter()
        if each.tag.endswith("rect")
    ]
    assert len(bars) == 4 * 4
    heights = [float(bar.attrib["height"]) for bar in bars[:4]]
    counts = np.bincount(allocation.association, minlength=4)
    assert heights == pytest.approx(62 * counts / counts.max(), abs=0.06)


def test_without_positions_there_is_no_map() -> None:
    instance = make_instance(5, 2)
    bare = instance.replace(devices=instance.devices.replace(position_m=None))
    assert set(pictures(bare, allocate(bare, random_association(bare)))) == {"Load of each server"}


def test_names_are_escaped() -> None:
    instance = make_instance(3, 2, name="<b>&</b>")
    servers = instance.servers.replace(id=("<script>", "b"))
    named = instance.replace(servers=servers)
    for text in pictures(named, allocate(named, random_association(named))).values():
        assert "<script>" not in text
        ElementTree.fromstring(text)


def test_a_kind_without_own_pictures_shows_what_it_plots() -> None:
    instance = kind_of("hetedge").trials()[0]
    result = uara.solve(instance, "hetedge-rules")
    found = plotted(instance, result.decision)
    assert found["Answer"].startswith('<img alt="the answer" src="data:image/svg+xml;base64,')
    assert (
        plotted(
            make_instance(3, 2).replace(devices=make_instance(3, 2).devices.replace(position_m=None)), None
        )
        == {}
    )
