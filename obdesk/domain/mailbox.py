"""How the relay is that keeps webhooks for this computer, and how that is told.

A relay is a convenience: without it the banks are read by schedule. So none of its troubles is an alarm;
one thing is: that the aggregator sent a live token through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from obdesk.domain.errors import Action
from obdesk.domain.texts import mark, tr, trn

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

PEERS_MAX = 64
"""More computers of one person are not believed."""
NOTED_EVERY = timedelta(minutes=15)
"""How often a quiet mailbox leaves a note that it was looked into."""


class Trouble(Enum):
    """What can be wrong with an answer of a relay; closed, so that each has its words."""

    OFFLINE = "offline"
    """It cannot be reached from here: no network, no such name, nobody listens."""
    DOWN = "down"
    """It is reached and cannot do its work now."""
    BUSY = "busy"
    """It asks to come again later."""
    UNTRUSTED = "untrusted"
    """Its certificate is not one that this computer trusts."""
    NOT_A_RELAY = "not_a_relay"
    """What answers does not speak as a relay does."""
    UNKNOWN = "unknown"
    """It does not know who asks: a wrong code, or a computer it has forgotten."""
    REFUSED = "refused"
    """It understood and says no."""


class TroubleText(NamedTuple):
    """A trouble in words; `{host}` is where the relay is."""

    title: str
    cause: str
    action: Action


_TEXTS: dict[Trouble, TroubleText] = {
    Trouble.OFFLINE: TroubleText(
        mark("The relay cannot be reached"),
        mark("Nobody answers at {host}, or there is no network."),
        Action.RETRY,
    ),
    Trouble.DOWN: TroubleText(
        mark("The relay does not work at the moment"),
        mark("{host} answers, but it cannot keep or give anything now."),
        Action.RETRY,
    ),
    Trouble.BUSY: TroubleText(
        mark("The relay asks to wait"),
        mark("{host} was asked too often from here or by others."),
        Action.WAIT,
    ),
    Trouble.UNTRUSTED: TroubleText(
        mark("The relay cannot prove who it is"),
        mark("The certificate of {host} is not one that this computer trusts."),
        Action.SHOW_RELAY,
    ),
    Trouble.NOT_A_RELAY: TroubleText(
        mark("There is no relay at this address"),
        mark("{host} answers something that no relay says."),
        Action.SHOW_RELAY,
    ),
    Trouble.UNKNOWN: TroubleText(
        mark("The relay does not know this code or computer"),
        mark("{host} has never heard of it: a code works once and not for long."),
        Action.SHOW_RELAY,
    ),
    Trouble.REFUSED: TroubleText(
        mark("The relay refuses"),
        mark("{host} understood what was asked and does not do it."),
        Action.SHOW_RELAY,
    ),
}


def trouble_text(trouble: Trouble) -> TroubleText:
    """Return the words for a trouble, not yet in the reader's language."""
    return _TEXTS[trouble]


class MailboxState(Enum):
    """How it stands between this computer and its relay."""

    NEW = "new"
    """It was set up and not asked yet."""
    CONNECTED = "connected"
    UNREACHABLE = "unreachable"
    """It does not answer as it should; the banks are read by schedule."""
    FORGOTTEN = "forgotten"
    """It does not know this computer any more, and does not take it back."""
    LOCKED = "locked"
    """What this computer proves itself with cannot be read: a locked keyring, or another computer's file."""
    PAUSED = "paused"
    """The person paused all checks."""
    IDLE = "idle"
    """No window is open that would ask it."""


