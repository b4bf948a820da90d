"""What the bootstrap says: progress on stderr, and problems as title, cause and what to do.

Standard output is left to the program that is started, so `bench --json` stays one document.
"""

from __future__ import annotations

import sys
import time

_started_s = time.monotonic()


class Problem(Exception):  # noqa: N818 - it is a problem of the person's machine, not an error of ours
    """Something a person has to mend before the command can run."""

    def __init__(self, title: str, *, cause: str, remedy: str) -> None:
        super().__init__(title)
        self.title = title
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        return f"Error: {self.title}\n  Cause: {self.cause}\n  What to do: {self.remedy}"


def say(sentence: str) -> None:
    """Print one line of progress."""
    sys.stderr.write(f"obdesk: {sentence}\n")
    sys.stderr.flush()


class Progress:
    """One line that counts upwards: rewritten in place on a terminal, printed now and then elsewhere."""

    def __init__(self, title: str, total: int) -> None:
        self._title = title
        self._total = total
        self._done = 0
        self._live = sys.stderr.isatty()
        self._last_s = time.monotonic()

    def advance(self, what: str) -> None:
        """Count one more and name it."""
        self._done = min(self._done + 1, self._total)
        self.show(what)

    def show(self, what: str, *, always: bool = False) -> None:
        """Say what is going on; `always` prints it even where lines are rationed."""
        line = f"obdesk: {self._title} {self._done}/{self._total} {what}"
        now_s = time.monotonic()
        if self._live:
            sys.stderr.write(f"\r\x1b[2K{line[:100]}")
        elif always or now_s - self._last_s > 5:
            self._last_s = now_s
            sys.stderr.write(f"{line} ({now_s - _started_s:.0f} s)\n")
        sys.stderr.flush()

    def finish(self) -> None:
        """Leave the line free for what comes next."""
        if self._live:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
