"""What the window asks of a screen; every screen of the program plugs in by this and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from obdesk.app.interface import FirstScreen
    from obdesk.domain.changes import ChangeSet
    from obdesk.domain.errors import Action, ObdeskError
    from obdesk.domain.filters import TransactionFilter
    from obdesk.domain.ids import AccountId, ConnectionId, TransactionId
    from obdesk.gui.standing import Piece


class Screen(Protocol):
    """One section of the window: Overview, Transactions, Connections.

    A screen re-reads by itself when it is touched and when it is first shown; it never blocks. Its
    constructor gets what it needs (theme, locale, clock, reads, commands, a scope for its reading).
    """

    @property
    def key(self) -> str:
        """Return a short stable name ("overview"), used for settings and tests."""
        ...

    @property
    def title(self) -> str:
        """Return the name in the sidebar, in the reader's language."""
        ...

    @property
    def icon(self) -> str:
        """Return the name of an icon of `obdesk.gui.icons`."""
        ...

    @property
    def widget(self) -> QWidget:
        """Return the screen's widget; the window owns it from then on."""
        ...

    def touched(self, changes: ChangeSet) -> None:
        """Hear of a commit (already folded: once per burst); read again what is shown."""
        ...

    def shown(self) -> None:
        """Hear that the person now sees the screen."""
        ...

    def actions(self) -> Sequence[QAction]:
        """Return the screen's own commands, for the palette and the menus."""
        ...

    def set_private(self, *, private: bool) -> None:
        """Hide the amounts from onlookers, or show them again."""
        ...


@runtime_checkable
class Searches(Protocol):
    """A screen that answers the window's search field and account rows (Transactions)."""

    def search(self, text: str) -> None:
        """Narrow to what was typed in the window's search field."""
        ...

    def show_accounts(self, accounts: frozenset[AccountId]) -> None:
        """Narrow to some accounts; an empty set shows all."""
        ...

    def show_rows(self, wanted: TransactionFilter, rows: Sequence[TransactionId]) -> None:
        """Show what a filter leaves and select some of it, in place of what was searched for before."""
        ...


@runtime_checkable
class ShowsBanks(Protocol):
    """A screen with a card for each bank (Connections)."""

    def show_bank(self, connection_id: ConnectionId) -> None:
        """Bring a bank's card into view and open its details."""
        ...


@runtime_checkable
class HasStatus(Protocol):
    """A screen with a line of its own in the status bar: selection, filter, sum."""

    def on_status(self, tell: StatusTeller) -> None:
        """Keep `tell` and call it with each new line of text."""
        ...


@runtime_checkable
class HasInspector(Protocol):
    """A screen with a side panel; below 1000 px the window asks it to lay itself over the content."""

    def set_narrow(self, *, narrow: bool) -> None:
        """Turn the side panel into an overlay, or back."""
        ...


@runtime_checkable
class Narrows(Protocol):
    """A screen whose list is narrowed by a filter, which an export can follow."""

    @property
    def wanted(self) -> TransactionFilter:
        """Return what the list shows now."""
        ...


@runtime_checkable
class Ages(Protocol):
    """A screen whose texts change by time alone ("today 14:05", freshness)."""

    def minute_passed(self) -> None:
        """Hear that a minute passed while the window is visible."""
        ...


@runtime_checkable
class ShowsFirst(Protocol):
    """A screen that can show itself from the first read, before anything else is running."""

    def show_first(self, first: FirstScreen) -> None:
        """Show what the first read brought."""
        ...


@runtime_checkable
class Stands(Protocol):
    """A screen that says where it stands, so that a first frame can be drawn in its place next time."""

    def standing(self) -> Iterable[Piece]:
        """Return the places of what a first frame can fill."""
        ...


class StatusTeller(Protocol):
    """Where a screen puts its line for the status bar."""

    def __call__(self, text: str) -> None:
        """Show the line while the screen is in front."""
        ...


class Navigator(Protocol):
    """What a screen may ask of the window: go elsewhere, start a flow, say something."""

    def open_section(self, key: str) -> None:
        """Bring a section to the front."""
        ...

    def open_account(self, account_id: AccountId) -> None:
        """Show one account's transactions."""
        ...

    def open_rows(self, wanted: TransactionFilter, rows: Sequence[TransactionId] = ()) -> None:
        """Show the transactions of a filter, and some of them selected."""
        ...

    def open_bank(self, connection_id: ConnectionId) -> None:
        """Show one bank's card with its details."""
        ...

    def link_bank(self) -> None:
        """Start linking a bank."""
        ...

    def renew(self, connection_id: ConnectionId) -> None:
        """Start renewing access to a linked bank."""
        ...

    def refresh(self, connections: Sequence[ConnectionId] | None = None) -> None:
        """Ask the banks now; progress and the end appear in the window."""
        ...

    def act(self, action: Action, connection_id: ConnectionId | None = None) -> None:
        """Do what an error's or a condition's button says."""
        ...

    def show_error(self, error: ObdeskError) -> None:
        """Show an error with its cause and its one button, without stopping anything."""
        ...

    def show_search(self, text: str) -> None:
        """Put a text into the search field; the screen that asks has searched already."""
        ...

    def toast(self, text: str) -> None:
        """Say one sentence that goes away by itself."""
        ...