_STATES: dict[MailboxState, str] = {
    MailboxState.NEW: mark("Set up; it was not asked yet."),
    MailboxState.CONNECTED: mark("Connected since {since}: what your banks send arrives within seconds."),
    MailboxState.UNREACHABLE: mark(
        "Not reached since {since}. Your banks are checked by the schedule meanwhile."
    ),
    MailboxState.FORGOTTEN: mark(
        "It no longer knows this computer, since {since}. Your banks are checked by the schedule; "
        "pair again with a new code of its operator."
    ),
    MailboxState.LOCKED: mark(
        "What this computer proves itself with cannot be read, since {since}. Your banks are checked by "
        "the schedule; unlock the keyring, or pair again."
    ),
    MailboxState.PAUSED: mark("Not asked: checks are paused."),
    MailboxState.IDLE: mark("Not asked while the window is closed; what comes waits there for 30 days."),
}


_EXPOSED_TITLE = mark("A live token was sent through the relay")
_EXPOSED_CAUSE = mark(
    "The aggregator sent your access token to {host} ({when}): its webhooks are not set up to be signed. "
    "Whoever runs the relay could have read it."
)
_EXPOSED_NEXT = mark(
    "Replace the token now; the old one then opens nothing. Then set the webhooks up to be signed (HMAC), "
    "or it happens again."
)


@dataclass(frozen=True, slots=True)
class MailboxStatus:
    """How the relay is, at one instant."""

    host: str
    state: MailboxState
    since: datetime
    trouble: Trouble | None
    """Why it is not reached."""
    pulled_at: datetime | None
    """When it last answered; to the quarter of an hour while nothing comes."""
    delivered_at: datetime | None
    """When the aggregator last delivered something there, by the relay's clock."""
    waiting: int
    """Syncs that were hinted at and have not begun."""
    parked: int
    """Hints about links that nobody here knows yet."""
    hints: int
    """Hints that came since it was set up."""
    unreadable: int
    """Those among them that could not be opened."""
    peers: int
    """How many computers look at the same user, this one with them: they share what banks may be asked."""
    bearer_seen_at: datetime | None
    """When a live token was last sent through it that was not replaced since; None is fine."""

    @property
    def exposed(self) -> bool:
        """Tell whether a token was seen by the relay that still opens something."""
        return self.bearer_seen_at is not None


class Exposure(NamedTuple):
    """That a live token went through the relay, in words."""

    title: str
    cause: str
    next_step: str


def exposure(status: MailboxStatus, when: str) -> Exposure:
    """Return what is said of a token that the relay saw at `when`."""
    cause = tr(_EXPOSED_CAUSE, host=status.host, when=when)
    return Exposure(tr(_EXPOSED_TITLE), cause, tr(_EXPOSED_NEXT))


def sentences(status: MailboxStatus, when: Callable[[datetime | None], str]) -> tuple[str, ...]:
    """Return how the relay is, the state first; `when` writes an instant as its reader does."""
    said = [tr(_STATES[status.state], since=when(status.since))]
    if status.trouble is not None and status.state is MailboxState.UNREACHABLE:
        said.append(tr(_TEXTS[status.trouble].cause, host=status.host))
    if status.unreadable:
        said.append(
            trn(
                "{n} hint could not be opened; your banks were asked instead.",
                "{n} hints could not be opened; your banks were asked instead.",
                status.unreadable,
            )
        )
    if status.peers > 1:
        said.append(
            trn(
                "{n} computer looks at the same banks.",
                "{n} computers look at the same banks and share how often those may be asked.",
                status.peers,
            )
        )
    if status.exposed:
        said += exposure(status, when(status.bearer_seen_at))
    return tuple(said)


def state_now(
    state: MailboxState, pulled_at: datetime | None, now: datetime, *, paused: bool
) -> MailboxState:
    """Return how it stands now, from how it stood when somebody last left a note."""
    if paused:
        return MailboxState.PAUSED
    told_lately = pulled_at is not None and abs(now - pulled_at) <= 2 * NOTED_EVERY
    return MailboxState.IDLE if state is MailboxState.CONNECTED and not told_lately else state


def peers_believed(told: int) -> int:
    """Return how many computers share a user, whatever a relay says."""
    return min(max(told, 1), PEERS_MAX)
