"""What every aggregator looks like to the rest of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from datetime import date, timedelta
    from types import TracebackType

    from obdesk.domain.callbacks import Callback
    from obdesk.domain.outcomes import Failure, Outcome
    from obdesk.domain.remote import Connector, PageRows, RemoteAccount, RemoteConnection


class TransactionPage(Protocol):
    """One page as it came over the wire; cheap to compare, decoded only when it is new."""

    @property
    def digest(self) -> bytes:
        """Return a digest of the rows' bytes: equal digests are equal rows."""
        ...

    @property
    def total(self) -> int | None:
        """Return how many rows the whole answer holds, when the provider says so."""
        ...

    def decode(self, exponents: Mapping[int, int]) -> PageRows:
        """Return the rows; `exponents` gives each account's decimals by its provider id.

        A row that makes no sense becomes a problem and never costs the others.
        """
        ...


class Pace(Protocol):
    """Who says when the next request may go."""

    async def turn(self) -> None:
        """Wait until one more request may be sent; it is counted when this returns."""
        ...


class Provider(Protocol):
    """An aggregator on behalf of one user. Every answer is data or one of three failures."""

    @property
    def name(self) -> str:
        """Return the stable name stored with each connection, such as `powens`."""
        ...

    @property
    def host(self) -> str:
        """Return who is asked, a name and a port: breakers and limits are kept for it."""
        ...

    @property
    def clock_behind(self) -> timedelta:
        """Return how far this computer's clock is behind the provider's, where an answer told; else zero."""
        ...

    @property
    def requests(self) -> int:
        """Return how many requests were sent since the provider was opened."""
        ...

    async def connectors(self, country: str | None) -> Outcome[tuple[Connector, ...]]:
        """Return the banks that can be linked, of one ISO 3166 country or of all."""
        ...

    async def link_url(
        self, *, redirect_uri: str, state: str, language: str, connector_id: str | None
    ) -> Outcome[str]:
        """Return the address of the page on which a person links a bank (a user is made if need be)."""
        ...

    async def renew_url(
        self, connection_id: str, *, redirect_uri: str, state: str, language: str, reset: bool
    ) -> Outcome[str]:
        """Return the address of the page on which a person renews access to a linked bank."""
        ...

    def read_callback(self, url: str, state: str) -> Callback:
        """Return what the redirect to `url` says, its state compared with ours first; never raises."""
        ...

    async def connections(self, *, has_links: bool = False) -> Outcome[tuple[RemoteConnection, ...]]:
        """Return all links of this user, whatever their state; none while there is no user.

        Where links are known (`has_links`) there was a user: then the token was lost, not the links.
        """
        ...

    async def accounts(self, connection_id: str) -> Outcome[tuple[RemoteAccount, ...]]:
        """Return all accounts of one link, disabled and vanished ones included."""
        ...

    def transactions(
        self, connection_id: str, *, since: str | None, oldest: date
    ) -> AsyncGenerator[TransactionPage | Failure, None]:
        """Yield the pages of one link's transactions, deleted rows included.

        `since` is a cursor this provider gave (None: everything from `oldest` on). A failure is
        always the last thing yielded, and then nothing of the pages may be kept.
        """
        ...

    def cursor_after(self, stamps: str, previous: str | None) -> str | None:
        """Return the cursor to keep after a sync whose newest update stamp was `stamps`."""
        ...

    async def refresh(self, connection_id: str, *, attended: bool) -> Outcome[RemoteConnection]:
        """Ask the bank now; `attended` tells that a person waits (PSD2 RTS article 36)."""
        ...

    async def unlink(self, connection_id: str) -> Outcome[None]:
        """End the link and erase its data at the provider; a link that is already gone is a success."""
        ...

    async def rotate_token(self) -> Outcome[bool]:
        """Exchange the user's token when its time has come; tell whether another one is in use now."""
        ...

    async def replace_token(self) -> Outcome[None]:
        """Have every token of the user revoked at once, and use a new one: somebody saw one."""
        ...

    async def user_code(self) -> Outcome[str]:
        """Return a code that proves once to somebody else which user this is."""
        ...

    async def aclose(self) -> None:
        """Close the connections to the provider."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
