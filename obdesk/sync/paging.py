"""Reading all pages of an answer, and reading them again where the list moved meanwhile."""

from __future__ import annotations

from contextlib import aclosing
from datetime import date
from typing import TYPE_CHECKING

from obdesk.domain.outcomes import PAGE_SHIFT, ActionNeeded, Broken, RetryLater
from obdesk.domain.syncing import Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.domain.outcomes import Failure
    from obdesk.providers.base import Provider, TransactionPage

    Progress = Callable[[Step, int, int | None], None]

OLDEST = date(1990, 1, 1)
"""All the history a consent allows; a bank answers with what it keeps."""
RESTARTS_MAX = 2
ROWS_PER_PAGE = 1_000
"""About what a page holds: for progress only."""


async def pages_of(
    provider: Provider, link: str, since: str | None, progress: Progress
) -> list[TransactionPage] | Failure:
    """Read every page of a link's rows; an answer that shifted meanwhile is read again from the start."""
    answer = await _read_once(provider, link, since, progress)
    for _ in range(RESTARTS_MAX):
        if not (isinstance(answer, Broken) and answer.detail == PAGE_SHIFT):
            break
        answer = await _read_once(provider, link, since, progress)
    return answer


async def _read_once(
    provider: Provider, link: str, since: str | None, progress: Progress
) -> list[TransactionPage] | Failure:
    pages: list[TransactionPage] = []
    progress(Step.READING_TRANSACTIONS, 0, None)
    reading = provider.transactions(link, since=since, oldest=OLDEST)
    # Leaving early must close the request at once, not when the garbage is collected.
    async with aclosing(reading):
        async for page in reading:
            if isinstance(page, ActionNeeded | RetryLater | Broken):
                return page
            pages.append(page)
            done = len(pages) * ROWS_PER_PAGE
            progress(Step.READING_TRANSACTIONS, min(done, page.total or done), page.total)
    return pages
