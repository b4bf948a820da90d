"""What a status glyph says: shape first, colour second, and the whole sentence for tooltip and readers."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from obdesk.domain.freshness import FreshnessState
from obdesk.domain.texts import mark, tr

if TYPE_CHECKING:
    from datetime import datetime

CONSENT_SOON = timedelta(days=14)


class Glyph(Enum):
    """The shapes; each is told from the others without its colour."""

    FRESH = "fresh"
    REFRESHING = "refreshing"
    AGEING = "ageing"
    PAUSED = "paused"
    STALE = "stale"
    DELAYED = "delayed"
    UNKNOWN = "unknown"
    BROKEN = "broken"
    NEEDS_YOU = "needs_you"
    CONSENT_SOON = "consent_soon"


class _Look(NamedTuple):
    token: str
    tone: str
    word: str
    sentence: str


_LOOKS = {
    Glyph.FRESH: _Look(
        "accent", "accent", mark("fresh"), mark("Fresh: we asked lately and the bank's data is of today.")
    ),
    Glyph.REFRESHING: _Look("info", "info", mark("refreshing"), mark("Refreshing: we are asking right now.")),
    Glyph.AGEING: _Look(
        "ink_muted", "muted", mark("ageing"), mark("Ageing: fine, but not of today any more.")
    ),
    Glyph.PAUSED: _Look("ink_muted", "muted", mark("paused"), mark("Paused by you: nothing is asked.")),
    Glyph.STALE: _Look(
        "warning", "warning", mark("old data"), mark("Old: the bank has given nothing newer for days.")
    ),
    Glyph.DELAYED: _Look(
        "warning", "warning", mark("delayed"), mark("Delayed: it heals alone, we try again by ourselves.")
    ),
    Glyph.UNKNOWN: _Look(
        "ink_faint", "muted", mark("unknown"), mark("Unknown: nothing proves how fresh this is.")
    ),
    Glyph.BROKEN: _Look("danger", "danger", mark("failed"), mark("Failed: it does not heal alone.")),
    Glyph.NEEDS_YOU: _Look(
        "warning", "warning", mark("needs you"), mark("Needs you: nothing new comes until you act.")
    ),
    Glyph.CONSENT_SOON: _Look(
        "warning", "warning", mark("renew soon"), mark("Your consent ends soon; renew it in good time.")
    ),
}


def glyph_of(
    state: FreshnessState, *, consent_expires_at: datetime | None = None, now: datetime | None = None
) -> Glyph:
    """Return the glyph of a freshness state; a consent that ends soon shows only where nothing is worse."""
    glyph = Glyph(state.value)
    calm = state in {FreshnessState.FRESH, FreshnessState.AGEING}
    if (
        calm
        and consent_expires_at is not None
        and now is not None
        and consent_expires_at - now < CONSENT_SOON
    ):
        return Glyph.CONSENT_SOON
    return glyph


def token_of(glyph: Glyph) -> str:
    """Return the colour token a glyph is painted in."""
    return _LOOKS[glyph].token


def tone_of(glyph: Glyph) -> str:
    """Return the tone that a text or pill beside the glyph takes."""
    return _LOOKS[glyph].tone


def word_of(glyph: Glyph) -> str:
    """Return the state in a word or two."""
    return tr(_LOOKS[glyph].word)


def sentence_of(glyph: Glyph) -> str:
    """Return the state as a whole sentence."""
    return tr(_LOOKS[glyph].sentence)


class RunMark(NamedTuple):
    """One sync as a square: its colour token, a mark that tells it without colour, its sentence."""

    token: str
    mark: str
    """"full", "bar" (needed a person), "cross" (failed) or "hollow" (cancelled)."""
    sentence: str
