"""The numbers with which the program ends: part of its interface, described in docs/guide.md."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a script may rely on."""

    DONE = 0
    FAILED = 1
    """Something did not work; standard error says what, why and what to do."""
    USAGE = 2
    """The command was not understood; nothing was tried."""
    NOT_ALL = 4
    """The sync ended, but not every bank could be read."""
    INTERRUPTED = 130
    """Ctrl+C: nothing is left half done."""
    NOBODY_READS = 141
    """The program that read our output went away, as `head` does."""
    TERMINATED = 143
    """The system asked us to end: nothing is left half done."""
