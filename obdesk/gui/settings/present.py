"""What the settings say, as plain values: how the relay is, and whether hours make sense."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING

from obdesk.domain.mailbox import MailboxState, MailboxStatus, exposure, sentences
from obdesk.domain.texts import mark, tr
from obdesk.gui.format import Locale, count, instant, instant_or
from obdesk.gui.widgets.status import Glyph, tone_of

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.mailbox import Exposure

_LOOKS = {
    MailboxState.NEW: (Glyph.REFRESHING, mark("set up")),
    MailboxState.CONNECTED: (Glyph.FRESH, mark("connected")),
    MailboxState.UNREACHABLE: (Glyph.DELAYED, mark("not reached")),
    MailboxState.FORGOTTEN: (Glyph.NEEDS_YOU, mark("pair again")),
    MailboxState.LOCKED: (Glyph.NEEDS_YOU, mark("cannot be proved")),
    MailboxState.PAUSED: (Glyph.PAUSED, mark("paused")),
    MailboxState.IDLE: (Glyph.UNKNOWN, mark("not asked")),
}


@dataclass(frozen=True, slots=True)
class RelayValues:
    """How the relay is shown."""

    host: str
    glyph: Glyph
    word: str
    tone: str
    lines: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    exposure: Exposure | None
    """That a live token went through it: the one thing here that is an alarm."""
    wants_pairing: bool
    """Only a new code helps."""


def relay_of(status: MailboxStatus, now: datetime, locale: Locale) -> RelayValues:
    """Return how the relay is, in the reader's words."""

    def when(moment: datetime | None) -> str:
        return instant_or(moment, now, locale, tr("not yet"))

    glyph, word = _LOOKS[status.state]
    exposed = None
    if status.bearer_seen_at is not None:
        glyph = Glyph.BROKEN
        exposed = exposure(status, instant(status.bearer_seen_at, now, locale))
    said = sentences(status, when)
    return RelayValues(
        host=status.host,
        glyph=glyph,
        word=tr("a token was seen") if exposed else tr(word),
        tone=tone_of(glyph),
        lines=said[: -len(exposed)] if exposed else said,
        facts=(
            (tr("Last answer"), when(status.pulled_at)),
            (tr("Last webhook"), when(status.delivered_at)),
            (tr("Hints so far"), count(status.hints, locale)),
            (tr("Syncs waiting"), count(status.waiting, locale)),
        ),
        exposure=exposed,
        wants_pairing=status.state in {MailboxState.FORGOTTEN, MailboxState.LOCKED},
    )


def status_line(status: MailboxStatus | None, now: datetime, locale: Locale) -> str:
    """Return what the foot of the window says of the relay."""
    if status is None:
        return tr("No relay")
    if status.state is MailboxState.CONNECTED:
        return tr("Relay connected since {when}", when=instant(status.since, now, locale))
    return tr("Relay: {state}", state=tr(_LOOKS[status.state][1]))


def hour_of(text: str) -> str | None:
    """Return a time of day as it is kept ("07:05"), "" for none, None for what is no time."""
    trimmed = text.strip().replace(".", ":").replace("h", ":")
    if not trimmed:
        return ""
    hours, _, minutes = trimmed.partition(":")
    try:
        return time(int(hours), int(minutes or "0")).strftime("%H:%M")
    except ValueError:
        return None
