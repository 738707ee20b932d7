"""Arrival traces: read, put in order, refused where they are none; bursts are runs of the trace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uara.base.errors import InputError
from uara.base.randomness import stream
from uara.scenarios.arrivals import Arrivals, read_arrivals

AZURE = Path(__file__).parents[2].parent / "shared" / "data" / "azure_llm_2023_code.csv"


def _file(folder: Path, text: str) -> Path:
    path = folder / "arrivals.csv"
    path.write_text(text)
    return path


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.integers(1, 9999), st.integers(1, 9999)), min_size=1, max_size=20
    )
)
def test_requests_come_in_the_order_of_their_times(
    tmp_path: Path, rows: list[tuple[float, int, int]]
) -> None:
    text = "arrival_s,prompt_tokens,new_tokens\n" + "\n".join(",".join(map(repr, row)) for row in rows)
    found = read_arrivals(_file(tmp_path, text))
    wanted = sorted(rows, key=lambda row: row[0])
    assert found.arrival_s.tolist() == [row[0] - wanted[0][0] for row in wanted]
    assert found.prompt_tokens.tolist() == [row[1] for row in wanted]
    assert found.new_tokens.tolist() == [row[2] for row in wanted]


def test_azures_names_and_dates(tmp_path: Path) -> None:
    text = (
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2023-11-16 23:59:59.9799600,4808,10\n2023-11-17 00:00:01.4799600,3180,8\n"
    )
    found = read_arrivals(_file(tmp_path, text))
    assert found.arrival_s.tolist() == [0.0, 1.5]
    assert found.prompt_tokens.tolist() == [4808, 3180]
    assert found.rate_per_s == pytest.approx(1 / 1.5)
    with_zone = text.replace("9600,", "96+00:00,")
    assert read_arrivals(_file(tmp_path, with_zone)).arrival_s.tolist() == [0.0, 1.5]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("arrival_s,prompt_tokens\n0,3\n", "column new_tokens: is missing"),
        ("arrival_s,prompt_tokens,new_tokens,who\n0,3,4,me\n", "column who: is not known"),
        ("arrival_s,prompt_tokens,new_tokens\n0,3,4\nx,3,4\n", "row 3, column arrival_s: 'x' is no number"),
        (
            "arrival_s,prompt_tokens,new_tokens\n0,3,4\n1e308,3,4\n",
            "row 3, column arrival_s: must be within",
        ),
        (
            "arrival_s,prompt_tokens,new_tokens\ninf,3,4\n",
            "row 2, column arrival_s: must be within 1e+12 s of 0",
        ),
        ("arrival_s,prompt_tokens,new_tokens\n0,0,4\n", "row 2, column prompt_tokens: 0 is no number"),
        ("arrival_s,prompt_tokens,new_tokens\n0,3,1.5\n", "row 2, column new_tokens: 1.5 is no number"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\nnoon,3,4\n", "row 2, column TIMESTAMP: 'noon' is no date"),
        (
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 10:00,3,4\n2023-11-16 10:00+00:00,3,4\n",
            "row 3, column TIMESTAMP: some times have a zone",
        ),
    ],
)
def test_what_is_no_trace_is_refused_by_row_and_column(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError) as raised:
        read_arrivals(_file(tmp_path, text))
    assert says in str(raised.value)


def _some(count: int) -> Arrivals:
    generator = np.random.default_rng(5)
    lengths = generator.integers(1, 100, (2, count))
    return Arrivals(np.cumsum(generator.exponential(1.0, count)), lengths[0], lengths[1], "made", "")


def test_a_burst_is_a_run_of_the_trace() -> None:
    whole = _some(30)
    firsts = set()
    for seed in range(40):
        burst = whole.burst(7, stream(seed, "arrivals"))
        first = next(
            place
            for place in range(24)
            if (whole.prompt_tokens[place : place + 7] == burst.prompt_tokens).all()
        )
        firsts.add(first)
        assert (whole.new_tokens[first : first + 7] == burst.new_tokens).all()
        assert np.allclose(np.diff(burst.arrival_s), np.diff(whole.arrival_s[first : first + 7]))
        assert burst.arrival_s[0] == 0
    assert len(firsts) > 10
    assert len(whole.burst(30, stream(1, "arrivals"))) == 30
    with pytest.raises(InputError, match="30 requests, and 31"):
        whole.burst(31, stream(1, "arrivals"))


def test_one_moment_has_no_rate() -> None:
    assert Arrivals(np.zeros(2), np.ones(2, int), np.ones(2, int), "made", "").rate_per_s == float("inf")


@pytest.mark.skipif(not AZURE.is_file(), reason="the public trace is not here")
def test_an_hour_of_azures_coding_requests() -> None:
    found = read_arrivals(AZURE)
    assert len(found) == 8819
    assert 3000 < found.arrival_s[-1] < 3600
    assert (np.diff(found.arrival_s) >= 0).all()
