"""The words of the linking flow: its stages, what happens to it, and what it asks to be done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from obdesk.app.interface import LinkChannel, LinkReport, LinkTicket
    from obdesk.domain.ids import ConnectionId


@dataclass(frozen=True, slots=True)
class Target:
    """What an attempt is about: a bank to link, or a linked one to renew."""

    bank: str
    connector_id: str | None = None
    renews: ConnectionId | None = None


class Ending(Enum):
    """How an attempt ends when it does not end well."""

    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"


class PageFault(Enum):
    """What can go wrong with the embedded page; each has a sentence."""

    LOAD_FAILED = "load_failed"
    CRASHED = "crashed"
    CLOSED = "closed"
    CERTIFICATE = "certificate"
    WRONG_STATE = "wrong_state"
    NAGGING = "nagging"
    ENGINE_REFUSED = "engine_refused"


# Stages


@dataclass(frozen=True, slots=True)
class Choosing:
    """The list of banks is on screen."""


@dataclass(frozen=True, slots=True)
class Explaining:
    """Who asks, what for, how long, and how to end it: before anything is opened."""

    target: Target


@dataclass(frozen=True, slots=True)
class Opening:
    """The aggregator is asked for the page."""

    target: Target
    channel: LinkChannel


@dataclass(frozen=True, slots=True)
class AtBank:
    """The person is at the bank; meanwhile the connection list is polled for a lost way back."""

    target: Target
    ticket: LinkTicket
    deadline_s: float
    """When the attempt expires, on the monotonic clock."""
    ask_at_s: float
    asking: bool = False
    moving: bool = False
    """The browser is being prepared while the embedded page stays."""
    notice: str = ""
    fruit: LinkReport | None = None
    """The poll has found the new link; the page may still want to say goodbye."""
    fruit_until_s: float = 0.0


@dataclass(frozen=True, slots=True)
class LastQuestion:
    """The page is over without an answer: one last look whether the link exists after all."""

    target: Target
    ticket: LinkTicket
    ending: Ending
    sentence: str


@dataclass(frozen=True, slots=True)
class Adopting:
    """The answer is in and is being verified with our own token."""

    target: Target
    ticket: LinkTicket
    callback_url: str
    asking: bool
    """A poll is still under way; the answer is used after it, if it is needed then."""


@dataclass(frozen=True, slots=True)
class FirstSync:
    """The bank is linked and its data is coming in; the program can be used meanwhile."""

    target: Target
    report: LinkReport


@dataclass(frozen=True, slots=True)
class Done:
    """Linked or renewed, with data on screen."""

    target: Target
    report: LinkReport
    sentence: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Not linked: one sentence, and a way to try again."""

    target: Target
    ending: Ending
    sentence: str


@dataclass(frozen=True, slots=True)
class Left:
    """The person went elsewhere."""


Stage = Choosing | Explaining | Opening | AtBank | LastQuestion | Adopting | FirstSync | Done | Ended | Left


@dataclass(frozen=True, slots=True)
class Flow:
    """The whole state: a stage, and the number of the attempt by which late answers are recognised."""

    stage: Stage = Choosing()
    attempt: int = 0


# Events


@dataclass(frozen=True, slots=True)
class BankChosen:
    """The person picked a bank, or a linked bank to renew."""

    target: Target


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The person goes on to the bank, here or in the browser."""

    channel: LinkChannel


@dataclass(frozen=True, slots=True)
class TicketReady:
    """The page of an attempt is known."""

    attempt: int
    ticket: LinkTicket
    now_s: float


@dataclass(frozen=True, slots=True)
class OpeningFailed:
    """The page of an attempt could not be had."""

    attempt: int
    sentence: str


@dataclass(frozen=True, slots=True)
class CameBack:
    """The page or the browser came back to our address with the right state."""

    attempt: int
    url: str


@dataclass(frozen=True, slots=True)
class PageBroke:
    """The embedded page cannot go on."""

    attempt: int
    fault: PageFault


@dataclass(frozen=True, slots=True)
class Asked:
    """A poll of the connection list ended; `report` is None when it could not be made."""

    attempt: int
    report: LinkReport | None
    now_s: float


@dataclass(frozen=True, slots=True)
class Adopted:
    """The answer was verified, with whatever result."""

    attempt: int
    report: LinkReport


@dataclass(frozen=True, slots=True)
class AdoptingFailed:
    """The answer could not be verified, for want of a network for example."""

    attempt: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has passed."""

    now_s: float


@dataclass(frozen=True, slots=True)
class BrowserWanted:
    """The person wants to go on in their own browser."""


@dataclass(frozen=True, slots=True)
class FirstSyncEnded:
    """The first sync of what was linked is over."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """The person gives up this attempt, or steps back."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The person tries again."""


@dataclass(frozen=True, slots=True)
class Leave:
    """The person goes to another screen."""


Event = (
    BankChosen
    | Confirmed
    | TicketReady
    | OpeningFailed
    | CameBack
    | PageBroke
    | Asked
    | Adopted
    | AdoptingFailed
    | Ticked
    | BrowserWanted
    | FirstSyncEnded
    | Cancel
    | Retry
    | Leave
)

# Effects


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """Ask the application for a ticket; for the browser, open the way back first."""

    attempt: int
    target: Target
    channel: LinkChannel


@dataclass(frozen=True, slots=True)
class ShowPage:
    """Load the ticket's page in the embedded view."""

    attempt: int
    ticket: LinkTicket


@dataclass(frozen=True, slots=True)
class OpenInBrowser:
    """Show the ticket's page in the person's own browser."""

    ticket: LinkTicket


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask whether the link exists, without an answer in hand."""

    attempt: int
    ticket: LinkTicket


@dataclass(frozen=True, slots=True)
class Finish:
    """Close the attempt with the address that came back; never twice for one ticket."""

    attempt: int
    ticket: LinkTicket
    callback_url: str


@dataclass(frozen=True, slots=True)
class ClosePage:
    """Delete the page and everything it knew."""


@dataclass(frozen=True, slots=True)
class StopListening:
    """Close the browser's way back and give up an opening that is under way."""


@dataclass(frozen=True, slots=True)
class SyncFirst:
    """Bring in the data of what was linked."""

    connections: tuple[ConnectionId, ...]


Effect = OpenAttempt | ShowPage | OpenInBrowser | Ask | Finish | ClosePage | StopListening | SyncFirst
