"""Changes do what their words say, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from cases import instances, make_instance
from hypothesis import given, settings
from hypothesis import strategies as st

from uara import InputError, Instance
from uara.hardware import RTX_3090
from uara.p1.instance import Channel
from uara.scenarios.changes import add_server, distance_law, drop_server, parse
from uara.scenarios.channel.pathloss import PathLoss

INSTANCE = make_instance(12, 3, seed=2)


@settings(max_examples=30, deadline=None)
@given(instances(), st.floats(0.1, 10))
def test_scaled_there_and_back(instance: Instance, factor: float) -> None:
    for option, column in (("band", "bandwidth_hz"), ("compute", "compute_flop_per_s")):
        (there,), (back,) = parse(option, f"{factor!r}x"), parse(option, f"{1 / factor!r}x")
        other = there.apply(instance)
        assert getattr(other.servers, column) == pytest.approx(factor * getattr(instance.servers, column))
        again = getattr(back.apply(other).servers, column)
        assert again == pytest.approx(getattr(instance.servers, column))
        assert other.devices is instance.devices
        assert other.channel is instance.channel


def test_values_in_units_and_weights() -> None:
    assert (parse("band", "2.5")[0].apply(INSTANCE).servers.bandwidth_hz == 2.5e6).all()
    faster = parse("compute", "40")[0].apply(INSTANCE).servers
    assert (faster.compute_flop_per_s == 4e13).all()
    waiting_s = INSTANCE.servers.backlog_flop / INSTANCE.servers.compute_flop_per_s
    assert faster.backlog_flop / 4e13 == pytest.approx(waiting_s)
    changed = [each.apply(INSTANCE).parameters.energy_weight_ms_per_j for each in parse("w", "20:100:40")]
    assert changed == [20, 60, 100]
    assert parse("lambda", "0.5")[0].apply(INSTANCE).parameters.sync_weight_per_ms == 0.5
    assert [each.name for each in parse("band", "0.5x,2x")] == ["band 0.5x", "band 2x"]
    assert [each.value for each in parse("w", "0.1:0.3:0.1")] == ["0.1", "0.2", "0.3"]


def test_a_dropped_server_is_gone_and_the_others_are_as_before() -> None:
    name = INSTANCE.servers.id[1]
    left = drop_server(INSTANCE, name)
    assert left.servers.id == (INSTANCE.servers.id[0], INSTANCE.servers.id[2])
    gain = INSTANCE.channel.dense(3)
    assert (left.channel.dense(2) == gain[:, [0, 2]]).all()


def test_an_added_server_stands_where_it_should() -> None:
    more = add_server(INSTANCE, 5.0, -7.0, "rtx-3090")
    assert more.servers.id == (*INSTANCE.servers.id, "new0")
    assert more.servers.compute_flop_per_s[-1] == RTX_3090.compute_flop_per_s
    assert more.servers.bandwidth_hz[-1] == np.median(INSTANCE.servers.bandwidth_hz)
    place = more.servers.position_m[-1]  # type: ignore[index]
    assert place[:2].tolist() == [5.0, -7.0]
    assert (more.channel.dense(4)[:, :3] == INSTANCE.channel.dense(3)).all()
    assert add_server(more, 0.0, 0.0, "12.5").servers.id[-1] == "new1"
    back = drop_server(more, "new0")
    assert back.digest == INSTANCE.digest


def test_its_gains_follow_the_law_of_the_others() -> None:
    rng = np.random.default_rng(5)
    devices = rng.uniform(-200, 200, (40, 3)) * [1, 1, 0]
    servers = np.array([[0.0, 0, 10], [100, 50, 10]])
    distance = np.linalg.norm(devices[:, None] - servers, axis=2)
    gain = 10 ** (-(30 + 35 * np.log10(distance)) / 10)
    base = make_instance(40, 2, seed=1)
    instance = base.replace(
        devices=base.devices.replace(position_m=devices),
        servers=base.servers.replace(position_m=servers),
        channel=Channel.from_dense(gain),
    )
    law = distance_law(instance)
    assert (law.intercept_db, law.slope_db_per_decade) == pytest.approx((30, 35))
    assert law.spread_db == pytest.approx(0, abs=1e-6)
    more = add_server(instance, -50.0, 20.0, "rtx-4090").channel.dense(3)[:, 2]
    expected = 10 ** (-(30 + 35 * np.log10(np.linalg.norm(devices - [-50, 20, 10], axis=1))) / 10)
    assert more == pytest.approx(expected, rel=1e-5)


def test_where_gains_do_not_fall_with_distance_the_usual_law_holds() -> None:
    positions = np.asarray(INSTANCE.devices.position_m)
    flat = INSTANCE.replace(channel=Channel.from_dense(np.full((len(positions), 3), 1e-9)))
    law = distance_law(flat)
    assert (law.intercept_db, law.slope_db_per_decade, law.spread_db) == (
        PathLoss().intercept_db,
        PathLoss().slope_db_per_decade,
        0.0,
    )


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        ("add-server", "1,2", "not of the form x,y,model"),
        ("add-server", "x,2,rtx-3090", "not of the form x,y,model"),
        ("add-server", "inf,2,rtx-3090", "not of the form x,y,model"),
        ("add-server", "1,2,abacus", "is no hardware"),
        ("add-server", "1,2,-3", "is no hardware"),
        ("band", "twice", "neither a factor"),
        ("band", "0x", "neither a factor"),
        ("band", "nan", "neither a factor"),
        ("band", "1:2", "not of the form from:to:step"),
        ("w", "1:2:0", "not of the form from:to:step"),
        ("w", "2:1:1", "not of the form from:to:step"),
        ("w", "0:1e9:1", "not of the form from:to:step"),
        ("w", "-1", "no number of 0 to"),
        ("phones", "3", "is not one of add-server, drop-server, band"),
    ],
)
def test_words_that_stand_for_nothing(option: str, value: str, text: str) -> None:
    with pytest.raises(InputError, match=text):
        parse(option, value)


def test_what_cannot_be_changed() -> None:
    with pytest.raises(InputError, match="'nobody' is the id of no server; there are"):
        drop_server(INSTANCE, "nobody")
    alone = INSTANCE.replace(channel=Channel.from_dense(np.array([[1e-9, 0, 0]] * 12)))
    with pytest.raises(InputError, match="reaches no server but"):
        drop_server(alone, alone.servers.id[0])
    nowhere = INSTANCE.replace(servers=INSTANCE.servers.replace(position_m=None))
    with pytest.raises(InputError, match="holds no positions"):
        add_server(nowhere, 0, 0, "rtx-3090")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("w", "1e300"),
        ("lambda", "1e31"),
        ("add-server", "1e308,1,rtx-3090"),
        ("add-server", "0,-1e31,rtx-3090"),
        ("add-server", "0,0,1e300"),
        ("band", "1e300x"),
        ("compute", "inf"),
    ],
)
def test_numbers_that_no_quantity_has_are_refused(option: str, value: str) -> None:
    with pytest.raises(InputError, match=option):
        parse(option, value)


@pytest.mark.filterwarnings("error")
def test_far_away_and_barely_allowed() -> None:
    far = add_server(INSTANCE, 1e30, -1e30, "rtx-3090")
    assert (far.channel.dense(4)[:, 3] == 0).all()
    assert parse("w", "1e30")[0].apply(INSTANCE).parameters.energy_weight_ms_per_j == 1e30
