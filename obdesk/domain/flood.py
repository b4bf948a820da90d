"""Many notices at once become one: pure, from the moments of notices to what is shown of the next."""

from __future__ import annotations

from dataclasses import dataclass

from obdesk.domain.errors import Action
from obdesk.domain.notices import Notice, NoticeKind
from obdesk.domain.texts import tr

WINDOW_S = 600.0
SHOWN_MAX = 3
"""Notices shown by themselves within ten minutes; what comes on top is one notice that leads to the rest."""


@dataclass(frozen=True, slots=True)
class Flood:
    """When notices were shown lately, on a clock that never jumps."""

    shown_s: tuple[float, ...] = ()
    gathered: bool = False
    """The one that stands for the rest was shown as well."""


def after_notice(flood: Flood, notice: Notice, now_s: float) -> tuple[Flood, Notice | None]:
    """Return what to show of a notice that comes now, and the memory to keep."""
    recent = tuple(each for each in flood.shown_s if now_s - each < WINDOW_S)
    if len(recent) < SHOWN_MAX:
        return Flood((*recent, now_s)), notice
    if flood.gathered and recent == flood.shown_s:
        return flood, None
    rest = Notice(
        NoticeKind.PROBLEM,
        tr("More of your banks have news"),
        tr("Each bank's state stands with the connections."),
        Action.SHOW_DETAILS,
    )
    return Flood(recent, gathered=True), rest
