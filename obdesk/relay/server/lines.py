"""So many of one asker at once; more wait in a line of their own, so that others do not wait behind them."""

from __future__ import annotations

import asyncio


class LineTooLongError(Exception):
    """So many of one asker wait already that no more may."""


class Lines:
    """The lines there are at the moment."""

    def __init__(self, at_once: int, length_max: int) -> None:
        self._at_once, self._length_max = at_once, length_max
        self._lines: dict[str, Line] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def of(self, asker: str) -> Line:
        """Return an asker's line, to be used as a context at once; raises LineTooLongError."""
        line = self._lines.get(asker)
        if line is None:
            line = self._lines[asker] = Line(self, asker, self._at_once)
        if line.length >= self._length_max:
            raise LineTooLongError
        return line

    def close(self, asker: str) -> None:
        """Forget a line in which nobody is."""
        del self._lines[asker]


class Line:
    """The line of one asker: a context in which one is at work, after those that came before."""

    def __init__(self, lines: Lines, asker: str, at_once: int) -> None:
        self._lines, self._asker = lines, asker
        self._places = asyncio.Semaphore(at_once)
        self.length = 0
        """How many are in it, those at work with them."""

    async def __aenter__(self) -> None:
        self.length += 1
        try:
            await self._places.acquire()
        except BaseException:  # the wait was given up, and that goes on from here
            self._leave()
            raise

    async def __aexit__(self, *exc_info: object) -> None:
        self._places.release()
        self._leave()

    def _leave(self) -> None:
        self.length -= 1
        if not self.length:
            self._lines.close(self._asker)
