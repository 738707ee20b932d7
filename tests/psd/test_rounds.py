from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from uara.psd.rounds import METHODS, Round, judgeable_tokens, most_drafted, pending_after, phase_of, psd_round


@given(st.integers(0, 9), st.integers(0, 9), st.data())
def test_a_psd_round_keeps_count(pending: int, drafted: int, data: st.DataObject) -> None:
    judgeable = judgeable_tokens(pending, drafted)
    accepted = data.draw(st.integers(0, judgeable))
    done = psd_round(pending, drafted, accepted)
    assert done.phase == ("post-verify" if pending else "pre-verify")
    assert done.rejected == (accepted < judgeable)
    assert done.judged == accepted + done.rejected <= pending + drafted
    if done.rejected:
        assert done.appended == accepted + 1  # the target's own token takes the place of the refused one
        assert pending_after(done) == 0
    else:  # what is neither judged nor lost waits
        assert done.appended == accepted
        assert accepted + pending_after(done) == pending + drafted


def test_a_round_by_hand() -> None:
    """Four tokens a block: the first of them is judged at once, three wait, and the second of those is refused."""
    first = psd_round(0, 4, 1)
    assert first == Round("pre-verify", 0, 4, 1, 1, 1)
    assert pending_after(first) == 3
    second = psd_round(3, 4, 1)
    assert second == Round("post-verify", 3, 4, 2, 1, 2)
    assert pending_after(second) == 0


def test_other_methods_leave_nothing_pending() -> None:
    assert pending_after(Round("verify", 0, 4, 4, 4, 5)) == 0
    assert pending_after(Round("step", 0, 0, 0, 0, 1)) == 0
    assert [phase_of(method, 0) for method in METHODS] == ["step", "verify", "pre-verify"]


def test_the_last_token_of_a_conventional_output_is_the_targets() -> None:
    assert [most_drafted("conventional", 4, left) for left in (1, 2, 5, 9)] == [0, 1, 4, 4]
    assert [most_drafted("psd", 4, left, pending) for left, pending in ((1, 0), (5, 3), (9, 3))] == [1, 2, 4]
    assert most_drafted("autoregressive", 0, 9) == 0
