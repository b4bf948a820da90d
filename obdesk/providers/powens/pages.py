"""Following a list from page to page, and refusing every way in which a server can lead astray."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import msgspec

from obdesk.domain.outcomes import PAGE_SHIFT
from obdesk.providers.powens.errors import bad_answer
from obdesk.providers.powens.rows import decode_rows
from obdesk.providers.powens.wire import UNREADABLE, ListWire, rows_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
    from datetime import tzinfo

    from msgspec import Raw

    from obdesk.domain.outcomes import Failure
    from obdesk.domain.remote import PageRows
    from obdesk.providers.powens.errors import Reply

PAGES_MAX = 10_000
ROWS_PER_PAGE = 1_000  # the most the API gives
_ENVELOPE = msgspec.json.Decoder(ListWire, strict=False)
_OFF_THREAD_BYTES = 64 * 1024  # below, a change of thread takes longer than the work


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a list whose rows are still raw; `digest` is over exactly their bytes.

    Links, cursors and the first and last dates of the envelope may change without the rows: they do not
    count. SHA-256 is used because processors have it built in; it takes half the time of BLAKE2 there.
    """

    rows: Raw = field(repr=False)
    digest: bytes
    total: int | None
    next_href: str | None


@dataclass(frozen=True, slots=True)
class TransactionPage:
    """One page of transactions; `decode` does the work, so an unchanged page costs only its digest."""

    rows: Raw = field(repr=False)
    digest: bytes
    total: int | None
    zone: tzinfo

    def decode(self, exponents: Mapping[int, int]) -> PageRows:
        """Return the rows; `exponents` gives each account's decimals by its provider id."""
        return decode_rows(self.rows, exponents, self.zone)


def read_page(body: bytes, name: str) -> ListPage | None:
    """Return the page whose list is called `name`, or None when the body is no such page."""
    try:
        envelope = _ENVELOPE.decode(body)
    except UNREADABLE:
        return None
    rows: Raw = getattr(envelope, name)
    if memoryview(rows)[:1].tobytes() != b"[":
        return None
    links = envelope.links or envelope.link
    href = links.next.href if links and links.next else None
    if links is None and _is_cut_short(rows, envelope.total):
        return None
    return ListPage(rows, hashlib.sha256(rows).digest(), envelope.total, href)


def _is_cut_short(rows: Raw, total: int | None) -> bool:
    """Tell whether an answer without any links is a full page of a longer list: the rest would be lost."""
    if total is None or total <= ROWS_PER_PAGE:
        return False
    found = rows_of(rows)
    return found is not None and ROWS_PER_PAGE <= len(found) < total


class Pager:
    """Reads the pages of one list."""

    def __init__(self, root: str, get: Callable[[str, Mapping[str, str] | None], Awaitable[Reply]]) -> None:
        self._root = root
        self._get = get

    async def pages(
        self, name: str, path: str, params: Mapping[str, str]
    ) -> AsyncGenerator[ListPage | Failure, None]:
        """Yield the pages of the list called `name`; a failure is always the last thing yielded."""
        address = f"{self._root}{path}"
        parameters: Mapping[str, str] | None = params
        trail = _Trail(self._root)
        for number in range(1, PAGES_MAX + 1):
            reply = await self._get(address, parameters)
            if reply.failure:
                yield reply.failure
                return
            page = await _read(reply.body, name)
            if page is None:
                yield bad_answer(f"page {number} is not a list of {name}")
                return
            following, complaint = trail.follow(address, page)
            if complaint:
                yield bad_answer(complaint)
                return
            yield page
            if following is None:
                return
            address, parameters = following, None
        yield bad_answer(f"more than {PAGES_MAX} pages")


class _Trail:
    """Where the links of one list have led so far."""

    def __init__(self, root: str) -> None:
        self._root = httpx.URL(root)
        self._addresses: set[str] = set()
        self._digests: set[bytes] = set()
        self._total: int | None = None

    def follow(self, address: str, page: ListPage) -> tuple[str | None, str]:
        """Return the next address, or a complaint about the page or where it leads."""
        if self._digests and page.total != self._total:
            # Rows came or went while we paged, so some may have slipped to a page already read.
            return None, PAGE_SHIFT
        if page.digest in self._digests:
            return None, "the same rows again"
        self._total = page.total
        self._digests.add(page.digest)
        if page.next_href is None:
            return None, ""
        following = self._below_root(address, page.next_href)
        if following is None:
            return None, "the next link leads elsewhere"
        if following in self._addresses:
            return None, "the next link repeats"
        self._addresses.add(following)
        return following, ""

    def _below_root(self, address: str, href: str) -> str | None:
        """Return the whole next address when the bearer may be sent there.

        That is the scheme, host and port we were told, and a path below the API's root.
        """
        try:
            url = httpx.URL(address).join(href)
        except (httpx.InvalidURL, ValueError):
            return None
        here = (self._root.scheme, self._root.host, self._root.port)
        steps = url.path.split("/")
        if (url.scheme, url.host, url.port) != here or url.userinfo or ".." in steps:
            return None
        return str(url) if url.path.startswith(f"{self._root.path.rstrip('/')}/") else None


async def _read(body: bytes, name: str) -> ListPage | None:
    """Read a page, a large one on another thread: the caller's loop may be the one that paints."""
    if len(body) < _OFF_THREAD_BYTES:
        return read_page(body, name)
    return await asyncio.to_thread(read_page, body, name)
