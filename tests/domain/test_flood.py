"""However much happens at once, a person is not shouted at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.errors import Action
from obdesk.domain.flood import SHOWN_MAX, WINDOW_S, Flood, after_notice
from obdesk.domain.notices import Notice, NoticeKind

ONE = Notice(NoticeKind.SYNC_ERROR, "Alpina does not answer", "Its service is down.", Action.REFRESH)


def shown_of(moments_s: list[float]) -> list[tuple[float, Notice]]:
    flood, shown = Flood(), []
    for now_s in moments_s:
        flood, notice = after_notice(flood, ONE, now_s)
        if notice is not None:
            shown.append((now_s, notice))
    return shown


def test_F67_a_flood_is_three_notices_and_one_that_leads_to_the_rest() -> None:
    shown = [notice for _, notice in shown_of([float(n) for n in range(40)])]
    assert shown[:SHOWN_MAX] == [ONE] * SHOWN_MAX
    (rest,) = shown[SHOWN_MAX:]
    assert rest.action is Action.SHOW_DETAILS
    assert not any(letter.isdigit() for letter in rest.title + rest.body)


def test_F67_what_comes_now_and_then_is_shown_as_it_is() -> None:
    shown = shown_of([n * WINDOW_S / 2 for n in range(20)])
    assert [notice for _, notice in shown] == [ONE] * 20


@given(st.lists(st.floats(0, 100_000), max_size=200).map(sorted))
def test_F67_never_more_than_four_in_ten_minutes_and_the_first_is_never_lost(moments_s: list[float]) -> None:
    shown = shown_of(moments_s)
    assert [at for at, _ in shown[:1]] == moments_s[:1]
    for at, _ in shown:
        singles = [s for s, notice in shown if at <= s < at + WINDOW_S and notice is ONE]
        assert len(singles) <= SHOWN_MAX
